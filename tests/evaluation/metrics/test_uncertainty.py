"""Curves computed by hand, and predictions calibrated by construction."""

import numpy as np
import pytest

from rdrface.evaluation.metrics.uncertainty import (
    UNCERTAINTY_EDGES,
    VISIBILITY_EDGES,
    precision_recall,
    reliability,
    risk_coverage,
    roc_curve,
)


def pairwise_area(scores: np.ndarray, positive: np.ndarray) -> float:
    """Area by its definition over all pairs."""
    difference = scores[positive][:, None] - scores[~positive][None]
    return float(((difference > 0) + 0.5 * (difference == 0)).mean())


@pytest.mark.parametrize(
    ("scores", "positive", "area"),
    [
        ([0.9, 0.8, 0.2, 0.1], [1, 1, 0, 0], 1.0),
        ([0.9, 0.8, 0.2, 0.1], [0, 0, 1, 1], 0.0),
        ([0.5, 0.5, 0.5, 0.5], [1, 0, 1, 0], 0.5),
        ([0.9, 0.5, 0.5, 0.1], [1, 1, 0, 0], 0.875),
        ([0.9, 0.5, 0.5, 0.5, 0.1], [1, 1, 0, 0, 1], 0.5),
    ],
)
def test_area_of_small_examples(scores: list[float], positive: list[int], area: float) -> None:
    assert roc_curve(np.array(scores), np.array(positive, bool)).area == area


def test_area_equals_the_pairwise_area_and_the_area_under_the_points() -> None:
    rng = np.random.default_rng(0)
    positive = rng.random(300) < 0.3
    scores = np.round(rng.normal(size=300) + positive, 1)  # many ties
    curve = roc_curve(scores, positive)
    assert curve.area == pytest.approx(pairwise_area(scores, positive), abs=1e-12)
    assert np.trapezoid(curve.true_positive_rate, curve.false_positive_rate) == pytest.approx(curve.area)
    assert (
        curve.false_positive_rate[0],
        curve.true_positive_rate[0],
        curve.false_positive_rate[-1],
        curve.true_positive_rate[-1],
    ) == (0, 0, 1, 1)
    assert (np.diff(curve.false_positive_rate) >= 0).all() and (np.diff(curve.true_positive_rate) >= 0).all()
    assert roc_curve(-scores, positive).area == pytest.approx(1 - curve.area)
    assert (curve.positives, curve.negatives) == (positive.sum(), (~positive).sum())


def test_area_without_positives_or_negatives_is_nan() -> None:
    assert np.isnan(roc_curve(np.ones(3), np.ones(3, bool)).area)
    with pytest.raises(ValueError, match="not finite"):
        roc_curve(np.array([1, np.nan]), np.array([True, False]))
    with pytest.raises(ValueError, match="must both be"):
        roc_curve(np.ones(3), np.ones(2, bool))


def test_reliability_of_a_small_example() -> None:
    bins = reliability(np.array([0.05, 0.1, 0.15, 0.95, 1.0, np.nan]), np.array([0, 0, 1, 1, 0, 1]), VISIBILITY_EDGES)
    assert bins.count.tolist() == [1, 2, 0, 0, 0, 0, 0, 0, 0, 2]
    assert bins.predicted[1] == pytest.approx(0.125) and bins.observed[1] == 0.5 and np.isnan(bins.predicted[5])
    assert bins.gap == pytest.approx((0.05 + 2 * 0.375 + 2 * 0.475) / 5)
    assert np.isnan(reliability(np.array([]), np.array([]), VISIBILITY_EDGES).gap)
    with pytest.raises(ValueError, match="increasing order"):
        reliability(np.ones(2), np.ones(2), (0, 0, 1))


def test_only_calibrated_predictions_have_no_gap() -> None:
    rng = np.random.default_rng(1)
    probability = rng.random(200_000)
    visible = rng.random(200_000) < probability
    assert reliability(probability, visible, VISIBILITY_EDGES).gap < 0.01
    assert reliability(probability**3, visible, VISIBILITY_EDGES).gap > 0.1
    predicted = rng.lognormal(1, 0.6, 200_000)
    observed = predicted * rng.exponential(1, 200_000)
    assert reliability(predicted, observed, UNCERTAINTY_EDGES).gap < 0.05
    assert reliability(predicted / 2, observed, UNCERTAINTY_EDGES).gap == pytest.approx(predicted.mean() / 2, rel=0.05)


def test_risk_coverage_of_a_small_example() -> None:
    error = np.array([4.0, 1.0, np.nan, 3.0, 2.0])
    np.testing.assert_allclose(risk_coverage(error, error, (1.0, 0.5, 0.01)), [2.5, 1.5, 1.0])
    np.testing.assert_allclose(risk_coverage(-error, error, (1.0, 0.5, 0.25)), [2.5, 3.5, 4.0])
    assert np.isnan(risk_coverage(np.array([np.nan]), np.array([1.0]), (1.0,))).all()


def test_ties_in_precision_and_recall_are_not_separated() -> None:
    precision, recall = precision_recall(np.array([0.9, 0.5, 0.5, 0.1]), np.array([True, True, False, True]))
    np.testing.assert_allclose(precision, [100, 200 / 3, 75])
    np.testing.assert_allclose(recall, [100 / 3, 200 / 3, 100])
