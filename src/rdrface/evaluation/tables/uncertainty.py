"""Quality of the predicted visibility and uncertainty on an annotated set: curves, and tables of them.

A predicted error (`Face.uncertainty`) is in percent of the face size: sqrt(w h) of the box of the 68 *predicted*
landmarks. Observed errors are divided by the same size here, not by the protocol's box of the annotated points, which
is smaller where points of a face have no annotated position. The observed errors of this file therefore differ from the
NMEs of the protocols.
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

OCCLUSIONS = {
    "self-occluded": (SELF_OCCLUDED,),
    "externally occluded": (OCCLUDED,),
    "either": (SELF_OCCLUDED, OCCLUDED),
}
"""Kind of occlusion -> states of its points; each kind is compared with the visible points."""

COVERAGES = (100, 95, 90, 80, 70, 50, 30, 10)
"""Percent of the points or faces that are kept in the rows of the risk table, the most certain first."""


@dataclass(frozen=True)
class UncertaintyFigures:
    """Curves of the predicted visibility and uncertainty on one set.

    Attributes:
        roc: kind of occlusion (`OCCLUSIONS`) -> ROC curve of the visibility, visible points against these.
        visibility: predicted probability and observed share of visible points.
        error: predicted and observed error, percent of the face size.
        error_offset_removed: the same with the annotation offset subtracted from the annotations.
        coverages: (100,) shares of the points or faces that are kept, 0.01 to 1.
        point_risk: (100,) mean observed error of the most certain share of the points.
        face_risk: (100,) mean observed error of the most certain share of the faces, ordered by the mean uncertainty of
            their 68 points.
        oracle_risk: (100,) the same for faces ordered by their observed error, the lower bound of `face_risk`.
    """

    roc: dict[str, RocCurve]
    visibility: Reliability
    error: Reliability
    error_offset_removed: Reliability
    coverages: np.ndarray
    point_risk: np.ndarray
    face_risk: np.ndarray
    oracle_risk: np.ndarray


def observed_error(annotations: FaceRecords, predictions: Predictions) -> np.ndarray:
    """(N, 68) distance of S_K from the annotation, in percent of `Predictions.size`.

    NaN where there is no annotated position or no predicted face. Externally occluded points have a position and count.
    """
    distance = np.linalg.norm(predictions.landmarks - annotations.points, axis=-1)
    error: np.ndarray = 100 * distance / predictions.size[:, None]
    return error


def uncertainty_figures(annotations: FaceRecords, predictions: Predictions, offset: np.ndarray) -> UncertaintyFigures:
    """Compute the curves of one set.

    Args:
        annotations: N annotated faces; points of unknown state are left out of the visibility curves.
        predictions: of the same faces, in the same order.
        offset: (2,) image pixels, annotation offset of the set (`rdrface.evaluation.metrics.annotation_offset`).

    Raises:
        ValueError: the predictions have no visibility or no uncertainty.
    """
    if predictions.visibility is None or predictions.uncertainty is None:
        raise ValueError(f"{predictions.method} has no visibility or no uncertainty; both are needed")
    visibility, uncertainty = predictions.visibility, predictions.uncertainty
    placed = np.isfinite(visibility)

    def curve(states: tuple[int, ...]) -> RocCurve:
        compared = placed & np.isin(annotations.state, (VISIBLE, *states))
        return roc_curve(visibility[compared], annotations.state[compared] == VISIBLE)

    known = placed & (annotations.state != UNKNOWN)
    observed = observed_error(annotations, predictions)
    without_offset = replace(annotations, points=annotations.points - offset)
    per_face = mean_known(observed, 1)
    coverages = np.arange(1, 101) / 100
    return UncertaintyFigures(
        roc={name: curve(states) for name, states in OCCLUSIONS.items()},
        visibility=reliability(visibility[known], annotations.state[known] == VISIBLE, VISIBILITY_EDGES),
        error=reliability(uncertainty.ravel(), observed.ravel(), UNCERTAINTY_EDGES),
        error_offset_removed=reliability(
            uncertainty.ravel(), observed_error(without_offset, predictions).ravel(), UNCERTAINTY_EDGES
        ),
        coverages=coverages,
        point_risk=risk_coverage(uncertainty.ravel(), observed.ravel(), coverages),
        face_risk=risk_coverage(uncertainty.mean(1), per_face, coverages),
        oracle_risk=risk_coverage(per_face, per_face, coverages),
    )


def uncertainty_tables(figures: UncertaintyFigures) -> list[Table]:
    """Area under the ROC curve, reliability of visibility and of uncertainty, and risk against coverage."""
    areas = Table(
        "Visibility: area under the ROC curve, percent (chance: 50)",
        ("area", "visible", "occluded"),
        tuple(Row(name, (100 * roc.area, roc.positives, roc.negatives)) for name, roc in figures.roc.items()),
        ("Columns visible and occluded: number of points, over all faces. Ties count half.",),
    )
    return [areas, _visibility_table(figures.visibility), _error_table(figures), _risk_table(figures)]


def bin_names(edges: np.ndarray, digits: int) -> list[str]:
    """Names of the K bins between edges (K + 1,): '0.5-1.0', ..., '9.0+'."""
    return [
        f"{low:.{digits}f}-{high:.{digits}f}" if np.isfinite(high) else f"{low:.{digits}f}+"
        for low, high in pairwise(edges)
    ]


def _visibility_table(visibility: Reliability) -> Table:
    bins = zip(
        bin_names(visibility.edges, 1),
        visibility.predicted.tolist(),
        visibility.observed.tolist(),
        visibility.count,
        strict=True,
    )
    return Table(
        "Visibility: predicted probability and observed share of visible points, percent",
        ("predicted", "observed", "points"),
        tuple(Row(name, (100 * predicted, 100 * observed, int(count))) for name, predicted, observed, count in bins),
        (f"Expected calibration error: {100 * visibility.gap:.2f} percent.",),
    )


def _error_table(figures: UncertaintyFigures) -> Table:
    error, without_offset = figures.error, figures.error_offset_removed
    rows = [
        Row(name, (error.predicted[i], error.observed[i], without_offset.observed[i], int(error.count[i])))
        for i, name in enumerate(bin_names(error.edges, 1))
    ]
    overall = (
        _overall(error, error.predicted),
        _overall(error, error.observed),
        _overall(without_offset, without_offset.observed),
        int(error.count.sum()),
    )
    return Table(
        "Uncertainty: predicted and observed error, mean over points, percent of the face size",
        ("predicted", "observed", "offset removed", "points"),
        (*rows, Row("all", overall)),
        (
            f"Mean calibration error, weighted by points: {error.gap:.2f}; with the annotation offset removed: "
            f"{without_offset.gap:.2f}.",
            "Face size: sqrt(w h) of the box of the predicted landmarks.",
        ),
    )


def _risk_table(figures: UncertaintyFigures) -> Table:
    rows = [
        Row(f"most certain {percent} %", (figures.point_risk[i], figures.face_risk[i], figures.oracle_risk[i]))
        for percent in COVERAGES
        for i in (percent - 1,)
    ]
    return Table(
        "Risk and coverage: mean observed error of the most certain points and faces, percent of the face size",
        ("points", "faces", "faces, ideal order"),
        tuple(rows),
        ("Faces are ordered by the mean uncertainty of their 68 points; ideal order: by the observed error itself.",),
    )


def _overall(bins: Reliability, means: np.ndarray) -> float:
    filled = bins.count > 0
    return float(np.average(means[filled], weights=bins.count[filled])) if filled.any() else float("nan")
