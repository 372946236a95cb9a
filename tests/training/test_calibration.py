"""Calibration: miscalibrated outputs are corrected in the last layer of the network."""

import copy
from dataclasses import fields
from functools import lru_cache

import numpy as np
import pytest
import torch

from rdrface.datasets.crops import PackedCrops
from rdrface.datasets.packing import pack
from rdrface.datasets.records import OCCLUDED, SELF_OCCLUDED, UNKNOWN, VISIBLE
from rdrface.datasets.synthetic import draw_faces
from rdrface.network.rdr import RDR
from rdrface.network.uncertainty import Uncertainty
from rdrface.training.augmentation.config import no_augmentation
from rdrface.training.calibration import (
    MIN_SLOPE,
    NO_CHANGE,
    PredictedObserved,
    calibrate,
    fit_uncertainty,
    fit_visibility,
    fold,
    gaps,
    predict,
)

CPU = torch.device("cpu")


def calibrated(count: int = 40_000) -> PredictedObserved:
    """Points of a calibrated network; the sizes of the faces vary by a tenth."""
    rng = np.random.default_rng(0)
    logit = rng.normal(1, 2, count)
    log_uncertainty = rng.normal(-3.5, 0.5, count)
    return PredictedObserved(
        logit=logit,
        visible=(rng.random(count) < 1 / (1 + np.exp(-logit))).astype(float),
        log_uncertainty=log_uncertainty,
        error=np.exp(log_uncertainty) * rng.exponential(1, count),
        unit=rng.uniform(70, 90, count),
    )


def miscalibrated(points: PredictedObserved, slope: float = 2.0, shift: float = 0.7) -> PredictedObserved:
    """The same points of a network whose two outputs x are replaced by slope x + shift."""
    changed = {"logit": slope * points.logit + shift, "log_uncertainty": slope * points.log_uncertainty + shift}
    return PredictedObserved(
        **{each.name: changed.get(each.name, getattr(points, each.name)) for each in fields(points)}
    )


def test_a_calibrated_network_does_not_change() -> None:
    points = calibrated()
    for line in (fit_visibility(points), fit_uncertainty(points)):
        np.testing.assert_allclose(line, NO_CHANGE, atol=0.06)
    visibility, uncertainty = gaps(points, NO_CHANGE, NO_CHANGE)
    assert visibility < 1.0 and uncertainty < 0.1


@pytest.mark.parametrize(("slope", "shift"), [(2.0, 0.7), (0.4, -1.0), (1.0, 1.5)])
def test_miscalibration_is_corrected(slope: float, shift: float) -> None:
    points = miscalibrated(calibrated(), slope, shift)
    visibility, uncertainty = fit_visibility(points), fit_uncertainty(points)
    for line in (visibility, uncertainty):
        np.testing.assert_allclose(line, (1 / slope, -shift / slope), rtol=0.05, atol=0.08)
    after = gaps(points, visibility, uncertainty)
    assert after[0] < 1.0 and after[1] < 0.1
    assert gaps(points, NO_CHANGE, NO_CHANGE)[1] > 0.5


def test_maps_increase_and_stay_near_the_identity_with_few_points() -> None:
    points = calibrated(500)
    reversed_ = PredictedObserved(-points.logit, points.visible, -points.log_uncertainty - 7, points.error, points.unit)
    assert fit_visibility(reversed_)[0] == pytest.approx(MIN_SLOPE)
    assert fit_uncertainty(reversed_)[0] == pytest.approx(MIN_SLOPE)
    empty = PredictedObserved(*(np.empty(0) for _ in range(5)))
    assert fit_visibility(empty) == fit_uncertainty(empty) == NO_CHANGE
    # If all points are visible, the maximum-likelihood map is infinite; the prior keeps it finite.
    all_visible = PredictedObserved(points.logit, np.ones(500), points.log_uncertainty, points.error, points.unit)
    assert np.isfinite(fit_visibility(all_visible)).all() and fit_visibility(all_visible)[1] < 10


def test_folding_applies_the_maps_to_the_outputs() -> None:
    torch.manual_seed(0)
    head = Uncertainty()
    inputs = (torch.randn(3, 68, 80), torch.randn(3, 256), torch.randn(3, 3, 3))
    with torch.no_grad():
        visibility, uncertainty = head(*inputs)
        fold(head, (0.7, -0.2), (1.3, 0.4))
        after = head(*inputs)
    torch.testing.assert_close(after[0], 0.7 * visibility - 0.2, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(after[1], 1.3 * uncertainty + 0.4, rtol=1e-4, atol=1e-5)


@pytest.fixture(scope="module")
def faces(tmp_path_factory: pytest.TempPathFactory) -> PackedCrops:
    return pack(draw_faces(tmp_path_factory.mktemp("faces"), 8), 48)


@lru_cache(maxsize=1)
def untrained() -> RDR:
    torch.manual_seed(0)
    return RDR(0).eval()


def network() -> RDR:
    """A new copy of the same network."""
    return copy.deepcopy(untrained())


def test_calibration_corrects_a_wrong_scale_of_the_outputs(faces: PackedCrops) -> None:
    original, rescaled = network(), network()
    first = calibrate(original, faces, 32, 0, CPU)
    fold(rescaled.uncertainty, (3.0, 2.0), (2.0, 1.0))
    result = calibrate(rescaled, faces, 32, 0, CPU)
    assert result["visibility_gap_after"] < result["visibility_gap_before"]
    assert result["uncertainty_gap_after"] < result["uncertainty_gap_before"]
    assert result["uncertainty_points"] == first["uncertainty_points"] > 300
    original_points, rescaled_points = (
        predict(one, faces, 32, 0, CPU, no_augmentation()) for one in (original, rescaled)
    )
    assert np.exp(original_points.log_uncertainty).mean() == pytest.approx(
        np.exp(rescaled_points.log_uncertainty).mean(), rel=0.05
    )
    # With a few hundred points, the prior keeps a part of the shift.
    assert np.abs(original_points.logit - rescaled_points.logit).mean() < 0.5


def test_calibration_is_deterministic_and_changes_only_the_last_layer(faces: PackedCrops) -> None:
    first, second, before = network(), network(), network()
    assert calibrate(first, faces, 32, 0, CPU) == calibrate(second, faces, 32, 0, CPU)
    changed = []
    for name, value in first.state_dict().items():
        assert torch.equal(value, second.state_dict()[name])
        if not torch.equal(value, before.state_dict()[name]):
            changed.append(name)
    assert set(changed) <= {"uncertainty.out", "uncertainty.bias"} and changed


def test_points_without_a_state_do_not_count_even_if_they_are_covered(faces: PackedCrops) -> None:
    unknown = faces.select(np.arange(4))
    unknown.state[:] = UNKNOWN
    unknown.state[0] = VISIBLE
    unknown.state[1, :10] = OCCLUDED
    points = predict(network(), unknown, 32, 0, CPU, no_augmentation())
    assert len(points.logit) == 78 and len(points.error) == np.isfinite(unknown.points).all(-1).sum()
    assert len(points.visible) == 78 and points.visible[:68].sum() >= 60


def test_faces_of_which_only_hidden_points_are_known_do_not_count(faces: PackedCrops) -> None:
    """`rdrface.training.fitted_labels` marks hidden points of some datasets, and no visible ones."""
    one_sided = faces.select(np.arange(2))
    one_sided.state[:] = VISIBLE
    one_sided.state[1] = UNKNOWN
    one_sided.state[1, :8] = SELF_OCCLUDED
    points = predict(network(), one_sided, 32, 0, CPU, no_augmentation())
    assert len(points.logit) == 68
