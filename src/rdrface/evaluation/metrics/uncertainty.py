"""Statistics of predicted visibility and uncertainty: ROC and precision-recall curves, reliability, risk and coverage.

All functions take flat arrays of predicted scores and observed values; `rdrface.evaluation.tables.uncertainty` applies
them to faces.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

VISIBILITY_EDGES = tuple(i / 10 for i in range(11))
"""Edges of ten bins of a predicted probability."""

UNCERTAINTY_EDGES = (0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 9.0, float("inf"))
"""Edges of the bins of a predicted error, percent of the face's size. They are fixed, so that tables of different
weights can be compared."""


@dataclass(frozen=True)
class RocCurve:
    """Receiver operating characteristic of a score (Fawcett, Pattern Recognition Letters 2006).

    Attributes:
        false_positive_rate: (T,) share of the negatives whose score reaches the threshold, increasing from 0 to 1.
        true_positive_rate: (T,) share of the positives whose score reaches the threshold, increasing from 0 to 1.
        area: exact area under the curve: the probability that a positive has a higher score than a negative, where
            ties count half.
        positives, negatives: numbers of cases.
    """

    false_positive_rate: np.ndarray
    true_positive_rate: np.ndarray
    area: float
    positives: int
    negatives: int


@dataclass(frozen=True)
class Reliability:
    """Predicted against observed values, by bins of the predicted value.

    Attributes:
        edges: (n + 1,) edges of the bins. A bin includes its lower edge; the last bin includes both.
        count: (n,) number of cases in each bin.
        predicted: (n,) mean predicted value in each bin; NaN in an empty bin.
        observed: (n,) mean observed value in each bin; NaN in an empty bin.
    """

    edges: np.ndarray
    count: np.ndarray
    predicted: np.ndarray
    observed: np.ndarray

    @property
    def gap(self) -> float:
        """Mean over all cases of |predicted - observed| of their bin; NaN without cases.

        For probabilities this is the expected calibration error (Guo et al., On Calibration of Modern Neural Networks,
        ICML 2017, equation 3).
        """
        filled = self.count > 0
        if not filled.any():
            return float("nan")
        return float(np.average(np.abs(self.predicted - self.observed)[filled], weights=self.count[filled]))


def roc_curve(scores: np.ndarray, positive: np.ndarray) -> RocCurve:
    """ROC curve of a classifier that calls a case positive if its score reaches a threshold.

    Args:
        scores: (n,) finite.
        positive: (n,) bool, the true class.

    Returns:
        One point per distinct score, preceded by the point (0, 0); tied scores form a slanted line. Without positives
        or without negatives, everything except the counts is NaN.

    Raises:
        ValueError: the shapes do not match, or a score is not finite.
    """
    scores, positive = np.asarray(scores, np.float64), np.asarray(positive, bool)
    if scores.shape != positive.shape or scores.ndim != 1:
        raise ValueError(f"scores and positive must both be (n,); got {scores.shape} and {positive.shape}")
    if not np.isfinite(scores).all():
        raise ValueError("a score is not finite; leave out the cases without a score first")
    positives = int(positive.sum())
    negatives = len(positive) - positives
    unknown = np.full(2, np.nan)
    if positives == 0 or negatives == 0:
        return RocCurve(unknown, unknown, float("nan"), positives, negatives)
    true_positives, called = (np.append(0, counts) for counts in _by_threshold(scores, positive))
    false_positives = called - true_positives
    # The trapezoidal rule counts ties half, like the rank statistic (Hanley & McNeil 1982). Integers keep the sum
    # exact; it is twice the area, because half counts are not integers.
    twice = int((np.diff(false_positives) * (true_positives[1:] + true_positives[:-1])).sum())
    area = twice / (2 * positives * negatives)
    return RocCurve(false_positives / negatives, true_positives / positives, area, positives, negatives)


def precision_recall(scores: np.ndarray, positive: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Precision and recall at every distinct score as the threshold, in percent.

    Args:
        scores: (n,) finite.
        positive: (n,) bool, the true class.

    Returns:
        precision (T,) and recall (T,), from the highest threshold to the lowest; recall is NaN without positives.
    """
    true_positives, called = _by_threshold(scores, positive)
    total = int(positive.sum())
    recall = 100 * true_positives / total if total else np.full(len(true_positives), np.nan)
    return 100 * true_positives / called, recall


def _by_threshold(scores: np.ndarray, positive: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    # Numbers of positives and of all cases that reach the threshold, for every distinct score in descending order.
    order = np.argsort(-scores, kind="stable")
    # Last index of each run of equal scores: no threshold separates them.
    ends = np.flatnonzero(np.append(np.diff(scores[order]) != 0, True)) if len(order) else order
    return np.cumsum(positive[order])[ends], ends + 1


def reliability(predicted: np.ndarray, observed: np.ndarray, edges: Sequence[float]) -> Reliability:
    """Compare predicted with observed values in bins of the predicted value.

    Args:
        predicted: (n,) e.g. probabilities, or uncertainties.
        observed: (n,) e.g. 0 or 1, or errors. Cases with NaN in either array are left out.
        edges: increasing edges of the bins; cases outside are put into the first or the last bin.

    Raises:
        ValueError: the shapes do not match, there are fewer than two edges, or they do not increase.
    """
    predicted, observed = np.asarray(predicted, np.float64), np.asarray(observed, np.float64)
    if predicted.shape != observed.shape or predicted.ndim != 1:
        raise ValueError(f"predicted and observed must both be (n,); got {predicted.shape} and {observed.shape}")
    borders = np.asarray(edges, np.float64)
    if len(borders) < 2 or not (np.diff(borders) > 0).all():
        raise ValueError(f"bins need two or more edges in increasing order; got {list(edges)}")
    counted = np.isfinite(predicted) & np.isfinite(observed)
    predicted, observed = predicted[counted], observed[counted]
    index = np.digitize(predicted, borders[1:-1])
    count = np.bincount(index, minlength=len(borders) - 1)

    def mean(values: np.ndarray) -> np.ndarray:
        total = np.bincount(index, weights=values, minlength=len(count))
        means: np.ndarray = np.divide(total, count, out=np.full(len(count), np.nan), where=count > 0)
        return means

    return Reliability(borders, count, mean(predicted), mean(observed))


def risk_coverage(uncertainty: np.ndarray, error: np.ndarray, coverages: Sequence[float] | np.ndarray) -> np.ndarray:
    """Mean error of the most certain share of the cases: the risk-coverage curve (El-Yaniv & Wiener, JMLR 2010).

    Args:
        uncertainty: (n,) predicted errors; the cases with the lowest values are the most certain.
        error: (n,) observed errors. Cases with NaN in either array are left out.
        coverages: shares of the cases to keep, 0..1; at least one case is kept.

    Returns:
        (len(coverages),) mean `error` of the cases kept; NaN without cases.
    """
    uncertainty, error = np.asarray(uncertainty, np.float64), np.asarray(error, np.float64)
    counted = np.isfinite(uncertainty) & np.isfinite(error)
    if not counted.any():
        return np.full(len(coverages), np.nan)
    # A stable sort keeps the order of equally certain cases independent of their errors.
    ordered = error[counted][np.argsort(uncertainty[counted], kind="stable")]
    kept = np.maximum(1, np.rint(np.asarray(coverages) * len(ordered)).astype(int))
    errors: np.ndarray = np.cumsum(ordered)[kept - 1] / kept
    return errors
