"""Faces cut by the edge of the image, at the left or right."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from annotated_photos import WRONG, Annotated, error_percent, landmarks_of, match
from detecting import Detected, Release, detect, write_image

from rdrface.evaluation.tables.tables import Row, Table
from rdrface.face import Face

FRACTIONS = (0.0, 0.2, 0.35, 0.5)
"""Fractions of the width of the landmark box that are cut away."""

YAW_JUMP = 30.0
"""Change of the yaw that counts as a jump, degrees."""

MARKED = (6.0, 8.0, 12.0)
"""Expected errors that mark a wrong face, percent of the face size."""


@dataclass(frozen=True)
class CutFace:
    """A found face that is cut.

    Attributes:
        inside: mean error of the points inside the image, percent of the face size.
        all_points: mean error of all points, percent of the face size.
        yaw_jump: difference of the yaw from that of the complete face, degrees; NaN if that was not found.
        expected: `Face.expected_error`, percent of the face size.
    """

    inside: float
    all_points: float
    yaw_jump: float
    expected: float


def measure(release: Release, faces: Sequence[Annotated], folder: Path) -> list[Table]:
    """Write the cut photos into a folder, run a release on them, and compare with the annotations."""
    shifts: dict[str, tuple[float, float]] = {}
    for i, face in enumerate(faces):
        for fraction in FRACTIONS:
            low, high = kept_columns(face, fraction, left=i % 2 == 0)
            shifts[name_of(i, fraction)] = low, high
            write_image(folder / name_of(i, fraction), face.pixels[:, low:high])
    detected = detect(release, folder)
    return [table({f: cut_faces(faces, f, shifts, detected) for f in FRACTIONS}, len(faces), detected.version)]


def name_of(index: int, fraction: float) -> str:
    """Name of the image file of one face, cut by a fraction of its width."""
    return f"{index:03d}-{round(100 * fraction):02d}.png"


def kept_columns(face: Annotated, fraction: float, left: bool) -> tuple[int, int]:
    """First and last + 1 column of the image that remain if a fraction of the face is cut away at the left or right."""
    x0, _, x1, _ = face.box
    width = face.pixels.shape[1]
    if fraction == 0:
        return 0, width
    return (round(x0 + fraction * (x1 - x0)), width) if left else (0, round(x1 - fraction * (x1 - x0)) + 1)


def cut_faces(
    faces: Sequence[Annotated], fraction: float, kept: dict[str, tuple[float, float]], detected: Detected
) -> list[CutFace]:
    """The faces that were found although they are cut by a fraction of their width."""
    found = []
    for i, truth in enumerate(faces):
        low, high = kept[name_of(i, fraction)]
        points = truth.points - [low, 0]
        face = match(points, detected.faces[name_of(i, fraction)])
        if face is None:
            continue
        complete = match(truth.points, detected.faces[name_of(i, 0.0)])
        predicted = landmarks_of(face, truth.contour)
        is_inside = (points[:, 0] >= 0) & (points[:, 0] <= high - low - 1)
        found.append(
            CutFace(
                error_percent(predicted, points, truth.size, np.flatnonzero(is_inside)),
                error_percent(predicted, points, truth.size, np.arange(len(points))),
                np.nan if complete is None else abs(yaw(face) - yaw(complete)),
                face.expected_error,
            )
        )
    return found


def yaw(face: Face) -> float:
    """Yaw from the rotation matrix, degrees: the same for all releases."""
    return float(np.degrees(np.arctan2(face.pose.rotation[0, 2], face.pose.rotation[2, 2])))


def table(found: dict[float, list[CutFace]], count: int, version: str) -> Table:
    """Table with one row per fraction."""
    rows = []
    for fraction, faces in found.items():
        inside, all_points, jump, expected = (
            np.array([getattr(face, name) for face in faces]) for name in CutFace.__dataclass_fields__
        )
        is_wrong = inside > WRONG
        rows.append(
            Row(
                f"{100 * fraction:g} %",
                (
                    len(faces),
                    _median(inside),
                    _median(all_points),
                    int(is_wrong.sum()),
                    int((all_points > WRONG).sum()),
                    int((jump > YAW_JUMP).sum()),
                    _median(expected),
                    *(int((is_wrong & (expected > limit)).sum()) for limit in MARKED),
                ),
            )
        )
    return Table(
        f"{count} upright faces, cut at the left or right by a share of their width; rdrface {version}",
        (
            "found",
            "error inside, %",
            "error all, %",
            "wrong inside",
            "wrong all",
            "yaw jumps",
            "expected, %",
            *(f"wrong, exp. > {limit:g}" for limit in MARKED),
        ),
        tuple(rows),
        (
            "Medians of the mean error of the points inside the image and of all points, percent of the face size.",
            f"wrong: above {WRONG:g} %. yaw jump: above {YAW_JUMP:g} degrees from the complete photo. expected: "
            "expected error.",
            "wrong, exp. > L: faces that are wrong inside the image and whose expected error is above L %.",
        ),
    )


def _median(values: np.ndarray) -> float | None:
    return float(np.median(values)) if len(values) else None
