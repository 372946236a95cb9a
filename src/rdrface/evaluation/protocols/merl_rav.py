"""MERL-RAV: 68 points of AFLW faces up to full profile, each visible, externally occluded or self-occluded."""

from dataclasses import replace

import numpy as np

from rdrface.datasets.records import OCCLUDED, SELF_OCCLUDED, UNKNOWN, VISIBLE, FaceRecords
from rdrface.evaluation.metrics.annotation_offset import AnnotationOffset, median_offset, offsets_by_face
from rdrface.evaluation.metrics.errors import bounding_box_size, by_yaw, mean_of_counted, nme
from rdrface.evaluation.predictions.predictions import Predictions
from rdrface.evaluation.protocols import aflw
from rdrface.evaluation.protocols.notes import BINS, check_points, faces_row, missed_note
from rdrface.evaluation.tables.tables import Row, Table
from rdrface.evaluation.tables.uncertainty import certainty_tables, measure_certainty
from rdrface.landmarks import NUM_LANDMARKS


def tables(annotations: FaceRecords, predictions: Predictions) -> list[Table]:
    """MERL-RAV (Kumar et al., CVPR 2020): by side of the head and by visibility of the points.

    Points: all with a position. Normalizer: sqrt(w h) of the box of all points that have a position. Self-occluded
    points have none and are never counted. One more row has the labels' own shift removed, the one constant by which
    all of them lie beside the photos; the others measure the labels as they are. With angles (the set has none: see
    `rdrface evaluate --poses`) also by |yaw|. What the predictions say of visibility and of their own errors is judged
    where they say it. Last, the 21 and 34 points of AFLW as far as the 68 hold them.

    Raises:
        ValueError: not 68 points.
    """
    columns = errors(annotations, predictions)
    side = np.array([name.split("/")[1] if "/" in name else name for name in annotations.source.tolist()])
    groups = [(name, side == name) for name in dict.fromkeys(side.tolist())] + [("all", np.ones(len(side), bool))]
    rows = [
        Row(name, (*(mean_of_counted(values[group]) for values in columns.values()), int(group.sum())))
        for name, group in groups
    ]
    measured = shift(annotations, predictions)
    # With no face found there is nothing to remove.
    offset = np.nan_to_num(measured.offset)
    moved = errors(replace(annotations, points=annotations.points - offset), predictions)
    cells = (*(mean_of_counted(values) for values in moved.values()), len(annotations))
    rows.append(Row("all, labels' own shift removed", cells))
    by_side = Table(
        f"MERL-RAV: NME in percent of sqrt(w h) of the box of the points with a position, {predictions.method}",
        (*columns, "faces"),
        tuple(rows),
        (
            f"Labels' own shift: ({offset[0]:+.2f}, {offset[1]:+.2f}) photo pixels, x to the right, y down: the median",
            f"over {measured.faces} faces of label - prediction of the visible inner points. One constant, found with",
            "the very predictions it judges, and removed from the labels in that row only.",
            missed_note(predictions),
        ),
    )
    result = [by_side]
    if annotations.yaw is not None:
        result.append(_by_yaw(columns, annotations.yaw, predictions))
    if predictions.visibility is not None:
        result.append(visibility(annotations, predictions))
        if predictions.uncertainty is not None:
            result += certainty_tables(measure_certainty(annotations, predictions, offset))
    return [*result, *aflw.tables_on_merl_rav(annotations, predictions)]


def errors(annotations: FaceRecords, predictions: Predictions) -> dict[str, np.ndarray]:
    """Column of the table -> (N,) NME of every face, percent; NaN where a face has no such point.

    Outputs of the visible outline only: the first with all columns, the others for the visible and for all points.
    """
    check_points(annotations, predictions, NUM_LANDMARKS, "MERL-RAV")
    truth = annotations.points
    size = bounding_box_size(truth)
    seen, occluded = annotations.state == VISIBLE, annotations.state == OCCLUDED
    result = {}
    for i, (name, points) in enumerate(predictions.outlines.items()):
        head = "" if i == 0 else f"{name.partition(',')[0]}, "
        result[f"{head}visible"] = nme(points, truth, size, seen)
        if i == 0:
            result["occluded"] = nme(points, truth, size, occluded)
        result[f"{head}all known"] = nme(points, truth, size)
    return result


def shift(annotations: FaceRecords, predictions: Predictions) -> AnnotationOffset:
    """By how many photo pixels the set's labels lie beside the predictions, at the visible inner points."""
    return median_offset(offsets_by_face(annotations.points, predictions.landmarks, annotations.state == VISIBLE))


def visibility(annotations: FaceRecords, predictions: Predictions) -> Table:
    """How well hidden points are told from visible ones, at probability 0.5; unknown states are not counted.

    Raises:
        ValueError: the predictions say nothing of visibility.
    """
    if predictions.visibility is None:
        raise ValueError(f"{predictions.method} says nothing of visibility")
    known = (annotations.state != UNKNOWN) & predictions.found[:, None]
    said = np.nan_to_num(predictions.visibility) > 0.5
    rows = []
    for name, state in (
        ("visible", VISIBLE),
        ("occluded by something", OCCLUDED),
        ("hidden by the head", SELF_OCCLUDED),
    ):
        group = known & (annotations.state == state)
        right = said == (state == VISIBLE)
        rows.append(Row(name, (100 * mean_of_counted(right[group].astype(np.float64)), int(group.sum()))))
    return Table("Visibility: percent of the points that are told rightly", ("percent", "points"), tuple(rows))


def _by_yaw(columns: dict[str, np.ndarray], yaw: np.ndarray, predictions: Predictions) -> Table:
    known = np.isfinite(yaw)
    rows = [Row(name, by_yaw(values[known], yaw[known]).cells) for name, values in columns.items()]
    return Table(
        f"MERL-RAV, by |yaw| in degrees of the fitted face: NME in percent as above, {predictions.method}",
        BINS,
        (*rows, faces_row(predictions, yaw)),
        (f"{int((~known).sum())} faces have no fitted yaw.", missed_note(predictions)),
    )
