"""Visibility and expected error on an annotated set: from annotations and predictions to curves, and to tables of them.

A said error is in percent of the face's size as `Face.confidence` defines it: of the box of the 68 *predicted*
landmarks. The measured error is divided by the same size here, not by the protocol's box of the annotated points: a
promise is measured in the unit it was made in, and the annotated box of a half hidden face is a smaller one. NMEs of
the protocols and the measured errors of this file are therefore not the same numbers.
"""

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from rdrface.datasets.records import OCCLUDED, SELF_OCCLUDED, UNKNOWN, VISIBLE, FaceRecords
from rdrface.evaluation.metrics.errors import mean_known
from rdrface.evaluation.metrics.uncertainty import (
    UNCERTAINTY_EDGES,
    VISIBILITY_EDGES,
    Reliability,
    RocCurve,
    reliability,
    risk_coverage,
    roc_curve,
)
from rdrface.evaluation.predictions.predictions import Predictions
from rdrface.evaluation.tables.tables import Row, Table

HIDDEN = {
    "hidden by the head": (SELF_OCCLUDED,),
    "occluded by something": (OCCLUDED,),
    "hidden by either": (SELF_OCCLUDED, OCCLUDED),
}
"""Kind of hiding -> the states of the points, each told from the visible ones."""

COVERAGES = (100, 95, 90, 80, 70, 50, 30, 10)
"""Percent of the points or faces whose risk is printed, the surest."""


@dataclass(frozen=True)
class Certainty:
    """What certainty is worth on one set.

    Attributes:
        roc: kind of hiding (`HIDDEN`) -> the curve of `visible` for visible points against such.
        visible: said probability against the share of visible points.
        error: said error against measured error, percent of the face's size.
        unshifted: the same with the labels' own shift taken from the labels.
        coverages: (100,) shares of the points or faces that are kept, from 0.01 to 1.
        points: (100,) mean measured error of the surest such share of the points.
        faces: the same of the faces, by the mean said error of their 68 points.
        best: of the faces again, in the best order there is: by the measured error itself.
    """

    roc: dict[str, RocCurve]
    visible: Reliability
    error: Reliability
    unshifted: Reliability
    coverages: np.ndarray
    points: np.ndarray
    faces: np.ndarray
    best: np.ndarray


def measured_error(annotations: FaceRecords, predictions: Predictions) -> np.ndarray:
    """(N, 68) distance of S_K from the label in percent of `Predictions.size`; NaN where there is no position, or no
    face. Points behind an occluder have a position and count."""
    distance = np.linalg.norm(predictions.landmarks - annotations.points, axis=-1)
    return 100 * distance / predictions.size[:, None]


def measure_certainty(annotations: FaceRecords, predictions: Predictions, shift: np.ndarray) -> Certainty:
    """All of `Certainty`.

    Args:
        annotations: N annotated faces; points of unknown state say nothing about visibility.
        predictions: for them, in the same order.
        shift: (2,) photo pixels by which all labels lie beside the photos (`rdrface.evaluation.metrics.annotation_offset`).

    Raises:
        ValueError: the predictions say nothing of visibility or of their errors.
    """
    if predictions.visibility is None or predictions.uncertainty is None:
        raise ValueError(f"{predictions.method} says nothing of visibility, or of its own errors")
    visible, error = predictions.visibility, predictions.uncertainty
    placed = np.isfinite(visible)

    def curve(states: tuple[int, ...]) -> RocCurve:
        chosen = placed & np.isin(annotations.state, (VISIBLE, *states))
        return roc_curve(visible[chosen], annotations.state[chosen] == VISIBLE)

    known = placed & (annotations.state != UNKNOWN)
    measured = measured_error(annotations, predictions)
    moved = replace(annotations, points=annotations.points - shift)
    per_face = mean_known(measured, 1)
    coverages = np.arange(1, 101) / 100
    return Certainty(
        roc={name: curve(states) for name, states in HIDDEN.items()},
        visible=reliability(visible[known], annotations.state[known] == VISIBLE, VISIBILITY_EDGES),
        error=reliability(error.ravel(), measured.ravel(), UNCERTAINTY_EDGES),
        unshifted=reliability(error.ravel(), measured_error(moved, predictions).ravel(), UNCERTAINTY_EDGES),
        coverages=coverages,
        points=risk_coverage(error.ravel(), measured.ravel(), coverages),
        faces=risk_coverage(error.mean(1), per_face, coverages),
        best=risk_coverage(per_face, per_face, coverages),
    )


def certainty_tables(certainty: Certainty) -> list[Table]:
    """The curves as tables: area under the ROC curve, the two reliabilities, risk against coverage."""
    areas = Table(
        "Visibility: area under the ROC curve of `visible`, in percent (50 is chance, ties count half)",
        ("area", "visible", "hidden"),
        tuple(Row(name, (100 * roc.area, roc.positives, roc.negatives)) for name, roc in certainty.roc.items()),
        ("Columns visible, hidden: points of either kind. Points of all faces together.",),
    )
    return [areas, _visible_table(certainty.visible), _error_table(certainty), _risk_table(certainty)]


def bin_names(edges: np.ndarray, digits: int) -> list[str]:
    """'0.5-1.0', ..., '9.0+'."""
    return [
        f"{low:.{digits}f}-{high:.{digits}f}" if np.isfinite(high) else f"{low:.{digits}f}+"
        for low, high in pairwise(edges)
    ]


def _visible_table(visible: Reliability) -> Table:
    rows = [
        Row(name, (100 * said, 100 * happened, int(count)))
        for name, said, happened, count in zip(
            bin_names(visible.edges, 1),
            visible.predicted.tolist(),
            visible.observed.tolist(),
            visible.count,
            strict=True,
        )
    ]
    return Table(
        "Visibility: said probability against the share of points that are visible, percent",
        ("said", "visible", "points"),
        tuple(rows),
        (f"Expected calibration error: {100 * visible.gap:.2f} percent.",),
    )


def _error_table(certainty: Certainty) -> Table:
    error, unshifted = certainty.error, certainty.unshifted
    rows = [
        Row(name, (error.predicted[i], error.observed[i], unshifted.observed[i], int(error.count[i])))
        for i, name in enumerate(bin_names(error.edges, 1))
    ]
    total = int(error.count.sum())
    overall = (
        _overall(error, error.predicted),
        _overall(error, error.observed),
        _overall(unshifted, unshifted.observed),
    )
    return Table(
        "Expected error: said against measured, mean over points, percent of the face's size",
        ("said", "measured", "shift removed", "points"),
        (*rows, Row("all", (*overall, total))),
        (
            f"Mean gap, weighted by points: {error.gap:.2f}; {unshifted.gap:.2f} with the labels' own shift removed.",
            "Face's size: sqrt(w h) of the box of the predicted landmarks, as Face.confidence has it.",
        ),
    )


def _risk_table(certainty: Certainty) -> Table:
    rows = [
        Row(f"surest {percent} %", (certainty.points[i], certainty.faces[i], certainty.best[i]))
        for percent in COVERAGES
        for i in (percent - 1,)
    ]
    return Table(
        "Risk and coverage: mean measured error of the surest, percent of the face's size",
        ("points", "faces", "faces, best order"),
        tuple(rows),
        ("Faces by the mean said error of their 68 points; best order: sorted by the measured error itself.",),
    )


def _overall(bins: Reliability, means: np.ndarray) -> float:
    filled = bins.count > 0
    return float(np.average(means[filled], weights=bins.count[filled])) if filled.any() else float("nan")
