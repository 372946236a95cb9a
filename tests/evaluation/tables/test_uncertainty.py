"""Tables of the visibility and uncertainty of a set whose predictions are calibrated by construction."""

from dataclasses import replace

import numpy as np
import pytest

from annotated_faces import cells
from rdrface.datasets.records import FaceRecords
from rdrface.evaluation.predictions.predictions import Predictions
from rdrface.evaluation.protocols import merl_rav
from rdrface.evaluation.tables.uncertainty import (
    bin_names,
    observed_error,
    uncertainty_figures,
    uncertainty_tables,
)

SIZE = 100.0


def test_names_of_bins() -> None:
    assert bin_names(np.array([0, 0.5, np.inf]), 1) == ["0.0-0.5", "0.5+"]


def annotated(count: int = 200) -> tuple[FaceRecords, Predictions]:
    """Faces with calibrated predictions; the box is 100 x 100 px, so that 1 px is 1 %."""
    rng = np.random.default_rng(2)
    truth = rng.uniform(20, 80, (count, 68, 2))
    truth[:, 0], truth[:, 1] = (0, 0), (SIZE, SIZE)
    uncertainty = rng.uniform(0.6, 8, (count, 68))
    length = uncertainty * rng.exponential(1, uncertainty.shape)
    angle = rng.uniform(0, 2 * np.pi, uncertainty.shape)
    visible = rng.choice([0.05, 0.35, 0.65, 0.95], (count, 68))
    is_visible = rng.random((count, 68)) < visible
    state = np.where(is_visible, 1, rng.choice([2, 3], (count, 68)))
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
    outputs = {"landmarks": moved, "projection": moved.copy()}
    return faces, Predictions(outputs, visibility=visible, uncertainty=uncertainty)


def test_figures_of_calibrated_predictions() -> None:
    faces, predictions = annotated()
    predictions.visibility[0] = predictions.landmarks[0] = predictions.uncertainty[0] = np.nan  # not found
    figures = uncertainty_figures(faces, predictions, np.zeros(2))
    assert figures.visibility.gap < 0.02
    assert figures.error.gap < 0.3 and figures.error.observed[-2] == pytest.approx(7, abs=0.5)
    assert figures.point_risk[9] < 0.35 * figures.point_risk[-1]
    assert (figures.oracle_risk <= figures.face_risk + 1e-9).all()
    assert figures.oracle_risk[-1] == pytest.approx(figures.face_risk[-1])
    states = faces.state[1:]
    assert figures.roc["self-occluded"].negatives == (states == 3).sum()
    assert figures.visibility.count.sum() == 199 * 68
    # Self-occluded points have no position, hence no error.
    assert figures.error.count.sum() == np.isfinite(faces.points[1:, :, 0]).sum()
    areas, visible, error, risk = uncertainty_tables(figures)
    assert cells(areas, "self-occluded")["area"] == 100 * figures.roc["self-occluded"].area
    assert cells(visible, "0.9-1.0")["predicted"] == pytest.approx(95)
    assert cells(error, "all")["predicted"] == pytest.approx(cells(error, "all")["observed"], rel=0.05)
    assert cells(risk, "most certain 10 %")["points"] == figures.point_risk[9]


def test_observed_error_is_in_percent_of_the_predicted_box() -> None:
    faces, predictions = annotated(3)
    predictions.landmarks[:] = 2 * np.nan_to_num(faces.points, nan=50.0)
    expected = np.linalg.norm(faces.points[1, 10]) / 2
    assert observed_error(faces, predictions)[1, 10] == pytest.approx(expected, rel=1e-5, nan_ok=True)


def test_constant_annotation_offset_is_measured_and_removed() -> None:
    faces, predictions = annotated()
    # The errors are small compared with the offset.
    predictions.landmarks[:] = np.nan_to_num(faces.points, nan=50.0) + np.random.default_rng(3).normal(
        0, 0.05, faces.points.shape
    )
    displaced = replace(faces, points=faces.points + np.array([0.9, -0.4], np.float32))
    table, *others = merl_rav.tables(displaced, predictions)
    error = next(other for other in others if other.title.startswith("Uncertainty"))
    assert cells(table, "all")["visible"] == pytest.approx(np.hypot(0.9, 0.4), abs=0.02)
    removed = cells(table, "all, annotation offset removed")
    assert removed["visible"] == pytest.approx(0.05 * np.sqrt(np.pi / 2), abs=0.01)
    assert removed["all annotated"] == pytest.approx(0.05 * np.sqrt(np.pi / 2), abs=0.01)
    assert "(+0.90, -0.40) pixels" in table.to_text() and "200 faces" in table.to_text()
    assert cells(error, "all")["observed"] == pytest.approx(np.hypot(0.9, 0.4), abs=0.02)
    assert cells(error, "all")["offset removed"] < 0.08


def test_tables_without_found_faces_have_dashes() -> None:
    faces, _ = annotated(3)
    missing = np.full((3, 68), np.nan)
    not_found = Predictions({"landmarks": np.full((3, 68, 2), np.nan)}, visibility=missing, uncertainty=missing)
    text = "\n".join(table.to_text() for table in merl_rav.tables(faces, not_found))
    assert "3 of 3 faces were not found" in text
    assert np.isnan(uncertainty_figures(faces, not_found, np.zeros(2)).error.gap)
    with pytest.raises(ValueError, match="no visibility"):
        uncertainty_figures(faces, Predictions(not_found.outputs), np.zeros(2))
