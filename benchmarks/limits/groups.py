"""Groups of faces by annotated properties: pose, occlusion, age."""

from itertools import pairwise

import numpy as np
from held_out_faces import ages

from rdrface.datasets.records import OCCLUDED, VISIBLE, FaceRecords
from rdrface.geometry.rotation import head_angles, rotation_matrix
from rdrface.morphable.params import PITCH, YAW

Groups = list[tuple[str, np.ndarray]]
"""Name of a row and its faces, (N,) bool."""

YAW_EDGES = (0, 15, 30, 45, 60, 75, 90)
"""Degrees of |yaw|. Faces beyond 90 are in the last group."""

PITCH_EDGES = (-30, -15, 0, 15, 30)
"""Degrees; the first and the last group have no outer limit."""

AGE_EDGES = (0, 4, 10, 18, 40)
"""First ages of the groups, years."""

OCCLUDED_EDGES = (0, 10, 30)
"""Percent of the points with a position: none, then groups up to each further limit, then more than the last."""


def by_yaw(records: FaceRecords) -> Groups:
    """Groups by |yaw|; the records have angles."""
    yaw = np.abs(_reported_angles(records)[:, YAW]).clip(max=YAW_EDGES[-1])
    groups = []
    for low, high in pairwise(YAW_EDGES):
        is_last = high == YAW_EDGES[-1]
        groups.append((f"{low}-{high} degrees", (yaw >= low) & ((yaw <= high) if is_last else (yaw < high))))
    return groups


def by_pitch(records: FaceRecords) -> Groups:
    """Groups by pitch; the records have angles."""
    pitch = _reported_angles(records)[:, PITCH]
    first, last = PITCH_EDGES[0], PITCH_EDGES[-1]
    between = [(f"{low} to {high} degrees", (pitch >= low) & (pitch < high)) for low, high in pairwise(PITCH_EDGES)]
    return [(f"below {first} degrees", pitch < first), *between, (f"{last} degrees and above", pitch >= last)]


def by_occlusion(records: FaceRecords) -> Groups:
    """Groups by the share of the points with a position that are annotated as occluded by an object."""
    occluded, visible = ((records.state == state).sum(axis=1) for state in (OCCLUDED, VISIBLE))
    percent = 100 * occluded / np.maximum(occluded + visible, 1)
    groups = [("none occluded", percent == 0)]
    for low, high in pairwise(OCCLUDED_EDGES):
        groups.append((f"up to {high} %", (percent > low) & (percent <= high)))
    return [*groups, (f"more than {OCCLUDED_EDGES[-1]} %", percent > OCCLUDED_EDGES[-1])]


def by_age(records: FaceRecords) -> Groups:
    """Groups by age, of FG-NET."""
    age, last = ages(records), AGE_EDGES[-1]
    groups = [(f"{low}-{high - 1} years", (age >= low) & (age < high)) for low, high in pairwise(AGE_EDGES)]
    return [*groups, (f"{last} years and older", age >= last)]


def _reported_angles(records: FaceRecords) -> np.ndarray:
    """(N, 3) degrees, pitch, yaw and roll as in `rdrface.Face.pose`, from the angles of the fits."""
    if records.angles is None:
        raise ValueError("groups by pose need records with angles")
    angles: np.ndarray = np.degrees(head_angles(rotation_matrix(np.radians(records.angles))))
    return angles
