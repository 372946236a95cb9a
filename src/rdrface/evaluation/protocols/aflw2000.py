"""AFLW2000-3D: 68 points on the absolute jawline and a head pose, faces up to full profile.

Run on 200 of the dataset's 2,000 images (every tenth). Unverified with the second published annotations
(`rdrface evaluate --labels`).
"""

import numpy as np

from rdrface.datasets.records import FaceRecords
from rdrface.evaluation.metrics.errors import bounding_box_size, by_yaw, nme
from rdrface.evaluation.predictions.predictions import Predictions
from rdrface.evaluation.protocols import head_pose
from rdrface.evaluation.protocols.custom_outputs import CUSTOM
from rdrface.evaluation.protocols.notes import BINS, UNVERIFIED, check_points, faces_row, missed_note
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
    Bins by |yaw| of the dataset's fitted pose. The mean in papers is the mean of the three bins; the image mean gives
    all faces the same weight and is lower. Only the jawline outputs follow the dataset's contour convention. The
    outputs on the visible outline are printed too, because the paper compares outline predictions with jawline
    annotations.

    Raises:
        ValueError: not 68 points, or annotations without angles.
    """
    yaw = _yaw(annotations)
    all_points, inner = _all_points(annotations, predictions), _inner(annotations, predictions)
    published_mean = "Published means are means of bins, over all 2,000 images."
    custom = any(name.startswith(CUSTOM) for name in predictions.outputs)
    contour = (
        f"*_jawline{f' and {CUSTOM}' if custom else ''}: contour on the absolute jawline, as annotated. The other "
        "outputs: on the visible outline."
        if any(name.endswith("jawline") for name in predictions.outputs)
        else "The annotated contour is the absolute jawline; compare outline methods by the 51 inner points."
    )
    faces = faces_row(predictions, yaw)
    notes = (missed_note(predictions), *_unverified_note(annotations))
    return [
        Table(
            "AFLW2000-3D, 68 points: NME in percent of sqrt(w h) of the true landmark box, by |yaw| in degrees",
            BINS,
            (*published.AFLW2000_68, *_rows(all_points, yaw, predictions), faces),
            (contour, published_mean, *notes),
        ),
        Table(
            "AFLW2000-3D, 51 inner points: NME in percent of sqrt(w h) of the box of all 68 true points",
            BINS,
            (*published.AFLW2000_INNER, *_rows(inner, yaw, predictions), faces),
            (published_mean, *notes),
        ),
        _regions(annotations, predictions, yaw),
        *([] if predictions.rotation is None else head_pose.tables(annotations, predictions)),
    ]


def errors(annotations: FaceRecords, predictions: Predictions) -> dict[str, np.ndarray]:
    """Output -> (N,) NME of every face, percent: for the 68 points, then as "..., inner 51" for the inner ones.

    Outputs that differ only in the contour share one entry for the inner points.
    """
    all_points = {name or "68 points": values for name, values in _all_points(annotations, predictions).items()}
    inner = {f"{name}, inner 51".lstrip(", "): values for name, values in _inner(annotations, predictions).items()}
    return all_points | inner


def _all_points(annotations: FaceRecords, predictions: Predictions) -> dict[str, np.ndarray]:
    check_points(annotations, predictions, NUM_LANDMARKS, "AFLW2000-3D")
    size = bounding_box_size(annotations.points)
    return {name: nme(points, annotations.points, size) for name, points in predictions.outputs.items()}


def _inner(annotations: FaceRecords, predictions: Predictions) -> dict[str, np.ndarray]:
    # Named without "_jawline", unless two outputs that differ would get the same name.
    check_points(annotations, predictions, NUM_LANDMARKS, "AFLW2000-3D")
    size, mask = bounding_box_size(annotations.points), np.isin(np.arange(NUM_LANDMARKS), INNER)
    result: dict[str, np.ndarray] = {}
    distinct: list[np.ndarray] = []
    for name, points in predictions.outputs.items():
        if any(np.array_equal(points[:, INNER], other, equal_nan=True) for other in distinct):
            continue
        distinct.append(points[:, INNER])
        head = name.removesuffix("_jawline")
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
        (missed_note(predictions), *_unverified_note(annotations)),
    )


def _rows(errors_by_output: dict[str, np.ndarray], yaw: np.ndarray, predictions: Predictions) -> list[Row]:
    return [Row(predictions.row(name), by_yaw(values, yaw).cells) for name, values in errors_by_output.items()]


def _unverified_note(annotations: FaceRecords) -> tuple[str, ...]:
    # The second published annotations of the dataset (`rdrface evaluate --labels`) were not available.
    reannotated = any(source.endswith("/reannotated") for source in annotations.source.tolist())
    return (UNVERIFIED,) if reannotated else ()


def _yaw(annotations: FaceRecords) -> np.ndarray:
    if annotations.yaw is None:
        raise ValueError("the AFLW2000-3D protocol needs annotated angles; read the dataset with read_aflw2000")
    return annotations.yaw
