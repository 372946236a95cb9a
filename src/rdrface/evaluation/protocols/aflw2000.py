"""AFLW2000-3D: 68 points on the absolute jawline and a head pose, faces up to full profile."""

import numpy as np

from rdrface.datasets.records import FaceRecords
from rdrface.evaluation.metrics.errors import bounding_box_size, by_yaw, nme
from rdrface.evaluation.predictions.predictions import Predictions
from rdrface.evaluation.protocols import head_pose
from rdrface.evaluation.protocols.notes import BINS, check_points, faces_row, missed_note
from rdrface.evaluation.tables import published
from rdrface.evaluation.tables.tables import Row, Table
from rdrface.landmarks import GROUPS, INNER, NUM_LANDMARKS

REGIONS = {
    "contour": (*GROUPS["contour"],),
    "brows": (*GROUPS["left_brow"], *GROUPS["right_brow"]),
    "nose": (*GROUPS["nose_ridge"], *GROUPS["nose_base"]),
    "eyes": (*GROUPS["left_eye"], *GROUPS["right_eye"]),
    "mouth": (*GROUPS["outer_lip"], *GROUPS["inner_lip"]),
}
"""Name of a region -> its points. The last four are the 51 inner points."""


def tables(annotations: FaceRecords, predictions: Predictions) -> list[Table]:
    """AFLW2000-3D (Zhu et al., CVPR 2016, section 5): 68 points on the absolute jawline, all of them counted.

    Normalizer: sqrt(w h) of the box of the 68 true points, also for the 51 inner points (RDR's supplement, section 3).
    Bins by |yaw| of the set's fitted pose; the papers' mean is the mean of the three bins, the image mean weighs all
    faces alike and is lower. Only jawline outputs have the set's contour convention; outline outputs are printed
    because the paper's numbers are outline against jawline.

    Raises:
        ValueError: not 68 points, or annotations without the set's angles.
    """
    yaw = _yaw(annotations)
    whole, inner = _whole(annotations, predictions), _inner(annotations, predictions)
    published_mean = "The published means are of the bins and of all 2,000 images."
    conventions = (
        "outline: contour on the visible outline; jawline: on the absolute jawline, as the set's own labels."
        if any("outline" in name for name in predictions.outputs)
        else "The set's contour is the absolute jawline; a method of the visible outline is better judged by the 51."
    )
    faces = faces_row(predictions, yaw)
    return [
        Table(
            "AFLW2000-3D, 68 points: NME in percent of sqrt(w h) of the true landmark box, by |yaw| in degrees",
            BINS,
            (*published.AFLW2000_68, *_rows(whole, yaw, predictions), faces),
            (conventions, published_mean, missed_note(predictions)),
        ),
        Table(
            "AFLW2000-3D, 51 inner points: NME in percent of sqrt(w h) of the box of all 68 true points",
            BINS,
            (*published.AFLW2000_INNER, *_rows(inner, yaw, predictions), faces),
            (published_mean, missed_note(predictions)),
        ),
        _regions(annotations, predictions, yaw),
        *([] if predictions.rotation is None else head_pose.tables(annotations, predictions)),
    ]


def errors(annotations: FaceRecords, predictions: Predictions) -> dict[str, np.ndarray]:
    """Output -> (N,) NME of every face, percent; for the 68 points, then as "..., inner 51" for the inner ones.

    Outputs that differ only in the contour have one entry for the inner points.
    """
    whole = {name or "68 points": values for name, values in _whole(annotations, predictions).items()}
    inner = {f"{name}, inner 51".lstrip(", "): values for name, values in _inner(annotations, predictions).items()}
    return whole | inner


def _whole(annotations: FaceRecords, predictions: Predictions) -> dict[str, np.ndarray]:
    check_points(annotations, predictions, NUM_LANDMARKS, "AFLW2000-3D")
    size = bounding_box_size(annotations.points)
    return {name: nme(points, annotations.points, size) for name, points in predictions.outputs.items()}


def _inner(annotations: FaceRecords, predictions: Predictions) -> dict[str, np.ndarray]:
    # Named by what stands before the comma, "2D", as long as that tells them apart.
    check_points(annotations, predictions, NUM_LANDMARKS, "AFLW2000-3D")
    size, mask = bounding_box_size(annotations.points), np.isin(np.arange(NUM_LANDMARKS), INNER)
    result: dict[str, np.ndarray] = {}
    seen: list[np.ndarray] = []
    for name, points in predictions.outputs.items():
        if any(np.array_equal(points[:, INNER], other, equal_nan=True) for other in seen):
            continue
        seen.append(points[:, INNER])
        head = name.partition(",")[0]
        result[name if head in result else head] = nme(points, annotations.points, size, mask)
    return result


def _regions(annotations: FaceRecords, predictions: Predictions, yaw: np.ndarray) -> Table:
    size = bounding_box_size(annotations.points)
    rows = []
    for name, points in predictions.outputs.items():
        cells = []
        for region in REGIONS.values():
            mask = np.isin(np.arange(NUM_LANDMARKS), region)
            cells.append(by_yaw(nme(points, annotations.points, size, mask), yaw).mean_of_bins)
        rows.append(Row(predictions.row(name), tuple(cells)))
    return Table(
        "AFLW2000-3D, by region: mean of the yaw bins, NME in percent of sqrt(w h) of the box of all 68 true points",
        tuple(f"{name} ({len(points)})" for name, points in REGIONS.items()),
        tuple(rows),
        (missed_note(predictions),),
    )


def _rows(measured: dict[str, np.ndarray], yaw: np.ndarray, predictions: Predictions) -> list[Row]:
    return [Row(predictions.row(name), by_yaw(values, yaw).cells) for name, values in measured.items()]


def _yaw(annotations: FaceRecords) -> np.ndarray:
    if annotations.yaw is None:
        raise ValueError("AFLW2000-3D's protocol needs the set's angles; read it with read_aflw2000")
    return annotations.yaw
