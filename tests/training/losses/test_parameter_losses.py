"""Losses on parameters: 3DDFA's equations compared with direct computation."""

import math

import numpy as np
import pytest
import torch

from rdrface.morphable.model import FaceModel
from rdrface.network.projection import Projection
from rdrface.network.rdr import RDR, Prediction
from rdrface.training.batch import Batch
from rdrface.training.losses.iteration_losses import LAST_STEP_WEIGHT
from rdrface.training.losses.objective import losses
from rdrface.training.losses.parameter_losses import (
    displacements,
    parameter_distance,
    parameter_errors,
    surface,
    vertex_distance,
    weighted_parameter_distance,
)
from rdrface.training.losses.weights import LossWeights

YAW, T_X, T_Z, F = 51, 53, 55, 56


def some_faces(count: int, seed: int = 0) -> torch.Tensor:
    """(N, 103) Q of faces in a crop, with yaw up to profile."""
    rng = torch.Generator().manual_seed(seed)
    q = torch.randn(count, 103, generator=rng)
    q[:, 50:53] *= torch.tensor([0.3, 0.8, 0.3])
    q[:, 53:56] *= 5.0
    q[:, F] = 0.0087 + 0.0005 * q[:, F]
    q[:, 57:] = q[:, 57:].abs().clamp(max=1)
    return q


def test_displacements_are_those_of_the_points_with_one_wrong_parameter() -> None:
    truth, wrong = some_faces(3), some_faces(3, seed=1)
    error = wrong - truth
    project = Projection()
    measured = displacements(error, truth)
    original = project(truth)[1][..., :2]
    for i in (0, 7, 49, *range(50, 57), 57, 80, 102):
        moved = truth.clone()
        moved[:, i] = wrong[:, i]
        distance = (project(moved)[1][..., :2] - original).square().sum((1, 2)).sqrt()
        torch.testing.assert_close(measured[:, i], distance, rtol=1e-3, atol=1e-5)


def test_depth_along_the_view_moves_no_point_and_has_no_loss() -> None:
    truth = some_faces(2)
    truth[:, 50:53] = 0
    q = truth.clone()
    q[:, T_Z] += 30
    q[:, 0] += 0.1
    error = parameter_errors(q, truth)
    assert (displacements(error, truth)[:, T_Z] == 0).all()
    without_depth = truth.clone()
    without_depth[:, 0] += 0.1
    std, trust = torch.ones(103), torch.ones(2)
    loss = weighted_parameter_distance(q, truth, std, trust)
    assert loss.item() == pytest.approx(weighted_parameter_distance(without_depth, truth, std, trust).item(), rel=1e-5)


def test_wpdc_is_the_weighted_square_error_and_its_weights_have_no_gradient() -> None:
    truth, std, trust = some_faces(4), torch.rand(103) + 0.5, torch.tensor([1.0, 0.5, 0.0, 1.0])
    q = some_faces(4, seed=2).requires_grad_()
    loss = weighted_parameter_distance(q, truth, std, trust)
    loss.backward()
    with torch.no_grad():
        error = parameter_errors(q, truth)
        weight = displacements(error, truth)
        weight = weight / weight.max(1, keepdim=True).values
    assert (weight.max(1).values == 1).all()
    assert loss.item() == pytest.approx(
        ((error / std).square() * weight * trust[:, None]).sum().item() / (4 * 103), rel=1e-5
    )
    assert q.grad is not None
    torch.testing.assert_close(q.grad, 2 * error / std**2 * weight * trust[:, None] / (4 * 103))


def test_a_full_rotation_is_not_an_error() -> None:
    truth = some_faces(2)
    q = truth.clone()
    q[0, YAW] += 2 * math.pi
    q[1, YAW] -= 2 * math.pi - 0.2
    error = parameter_errors(q, truth)
    torch.testing.assert_close(error[:, YAW], torch.tensor([0.0, 0.2]), rtol=0, atol=1e-5)
    q[0, 60] += 2 * math.pi
    assert parameter_errors(q, truth)[0, 60].item() == pytest.approx(2 * math.pi, rel=1e-5), (
        "60 is a coefficient, not an angle"
    )


def test_vertex_distance_is_in_crop_units_and_three_dimensional() -> None:
    truth = some_faces(3)
    shift = torch.tensor([0.0, 1.0, 2.0])
    for number in (T_X, T_Z):
        q = truth.clone()
        q[:, number] += shift
        expected = (shift * truth[:, F]).mean().item()
        assert vertex_distance(q, truth, torch.ones(3)).item() == pytest.approx(expected, rel=1e-3)
    trust = torch.tensor([1.0, 0.0, 0.0])
    assert vertex_distance(q, truth, trust).item() < 1e-5


def test_surface_is_on_the_mesh_of_q() -> None:
    q = some_faces(2)
    points = surface(q)
    assert points.shape == (2, 476, 3)
    torch.testing.assert_close(points[:, :68], Projection()(q)[1])
    model = FaceModel.load()
    lines = model.reduced(model.points["parallel_lines"]).shape(q[:, :50].numpy(), q[:, 57:].numpy())
    frontal = torch.cat([q[:, :50], torch.tensor([[0, 0, 0, 0, 0, 0, 1.0]]).expand(2, 7), q[:, 57:]], dim=1)
    found = surface(frontal)[:, 68:].numpy() * np.array([1, -1, 1])
    assert np.abs(found - lines).max() < 1e-2


@pytest.mark.parametrize("at_truth", [True, False])
def test_gradients_are_finite(at_truth: bool) -> None:
    truth = some_faces(2)
    q = (truth if at_truth else some_faces(2, seed=3)).clone().requires_grad_()
    std, trust = torch.ones(103), torch.ones(2)
    loss = parameter_distance(q, truth, std, trust) + vertex_distance(q, truth, trust)
    (loss + weighted_parameter_distance(q, truth, std, trust)).backward()
    assert q.grad is not None
    assert torch.isfinite(q.grad).all()
    if at_truth:
        assert q.grad.abs().max() < 1e-3


def predicted_and_labels() -> tuple[RDR, Prediction, Batch]:
    """A network with K = 1, its prediction for two crops, and labels close to it."""
    network = RDR(1).eval()
    network.scale.mean[F] = 0.009
    with torch.no_grad():
        prediction = network(torch.rand(2, 3, 32, 32) * 255)
    last = prediction.steps[-1]
    batch = Batch(
        torch.empty(2, 0),
        points=last.landmarks,
        weight=torch.ones(2, 68),
        labeled=torch.ones(2, 68, dtype=torch.bool),
        state=torch.ones(2, 68, dtype=torch.int8),
        jawline=last.projection_jawline,
        q=last.q + 0.01,
        trust=torch.ones(2),
        expression_trust=torch.ones(2),
    )
    return network, prediction, batch


def test_slow_losses_are_computed_only_with_a_weight() -> None:
    torch.manual_seed(0)
    network, prediction, batch = predicted_and_labels()

    def names(weights: LossWeights | None) -> set[str]:
        return set(losses(prediction, network.response(prediction.deconv5), batch, network.scale.std, weights))

    all_names = set(LossWeights.__dataclass_fields__)
    assert names(None) == all_names
    assert names(LossWeights()) == all_names - {"wpdc", "vertex"}
    assert names(LossWeights(wpdc=1.0)) == all_names - {"vertex"}
    assert names(LossWeights(vertex=1.0)) == all_names - {"wpdc"}


def test_wpdc_has_a_share_of_every_iteration() -> None:
    network, prediction, batch = predicted_and_labels()
    response = network.response(prediction.deconv5)
    first, last = (
        float(weighted_parameter_distance(step.q, batch.q, network.scale.std, batch.trust)) for step in prediction.steps
    )
    value = losses(prediction, response, batch, network.scale.std, LossWeights(wpdc=1.0))["wpdc"]
    assert float(value) == pytest.approx((first + LAST_STEP_WEIGHT * last) / (1 + LAST_STEP_WEIGHT), rel=1e-5)
    assert first != pytest.approx(last, rel=1e-3)
