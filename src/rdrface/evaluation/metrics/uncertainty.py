"""Is what the network says of its own certainty true? Curves and numbers; `certainty_tables` prints them.

Pure statistics of flat arrays: scores and what happened. Nothing here knows of faces.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

VISIBLE_EDGES = tuple(i / 10 for i in range(11))
"""Ten bins of a said probability."""

ERROR_EDGES = (0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 9.0, float("inf"))
"""Bins of a said error, percent of the face's size: fixed, so that tables of different weights can be compared."""


@dataclass(frozen=True)
class RocCurve:
    """Receiver operating characteristic of a score (Fawcett, Pattern Recognition Letters 2006).

    Attributes:
        false_rate: (T,) share of the negatives whose score is at least the threshold, rising from 0 to 1.
        true_rate: (T,) the same of the positives.
        area: under the curve, exact: the probability that a positive scores higher than a negative, ties counted half.
        positives, negatives: how many there were.
    """

    false_rate: np.ndarray
    true_rate: np.ndarray
    area: float
    positives: int
    negatives: int


@dataclass(frozen=True)
class Reliability:
    """What was said against what happened, by bins of what was said.

    Attributes:
        edges: (n + 1,) of the bins; a bin holds its lower edge, the last both.
        count: (n,) cases in each bin.
        said: (n,) mean of what was said there; NaN in an empty bin.
        happened: (n,) mean of what happened there; NaN in an empty bin.
    """

    edges: np.ndarray
    count: np.ndarray
    said: np.ndarray
    happened: np.ndarray

    @property
    def gap(self) -> float:
        """Mean over the cases of |said - happened| of their bin: for probabilities the expected calibration error (Guo
        et al., On Calibration of Modern Neural Networks, ICML 2017, equation 3). NaN without cases."""
        filled = self.count > 0
        if not filled.any():
            return float("nan")
        return float(np.average(np.abs(self.said - self.happened)[filled], weights=self.count[filled]))


def roc_curve(scores: np.ndarray, positive: np.ndarray) -> RocCurve:
    """The ROC curve of telling positives by a high score.

    Args:
        scores: (n,) finite.
        positive: (n,) bool.

    Returns:
        One point per distinct score, after the point (0, 0), so that ties are a slanted line as they should be. All NaN
        but the counts when there are no positives or no negatives.
    """
    scores, positive = np.asarray(scores, np.float64), np.asarray(positive, bool)
    if scores.shape != positive.shape or scores.ndim != 1:
        raise ValueError(f"scores and positive must both be (n,); got {scores.shape} and {positive.shape}")
    if not np.isfinite(scores).all():
        raise ValueError("a score is not finite; leave out the cases without a score first")
    positives = int(positive.sum())
    negatives = len(positive) - positives
    nothing = np.full(2, np.nan)
    if positives == 0 or negatives == 0:
        return RocCurve(nothing, nothing, float("nan"), positives, negatives)
    hits, called = (np.append(0, counts) for counts in _by_threshold(scores, positive))
    alarms = called - hits
    # Trapezia over tied runs count ties half: the same number as the rank statistic (Hanley & McNeil 1982). In
    # integers, hence exact; twice the area, so that the half does not leave them.
    twice = int((np.diff(alarms) * (hits[1:] + hits[:-1])).sum())
    area = twice / (2 * positives * negatives)
    return RocCurve(alarms / negatives, hits / positives, area, positives, negatives)


def precision_recall(scores: np.ndarray, positive: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Precision and recall, percent, of calling positive what has at least a score, for every distinct score.

    Args:
        scores: (n,) finite.
        positive: (n,) bool.

    Returns:
        precision (T,), recall (T,), from the highest score to the lowest; recall is NaN without positives.
    """
    hits, called = _by_threshold(scores, positive)
    total = int(positive.sum())
    return 100 * hits / called, 100 * hits / total if total else np.full(len(hits), np.nan)


def _by_threshold(scores: np.ndarray, positive: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    # Positives, and cases, with at least a score, for every distinct score from the highest on.
    order = np.argsort(-scores, kind="stable")
    # The last of each run of equal scores: a threshold cannot part them.
    ends = np.flatnonzero(np.append(np.diff(scores[order]) != 0, True)) if len(order) else order
    return np.cumsum(positive[order])[ends], ends + 1


def reliability(said: np.ndarray, happened: np.ndarray, edges: Sequence[float]) -> Reliability:
    """Sort cases into bins of what was said.

    Args:
        said: (n,) e.g. a probability, or an expected error.
        happened: (n,) e.g. 0 or 1, or the error. Cases where either is NaN are left out.
        edges: rising; cases outside are put into the first or last bin.
    """
    said, happened = np.asarray(said, np.float64), np.asarray(happened, np.float64)
    if said.shape != happened.shape or said.ndim != 1:
        raise ValueError(f"said and happened must both be (n,); got {said.shape} and {happened.shape}")
    borders = np.asarray(edges, np.float64)
    if len(borders) < 2 or not (np.diff(borders) > 0).all():
        raise ValueError(f"the edges of the bins must rise, and be two or more; got {list(edges)}")
    counted = np.isfinite(said) & np.isfinite(happened)
    said, happened = said[counted], happened[counted]
    index = np.digitize(said, borders[1:-1])
    count = np.bincount(index, minlength=len(borders) - 1)

    def mean(values: np.ndarray) -> np.ndarray:
        total = np.bincount(index, weights=values, minlength=len(count))
        return np.divide(total, count, out=np.full(len(count), np.nan), where=count > 0)

    return Reliability(borders, count, mean(said), mean(happened))


def risk_coverage(said: np.ndarray, happened: np.ndarray, coverages: Sequence[float] | np.ndarray) -> np.ndarray:
    """Mean error of the surest share of the cases (El-Yaniv & Wiener, JMLR 2010, call it the risk-coverage curve).

    Args:
        said: (n,) expected errors; the lowest are the surest.
        happened: (n,) errors. Cases where either is NaN are left out.
        coverages: shares to keep, 0..1; at least one case is.

    Returns:
        (len(coverages),) mean of `happened` over the cases that are kept; NaN without cases.
    """
    said, happened = np.asarray(said, np.float64), np.asarray(happened, np.float64)
    counted = np.isfinite(said) & np.isfinite(happened)
    if not counted.any():
        return np.full(len(coverages), np.nan)
    # stable: cases said to be equally sure stay in their order, whatever their error.
    ordered = happened[counted][np.argsort(said[counted], kind="stable")]
    kept = np.maximum(1, np.rint(np.asarray(coverages) * len(ordered)).astype(int))
    return np.cumsum(ordered)[kept - 1] / kept
