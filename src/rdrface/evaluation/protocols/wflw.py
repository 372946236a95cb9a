"""WFLW: 98 points on the visible outline, six attributes of difficult faces; the 98 points from the mesh or from 68.

Unverified: the reader and protocol were tested on small files in the published format, not on the full dataset.
"""

import numpy as np

from rdrface.datasets.readers.wflw import ATTRIBUTES, attributes
from rdrface.datasets.records import FaceRecords
from rdrface.evaluation.metrics.errors import mean_of_counted, nme
from rdrface.evaluation.predictions.interpolate import interpolated_landmarks
from rdrface.evaluation.predictions.predictions import Predictions
from rdrface.evaluation.protocols.notes import UNVERIFIED, check_points, missed_note, offered_note
from rdrface.evaluation.tables import published
from rdrface.evaluation.tables.distribution import area_under_curve, failure_rate
from rdrface.evaluation.tables.tables import Row, Table
from rdrface.face import Face
from rdrface.landmarks import GROUPS, NUM_LANDMARKS
from rdrface.morphable.curve import evenly_spaced, midpoints
from rdrface.morphable.schemes import NUM_WFLW98, WFLW98_BROWS, WFLW98_EVEN, WFLW98_PUPILS, WFLW98_TO_IBUG68

LIMIT = 10.0
"""Percent, threshold of a failure and upper end of the area under the curve (Wu et al., CVPR 2018)."""

OUTER_EYE_CORNERS = (60, 72)
CONTOUR = 33
SCHEME = "wflw98"
_OF_THE_MESH = [*WFLW98_BROWS, *WFLW98_PUPILS]
COLUMNS = ("full", *ATTRIBUTES)


def tables(annotations: FaceRecords, predictions: Predictions) -> list[Table]:
    """WFLW (Wu et al., CVPR 2018): 98 points on the visible outline, all of them counted, occluded ones included.

    Normalizer: distance of the outer eye corners (points 60 and 72). NME, failure rate and area under the cumulative
    error curve at 10 %, over the whole test part and over the faces with each of the six attributes. The 68 points do
    not define the lower edges of the brows, so a method with 68 points is measured on the other 90 points; rows named
    "90 points" compare all methods on these.

    Raises:
        ValueError: not 98 points.
    """
    by_row = errors(annotations, predictions)
    groups = subsets(annotations)
    found = predictions.found
    nmes, failures, areas = [], [], []
    for name, values in by_row.items():
        row = predictions.row(name)
        parts = [(values[group], found[group]) for group in groups.values()]
        nmes.append(Row(row, tuple(mean_of_counted(e) for e, _ in parts)))
        failures.append(Row(row, tuple(failure_rate(e, LIMIT, is_found) for e, is_found in parts)))
        areas.append(Row(row, tuple(area_under_curve(e, LIMIT, is_found) for e, is_found in parts)))
    faces = Row("faces", tuple(int(group.sum()) for group in groups.values()))
    notes = (*offered_note(predictions), missed_note(predictions), UNVERIFIED)
    failed = "Faces that were not found count as failures."
    without_brow_edges = "90 points: without the lower edges of the brows (38-41, 47-50), which the 68 do not define."
    return [
        Table(
            "WFLW, 98 points: NME in percent of the inter-ocular distance (outer eye corners)",
            COLUMNS,
            (*published.WFLW_NME, *nmes, faces),
            (without_brow_edges, *notes),
        ),
        Table(
            f"WFLW: failure rate, percent of faces with an NME above {LIMIT:g} %",
            COLUMNS,
            (*published.WFLW_FAILURES, *failures, faces),
            (failed, *notes),
        ),
        Table(
            f"WFLW: area under the cumulative error curve up to {LIMIT:g} %, percent of the maximum",
            COLUMNS,
            (*published.WFLW_AREA, *areas, faces),
            (failed, *notes),
        ),
    ]


def errors(annotations: FaceRecords, predictions: Predictions) -> dict[str, np.ndarray]:
    """Row of the table -> (N,) NME of every face, percent.

    Over the points that the method predicts; if these are more than 90, also over the 90 that can be derived from the
    68.

    Raises:
        ValueError: not 98 points.
    """
    check_points(annotations, predictions, NUM_WFLW98, "WFLW")
    left, right = OUTER_EYE_CORNERS
    size = np.linalg.norm(annotations.points[:, left] - annotations.points[:, right], axis=-1)
    common = ~np.isin(np.arange(NUM_WFLW98), list(WFLW98_BROWS))
    masks = {int(mask.sum()): mask for mask in (predictions.offered, predictions.offered & common)}
    result = {}
    for output, points in predictions.outputs.items():
        for count, mask in masks.items():
            name = output if count in (0, NUM_WFLW98) else f"{output}, {count} points".removeprefix(", ")
            result[name] = nme(points, annotations.points, size, mask)
    return result


def subsets(annotations: FaceRecords) -> dict[str, np.ndarray]:
    """Column of the tables -> (N,) bool, faces of the subset; a face can be in several subsets."""
    flags = attributes(annotations.source)
    return {"full": np.ones(len(annotations), bool), **dict(zip(ATTRIBUTES, flags.T, strict=True))}


def outputs(face: Face) -> dict[str, np.ndarray]:
    """Two outputs of the 98 points, (98, 2) image pixels each: "landmarks" and "projection".

    Points that can be derived from the 68 are computed from `Face.landmarks` and `Face.projection` as for any other
    method (`from68`), on the visible outline. The lower edges of the brows and the pupils are points of the mesh; in
    "landmarks" they are moved by the refinement of the surrounding landmarks
    (`rdrface.evaluation.predictions.interpolate`).
    """
    known = from68(np.stack([face.landmarks, face.projection]))
    of_mesh = np.stack([interpolated_landmarks(face, SCHEME), face.points(SCHEME)[:, :2]])
    known[:, _OF_THE_MESH] = of_mesh[:, _OF_THE_MESH]
    return {"landmarks": known[0], "projection": known[1]}


def from68(points: np.ndarray) -> np.ndarray:
    """WFLW's points, as far as they can be derived from the 68.

    Of the 98 points, 52 coincide with one of the 68; 16 contour points lie halfway between two of them; 20 divide
    eyelids and lips into parts of equal length in the image; the pupils are the means of the eyes' six points, which is
    exact for a gaze straight ahead. The eight points on the lower edges of the brows are NaN, because the 68 do not
    define the width of a brow.

    Args:
        points: (N, 68, 2) with the contour on the visible outline; NaN for faces that were not found.

    Returns:
        (N, 98, 2) float64.

    Raises:
        ValueError: another shape.
    """
    known = np.asarray(points, np.float64)
    if known.ndim != 3 or known.shape[1:] != (NUM_LANDMARKS, 2):
        raise ValueError(f"points must be (N, {NUM_LANDMARKS}, 2), got {known.shape}")
    result = np.full((len(known), NUM_WFLW98, 2), np.nan)
    result[:, list(WFLW98_TO_IBUG68)] = known[:, list(WFLW98_TO_IBUG68.values())]
    result[:, 1:CONTOUR:2] = midpoints(known[:, list(GROUPS["contour"])])
    for line, cuts in WFLW98_EVEN:
        result[:, list(cuts)] = evenly_spaced(known[:, list(line)], len(cuts) + 2)[:, 1:-1]
    for pupil, eye in zip(WFLW98_PUPILS, ("left_eye", "right_eye"), strict=True):
        result[:, pupil] = known[:, list(GROUPS[eye])].mean(1)
    return result
