"""Curves computed by hand, predictions calibrated by construction, and the tables of a set."""

from dataclasses import replace

import numpy as np
import pytest

from rdrface.datasets.records import FaceRecords
from rdrface.evaluation.metrics.uncertainty import (
    UNCERTAINTY_EDGES,
    VISIBILITY_EDGES,
    precision_recall,
    reliability,
    risk_coverage,
    roc_curve,
)
from rdrface.evaluation.predictions.predictions import Predictions
from rdrface.evaluation.protocols import merl_rav
from rdrface.evaluation.tables.tables import Table
from rdrface.evaluation.tables.uncertainty import bin_names, certainty_tables, measure_certainty, measured_error


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
    with pytest.raises(ValueError, match="rising order"):
        reliability(np.ones(2), np.ones(2), (0, 0, 1))


def test_calibrated_predictions_have_no_gap_and_others_have() -> None:
    rng = np.random.default_rng(1)
    probability = rng.random(200_000)
    seen = rng.random(200_000) < probability
    assert reliability(probability, seen, VISIBILITY_EDGES).gap < 0.01
    assert reliability(probability**3, seen, VISIBILITY_EDGES).gap > 0.1
    predicted = rng.lognormal(1, 0.6, 200_000)
    observed = predicted * rng.exponential(1, 200_000)
    assert reliability(predicted, observed, UNCERTAINTY_EDGES).gap < 0.05
    assert reliability(predicted / 2, observed, UNCERTAINTY_EDGES).gap == pytest.approx(predicted.mean() / 2, rel=0.05)


def test_risk_coverage_of_a_small_example() -> None:
    error = np.array([4.0, 1.0, np.nan, 3.0, 2.0])
    np.testing.assert_allclose(risk_coverage(error, error, (1.0, 0.5, 0.01)), [2.5, 1.5, 1.0])
    np.testing.assert_allclose(risk_coverage(-error, error, (1.0, 0.5, 0.25)), [2.5, 3.5, 4.0])
    assert np.isnan(risk_coverage(np.array([np.nan]), np.array([1.0]), (1.0,))).all()


def test_names_of_bins() -> None:
    assert bin_names(np.array([0, 0.5, np.inf]), 1) == ["0.0-0.5", "0.5+"]


def test_tied_scores_share_one_threshold_in_precision_and_recall() -> None:
    precision, recall = precision_recall(np.array([0.9, 0.5, 0.5, 0.1]), np.array([True, True, False, True]))
    np.testing.assert_allclose(precision, [100, 200 / 3, 75])
    np.testing.assert_allclose(recall, [100 / 3, 200 / 3, 100])


SIZE = 100.0


def annotated(count: int = 200) -> tuple[FaceRecords, Predictions]:
    """Faces with calibrated predictions; the box is 100 x 100 px, so that 1 px is 1 %."""
    rng = np.random.default_rng(2)
    truth = rng.uniform(20, 80, (count, 68, 2))
    truth[:, 0], truth[:, 1] = (0, 0), (SIZE, SIZE)
    uncertainty = rng.uniform(0.6, 8, (count, 68))
    length, angle = uncertainty * rng.exponential(1, uncertainty.shape), rng.uniform(0, 2 * np.pi, uncertainty.shape)
    visible = rng.choice([0.05, 0.35, 0.65, 0.95], (count, 68))
    seen = rng.random((count, 68)) < visible
    state = np.where(seen, 1, rng.choice([2, 3], (count, 68)))
    moved = truth + length[..., None] * np.stack([np.cos(angle), np.sin(angle)], -1)
    moved[:, :2], uncertainty[:, :2] = truth[:, :2], 0.0  # the corners of the box are certain
    labels = np.where((state == 3)[..., None], np.nan, truth)
    labels[:, :2] = truth[:, :2]
    faces = FaceRecords(
        image=np.array([f"{i}.jpg" for i in range(count)]),
        points=labels,
        state=state,
        box=np.tile([0, 0, SIZE, SIZE], (count, 1)),
        source=np.full(count, "merl_rav/frontal/testset"),
        is_test=np.ones(count, bool),
    )
    return faces, Predictions(
        {"2D, outline": moved, "3D, outline": moved.copy()}, visibility=visible, uncertainty=uncertainty
    )


def cells(table: Table, name: str) -> dict[str, object]:
    return next(dict(zip(table.columns, row.cells, strict=True)) for row in table.rows if row.name == name)


def test_tables_of_calibrated_predictions() -> None:
    faces, predictions = annotated()
    predictions.visibility[0] = predictions.landmarks[0] = predictions.uncertainty[0] = np.nan  # not found
    certainty = measure_certainty(faces, predictions, np.zeros(2))
    assert certainty.visible.gap < 0.02
    assert certainty.error.gap < 0.3 and certainty.error.observed[-2] == pytest.approx(7, abs=0.5)
    assert certainty.points[9] < 0.35 * certainty.points[-1]
    assert (certainty.best <= certainty.faces + 1e-9).all() and certainty.best[-1] == pytest.approx(certainty.faces[-1])
    states = faces.state[1:]
    assert certainty.roc["hidden by the head"].negatives == (states == 3).sum()
    assert certainty.visible.count.sum() == 199 * 68
    # Self-occluded points have no position, hence no error.
    assert certainty.error.count.sum() == np.isfinite(faces.points[1:, :, 0]).sum()
    areas, visible, error, risk = certainty_tables(certainty)
    assert cells(areas, "hidden by the head")["area"] == 100 * certainty.roc["hidden by the head"].area
    assert cells(visible, "0.9-1.0")["said"] == pytest.approx(95)
    assert cells(error, "all")["said"] == pytest.approx(cells(error, "all")["measured"], rel=0.05)
    assert cells(risk, "surest 10 %")["points"] == certainty.points[9]


def test_observed_error_is_in_percent_of_the_predicted_box() -> None:
    faces, predictions = annotated(3)
    predictions.landmarks[:] = 2 * np.nan_to_num(faces.points, nan=50.0)
    expected = np.linalg.norm(faces.points[1, 10]) / 2
    assert measured_error(faces, predictions)[1, 10] == pytest.approx(expected, rel=1e-5, nan_ok=True)


def test_constant_annotation_offset_is_measured_and_removed() -> None:
    faces, predictions = annotated()
    # The errors are small compared with the offset.
    predictions.landmarks[:] = np.nan_to_num(faces.points, nan=50.0) + np.random.default_rng(3).normal(
        0, 0.05, faces.points.shape
    )
    shifted = replace(faces, points=faces.points + np.array([0.9, -0.4], np.float32))
    table, *others = merl_rav.tables(shifted, predictions)
    error = next(other for other in others if other.title.startswith("Expected error"))
    assert cells(table, "all")["visible"] == pytest.approx(np.hypot(0.9, 0.4), abs=0.02)
    removed = cells(table, "all, labels' own shift removed")
    assert removed["visible"] == pytest.approx(0.05 * np.sqrt(np.pi / 2), abs=0.01)
    assert removed["all known"] == pytest.approx(0.05 * np.sqrt(np.pi / 2), abs=0.01)
    assert "(+0.90, -0.40) photo pixels" in table.to_text() and "200 faces" in table.to_text()
    assert cells(error, "all")["measured"] == pytest.approx(np.hypot(0.9, 0.4), abs=0.02)
    assert cells(error, "all")["shift removed"] < 0.08


def test_tables_without_found_faces_have_dashes() -> None:
    faces, _ = annotated(3)
    nothing = np.full((3, 68), np.nan)
    lost = Predictions({"2D, outline": np.full((3, 68, 2), np.nan)}, visibility=nothing, uncertainty=nothing)
    text = "\n".join(table.to_text() for table in merl_rav.tables(faces, lost))
    assert "3 of 3 faces were not found" in text
    assert np.isnan(measure_certainty(faces, lost, np.zeros(2)).error.gap)
    with pytest.raises(ValueError, match="says nothing"):
        measure_certainty(faces, Predictions(lost.outputs), np.zeros(2))
