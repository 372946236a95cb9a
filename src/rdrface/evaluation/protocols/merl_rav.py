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
from rdrface.evaluation.tables.uncertainty import uncertainty_figures, uncertainty_tables
from rdrface.landmarks import NUM_LANDMARKS


def tables(annotations: FaceRecords, predictions: Predictions) -> list[Table]:
    """MERL-RAV (Kumar et al., CVPR 2020): NME by side of the head and by visibility of the points.

    Points: all annotated ones; self-occluded points have no position and are never counted. Normalizer: sqrt(w h) of
    the box of all annotated points. The last row has the annotation offset removed, the constant offset between the
    annotations and the images; the other rows use the annotations unchanged. A table by |yaw| is added when the
    annotations have angles (the dataset has none: see `rdrface evaluate --poses`). Tables of visibility and uncertainty
    are added when the predictions have them. The last table is for AFLW's 21 and 34 points, as far as they can be
    derived from the 68.

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
    estimate = annotation_offset(annotations, predictions)
    # The offset is NaN when no face was found.
    offset = np.nan_to_num(estimate.offset)
    without_offset = errors(replace(annotations, points=annotations.points - offset), predictions)
    cells = (*(mean_of_counted(values) for values in without_offset.values()), len(annotations))
    rows.append(Row("all, annotation offset removed", cells))
    by_side = Table(
        f"MERL-RAV: NME in percent of sqrt(w h) of the box of the annotated points, {predictions.method}",
        (*columns, "faces"),
        tuple(rows),
        (
            f"Annotation offset: ({offset[0]:+.2f}, {offset[1]:+.2f}) pixels, x to the right, y down; median over "
            f"{estimate.faces} faces",
            "of annotation - prediction, visible inner points. One constant for all faces, estimated from the",
            "evaluated predictions and removed in the last row only.",
            missed_note(predictions),
        ),
    )
    result = [by_side]
    if annotations.yaw is not None:
        result.append(_by_yaw(columns, annotations.yaw, predictions))
    if predictions.visibility is not None:
        result.append(visibility(annotations, predictions))
        if predictions.uncertainty is not None:
            result += uncertainty_tables(uncertainty_figures(annotations, predictions, offset))
    return [*result, *aflw.tables_on_merl_rav(annotations, predictions)]


def errors(annotations: FaceRecords, predictions: Predictions) -> dict[str, np.ndarray]:
    """Column of the table -> (N,) NME of every face, percent; NaN where a face has no such point.

    Only outputs on the visible outline: the first with all columns, the others for visible and for all points.
    """
    check_points(annotations, predictions, NUM_LANDMARKS, "MERL-RAV")
    truth = annotations.points
    size = bounding_box_size(truth)
    visible, occluded = annotations.state == VISIBLE, annotations.state == OCCLUDED
    result = {}
    for i, (name, points) in enumerate(predictions.outlines.items()):
        head = "" if i == 0 else f"{name}, "
        result[f"{head}visible"] = nme(points, truth, size, visible)
        if i == 0:
            result["occluded"] = nme(points, truth, size, occluded)
        result[f"{head}all annotated"] = nme(points, truth, size)
    return result


def annotation_offset(annotations: FaceRecords, predictions: Predictions) -> AnnotationOffset:
    """Median offset between the annotations and the predictions, image pixels, over the visible inner points."""
    return median_offset(offsets_by_face(annotations.points, predictions.landmarks, annotations.state == VISIBLE))


def visibility(annotations: FaceRecords, predictions: Predictions) -> Table:
    """Accuracy of the predicted visibility at probability 0.5; points of unknown state are not counted.

    Raises:
        ValueError: the predictions have no visibility.
    """
    if predictions.visibility is None:
        raise ValueError(f"the predictions of {predictions.method} have no visibility")
    known = (annotations.state != UNKNOWN) & predictions.found[:, None]
    predicted = np.nan_to_num(predictions.visibility) > 0.5
    rows = []
    for name, state in (
        ("visible", VISIBLE),
        ("externally occluded", OCCLUDED),
        ("self-occluded", SELF_OCCLUDED),
    ):
        group = known & (annotations.state == state)
        correct = predicted == (state == VISIBLE)
        rows.append(Row(name, (100 * mean_of_counted(correct[group].astype(np.float64)), int(group.sum()))))
    return Table("Visibility: accuracy at probability 0.5, percent", ("accuracy", "points"), tuple(rows))


def _by_yaw(columns: dict[str, np.ndarray], yaw: np.ndarray, predictions: Predictions) -> Table:
    known = np.isfinite(yaw)
    rows = [Row(name, by_yaw(values[known], yaw[known]).cells) for name, values in columns.items()]
    return Table(
        f"MERL-RAV, by |yaw| of the fitted face, degrees: NME in percent as above, {predictions.method}",
        BINS,
        (*rows, faces_row(predictions, yaw)),
        (f"{int((~known).sum())} faces have no fitted yaw.", missed_note(predictions)),
    )
