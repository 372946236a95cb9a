"""Curves by hand, truth told by construction, and the tables of a set."""

from dataclasses import replace

import numpy as np
import pytest

from rdrface.datasets.records import FaceRecords
from rdrface.evaluation.metrics.uncertainty import (
    ERROR_EDGES,
    VISIBLE_EDGES,
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
    """The definition, every pair looked at."""
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
def test_area_by_hand(scores: list[float], positive: list[int], area: float) -> None:
    assert roc_curve(np.array(scores), np.array(positive, bool)).area == area


def test_area_is_that_of_all_pairs_and_of_the_drawn_curve() -> None:
    rng = np.random.default_rng(0)
    positive = rng.random(300) < 0.3
    scores = np.round(rng.normal(size=300) + positive, 1)  # many ties
    curve = roc_curve(scores, positive)
    assert curve.area == pytest.approx(pairwise_area(scores, positive), abs=1e-12)
    assert np.trapezoid(curve.true_rate, curve.false_rate) == pytest.approx(curve.area)
    assert (curve.false_rate[0], curve.true_rate[0], curve.false_rate[-1], curve.true_rate[-1]) == (0, 0, 1, 1)
    assert (np.diff(curve.false_rate) >= 0).all() and (np.diff(curve.true_rate) >= 0).all()
    assert roc_curve(-scores, positive).area == pytest.approx(1 - curve.area)
    assert (curve.positives, curve.negatives) == (positive.sum(), (~positive).sum())


def test_area_without_one_of_the_kinds_is_unknown() -> None:
    assert np.isnan(roc_curve(np.ones(3), np.ones(3, bool)).area)
    with pytest.raises(ValueError, match="not finite"):
        roc_curve(np.array([1, np.nan]), np.array([True, False]))
    with pytest.raises(ValueError, match="must both be"):
        roc_curve(np.ones(3), np.ones(2, bool))


def test_reliability_by_hand() -> None:
    bins = reliability(np.array([0.05, 0.1, 0.15, 0.95, 1.0, np.nan]), np.array([0, 0, 1, 1, 0, 1]), VISIBLE_EDGES)
    assert bins.count.tolist() == [1, 2, 0, 0, 0, 0, 0, 0, 0, 2]
    assert bins.said[1] == pytest.approx(0.125) and bins.happened[1] == 0.5 and np.isnan(bins.said[5])
    assert bins.gap == pytest.approx((0.05 + 2 * 0.375 + 2 * 0.475) / 5)
    assert np.isnan(reliability(np.array([]), np.array([]), VISIBLE_EDGES).gap)
    with pytest.raises(ValueError, match="must rise"):
        reliability(np.ones(2), np.ones(2), (0, 0, 1))


def test_truth_has_no_gap_and_lies_have() -> None:
    rng = np.random.default_rng(1)
    probability = rng.random(200_000)
    seen = rng.random(200_000) < probability
    assert reliability(probability, seen, VISIBLE_EDGES).gap < 0.01
    assert reliability(probability**3, seen, VISIBLE_EDGES).gap > 0.1
    said = rng.lognormal(1, 0.6, 200_000)
    measured = said * rng.exponential(1, 200_000)
    assert reliability(said, measured, ERROR_EDGES).gap < 0.05
    assert reliability(said / 2, measured, ERROR_EDGES).gap == pytest.approx(said.mean() / 2, rel=0.05)


def test_risk_and_coverage() -> None:
    error = np.array([4.0, 1.0, np.nan, 3.0, 2.0])
    np.testing.assert_allclose(risk_coverage(error, error, (1.0, 0.5, 0.01)), [2.5, 1.5, 1.0])
    np.testing.assert_allclose(risk_coverage(-error, error, (1.0, 0.5, 0.25)), [2.5, 3.5, 4.0])
    assert np.isnan(risk_coverage(np.array([np.nan]), np.array([1.0]), (1.0,))).all()


def test_names_of_bins() -> None:
    assert bin_names(np.array([0, 0.5, np.inf]), 1) == ["0.0-0.5", "0.5+"]


def test_ties_in_precision_and_recall_are_not_parted() -> None:
    precision, recall = precision_recall(np.array([0.9, 0.5, 0.5, 0.1]), np.array([True, True, False, True]))
    np.testing.assert_allclose(precision, [100, 200 / 3, 75])
    np.testing.assert_allclose(recall, [100 / 3, 200 / 3, 100])


SIZE = 100.0


def annotated(count: int = 200) -> tuple[FaceRecords, Predictions]:
    """Faces whose predictions are as uncertain as they say; box 100 x 100 px, so a pixel is a percent."""
    rng = np.random.default_rng(2)
    truth = rng.uniform(20, 80, (count, 68, 2))
    truth[:, 0], truth[:, 1] = (0, 0), (SIZE, SIZE)
    said = rng.uniform(0.6, 8, (count, 68))
    length, angle = said * rng.exponential(1, said.shape), rng.uniform(0, 2 * np.pi, said.shape)
    visible = rng.choice([0.05, 0.35, 0.65, 0.95], (count, 68))
    seen = rng.random((count, 68)) < visible
    state = np.where(seen, 1, rng.choice([2, 3], (count, 68)))
    moved = truth + length[..., None] * np.stack([np.cos(angle), np.sin(angle)], -1)
    moved[:, :2], said[:, :2] = truth[:, :2], 0.0  # the box stays, and that is known
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
    return faces, Predictions({"2D, outline": moved, "3D, outline": moved.copy()}, visibility=visible, uncertainty=said)


def cells(table: Table, name: str) -> dict[str, object]:
    return next(dict(zip(table.columns, row.cells, strict=True)) for row in table.rows if row.name == name)


def test_what_is_said_truly_is_measured_so() -> None:
    faces, predictions = annotated()
    predictions.visibility[0] = predictions.landmarks[0] = predictions.uncertainty[0] = np.nan  # not found
    certainty = measure_certainty(faces, predictions, np.zeros(2))
    assert certainty.visible.gap < 0.02
    assert certainty.error.gap < 0.3 and certainty.error.happened[-2] == pytest.approx(7, abs=0.5)
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


def test_error_is_in_the_unit_of_confidence_that_of_the_predicted_box() -> None:
    faces, predictions = annotated(3)
    predictions.landmarks[:] = 2 * np.nan_to_num(faces.points, nan=50.0)
    expected = np.linalg.norm(faces.points[1, 10]) / 2
    assert measured_error(faces, predictions)[1, 10] == pytest.approx(expected, rel=1e-5, nan_ok=True)


def test_a_shift_of_all_labels_is_found_and_removed() -> None:
    faces, predictions = annotated()
    # Few and small errors, so that what is left is the shift.
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


def test_nothing_said_and_nothing_found_are_dashes_not_crashes() -> None:
    faces, _ = annotated(3)
    nothing = np.full((3, 68), np.nan)
    lost = Predictions({"2D, outline": np.full((3, 68, 2), np.nan)}, visibility=nothing, uncertainty=nothing)
    text = "\n".join(table.to_text() for table in merl_rav.tables(faces, lost))
    assert "3 of 3 faces were not found" in text
    assert np.isnan(measure_certainty(faces, lost, np.zeros(2)).error.gap)
    with pytest.raises(ValueError, match="says nothing"):
        measure_certainty(faces, Predictions(lost.outputs), np.zeros(2))
