"""Calibration: a head that exaggerates is brought back, and the network's own last layer says so afterwards."""

import copy
from dataclasses import fields
from functools import lru_cache

import numpy as np
import pytest
import torch

from rdrface.datasets.crops import PackedCrops, pack
from rdrface.datasets.records import OCCLUDED, UNKNOWN, VISIBLE
from rdrface.datasets.synthetic import draw_faces
from rdrface.network.rdr import RDR
from rdrface.network.uncertainty import Uncertainty
from rdrface.training.augmentation.augment import no_augmentation
from rdrface.training.calibration import (
    IDENTITY,
    LEAST_SLOPE,
    Observations,
    calibrate,
    fit_error,
    fit_visible,
    fold,
    gaps,
    observe,
)

CPU = torch.device("cpu")


def truthful(count: int = 40_000) -> Observations:
    """Points of a network that says the truth; a tenth of the faces' sizes differ."""
    rng = np.random.default_rng(0)
    logit = rng.normal(1, 2, count)
    log_error = rng.normal(-3.5, 0.5, count)
    return Observations(
        logit=logit,
        seen=(rng.random(count) < 1 / (1 + np.exp(-logit))).astype(float),
        log_error=log_error,
        error=np.exp(log_error) * rng.exponential(1, count),
        unit=rng.uniform(70, 90, count),
    )


def exaggerated(points: Observations, slope: float = 2.0, shift: float = 0.7) -> Observations:
    """The same points of a network whose two outputs x have become slope x + shift."""
    changed = {"logit": slope * points.logit + shift, "log_error": slope * points.log_error + shift}
    return Observations(**{each.name: changed.get(each.name, getattr(points, each.name)) for each in fields(points)})


def test_the_truth_is_left_alone() -> None:
    points = truthful()
    for line in (fit_visible(points), fit_error(points)):
        np.testing.assert_allclose(line, IDENTITY, atol=0.06)
    visible, error = gaps(points, IDENTITY, IDENTITY)
    assert visible < 1.0 and error < 0.1


@pytest.mark.parametrize(("slope", "shift"), [(2.0, 0.7), (0.4, -1.0), (1.0, 1.5)])
def test_exaggeration_is_undone(slope: float, shift: float) -> None:
    points = exaggerated(truthful(), slope, shift)
    visible, error = fit_visible(points), fit_error(points)
    for line in (visible, error):
        np.testing.assert_allclose(line, (1 / slope, -shift / slope), rtol=0.05, atol=0.08)
    after = gaps(points, visible, error)
    assert after[0] < 1.0 and after[1] < 0.1
    assert gaps(points, IDENTITY, IDENTITY)[1] > 0.5


def test_maps_rise_and_stay_near_where_little_is_known() -> None:
    points = truthful(500)
    reversed_ = Observations(-points.logit, points.seen, -points.log_error - 7, points.error, points.unit)
    assert fit_visible(reversed_)[0] == pytest.approx(LEAST_SLOPE)
    assert fit_error(reversed_)[0] == pytest.approx(LEAST_SLOPE)
    nothing = Observations(*(np.empty(0) for _ in range(5)))
    assert fit_visible(nothing) == fit_error(nothing) == IDENTITY
    # All visible: the likeliest map is infinite, the prior keeps it finite.
    one_kind = Observations(points.logit, np.ones(500), points.log_error, points.error, points.unit)
    assert np.isfinite(fit_visible(one_kind)).all() and fit_visible(one_kind)[1] < 10


def test_folding_is_the_map_of_the_outputs() -> None:
    torch.manual_seed(0)
    head = Uncertainty()
    inputs = (torch.randn(3, 68, 80), torch.randn(3, 256), torch.randn(3, 3, 3))
    with torch.no_grad():
        visible, error = head(*inputs)
        fold(head, (0.7, -0.2), (1.3, 0.4))
        after = head(*inputs)
    torch.testing.assert_close(after[0], 0.7 * visible - 0.2, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(after[1], 1.3 * error + 0.4, rtol=1e-4, atol=1e-5)


@pytest.fixture(scope="module")
def faces(tmp_path_factory: pytest.TempPathFactory) -> PackedCrops:
    return pack(draw_faces(tmp_path_factory.mktemp("faces"), 8), 48)


@lru_cache(maxsize=1)
def untrained() -> RDR:
    torch.manual_seed(0)
    return RDR(0).eval()


def network() -> RDR:
    """A copy of always the same network."""
    return copy.deepcopy(untrained())


def test_a_mis_scaled_head_comes_back_to_the_same_outputs(faces: PackedCrops) -> None:
    sane, wrong = network(), network()
    first = calibrate(sane, faces, 32, 0, CPU)
    fold(wrong.uncertainty, (3.0, 2.0), (2.0, 1.0))
    figures = calibrate(wrong, faces, 32, 0, CPU)
    assert figures["visible_gap_after"] < figures["visible_gap_before"]
    assert figures["error_gap_after"] < figures["error_gap_before"]
    assert figures["error_points"] == first["error_points"] > 300
    ours, theirs = (observe(one, faces, 32, 0, CPU, no_augmentation()) for one in (sane, wrong))
    assert np.exp(ours.log_error).mean() == pytest.approx(np.exp(theirs.log_error).mean(), rel=0.05)
    # Some hundred points against the prior do not bring all of it back.
    assert np.abs(ours.logit - theirs.logit).mean() < 0.5


def test_calibration_is_a_function_of_its_input_and_keeps_the_rest(faces: PackedCrops) -> None:
    first, second, before = network(), network(), network()
    assert calibrate(first, faces, 32, 0, CPU) == calibrate(second, faces, 32, 0, CPU)
    changed = []
    for name, value in first.state_dict().items():
        assert torch.equal(value, second.state_dict()[name])
        if not torch.equal(value, before.state_dict()[name]):
            changed.append(name)
    assert set(changed) <= {"uncertainty.out", "uncertainty.bias"} and changed


def test_unknown_states_do_not_count_even_where_something_covers_them(faces: PackedCrops) -> None:
    unknown = faces.select(np.arange(4))
    unknown.state[:] = UNKNOWN
    unknown.state[0] = VISIBLE
    unknown.state[1, :10] = OCCLUDED
    points = observe(network(), unknown, 32, 0, CPU, no_augmentation())
    assert len(points.logit) == 78 and len(points.error) == np.isfinite(unknown.points).all(-1).sum()
    assert len(points.seen) == 78 and points.seen[:68].sum() >= 60
