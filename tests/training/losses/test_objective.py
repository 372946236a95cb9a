"""The losses: least at the truth, blind where there is no label."""

import math

import pytest
import torch

from rdrface.network.rdr import RDR
from rdrface.training.losses.objective import LossWeights, Targets, losses, point_loss, response_loss, total


def test_point_loss_ignores_unlabeled_points_even_when_they_are_nan() -> None:
    truth = torch.zeros(1, 3, 2)
    truth[0, 2] = math.nan
    predicted = torch.full((1, 3, 2), 0.5, requires_grad=True)
    loss = point_loss(predicted, truth, torch.tensor([[1.0, 1.0, 0.0]]))
    loss.backward()
    assert loss.item() == pytest.approx(2 * (0.5 - 0.01))
    assert predicted.grad is not None
    assert torch.isfinite(predicted.grad).all()
    assert (predicted.grad[0, 2] == 0).all()


def test_response_loss_is_least_when_the_softmax_is_the_bilinear_target() -> None:
    size = 16
    point = torch.tensor([[[0.1, -0.3]]])
    cell = (point + 1) * size / 2 - 0.5
    low = cell.floor().long()
    fraction = cell - low
    target = torch.zeros(size, size)
    for dx in (0, 1):
        for dy in (0, 1):
            fx = fraction[0, 0, 0] if dx else 1 - fraction[0, 0, 0]
            fy = fraction[0, 0, 1] if dy else 1 - fraction[0, 0, 1]
            target[low[0, 0, 1] + dy, low[0, 0, 0] + dx] = fx * fy
    logits = (target + 1e-9).log()[None, None]
    weight = torch.ones(1, 1)
    best = response_loss(logits, point, weight).item()
    entropy = -(target[target > 0] * target[target > 0].log()).sum().item()
    assert best == pytest.approx(entropy, abs=1e-4)
    for shift in ((2, 0), (0, 1), (-1, -1)):
        assert response_loss(logits.roll(shift, (2, 3)), point, weight).item() > best + 0.1


def test_response_loss_leaves_out_points_beyond_the_crop() -> None:
    logits = torch.randn(1, 2, 8, 8)
    inside, outside = torch.tensor([0.2, 0.2]), torch.tensor([1.5, 0.0])
    both = response_loss(logits, torch.stack([inside, outside])[None], torch.ones(1, 2))
    alone = response_loss(logits, torch.stack([inside, outside])[None], torch.tensor([[1.0, 0.0]]))
    assert both.item() == pytest.approx(alone.item())


def test_all_losses_are_named_finite_and_reach_every_part() -> None:
    torch.manual_seed(0)
    network = RDR(2).train()
    network.scale.mean[56] = 0.009
    prediction = network(torch.rand(2, 3, 64, 64) * 255)
    q = prediction.steps[0].q.detach() + 0.01
    targets = Targets(
        points=prediction.steps[0].landmarks.detach() + 0.05,
        weight=torch.ones(2, 68),
        labeled=torch.ones(2, 68, dtype=torch.bool),
        state=torch.ones(2, 68, dtype=torch.int8),
        jawline=prediction.steps[0].projection_jawline.detach() - 0.05,
        q=q,
        trust=torch.ones(2),
        expression_trust=torch.ones(2),
    )
    parts = losses(prediction, network.response(prediction.deconv5), targets, network.scale.std)
    assert set(parts) == set(LossWeights.__dataclass_fields__)
    loss = total(parts, LossWeights())
    loss.backward()
    assert torch.isfinite(loss)
    silent = [name for name, p in network.named_parameters() if p.grad is None or not torch.isfinite(p.grad).all()]
    assert silent == []


def test_predicted_error_is_optimal_at_the_actual_error() -> None:
    # The exponential likelihood d / s + log s has its minimum at s = d.
    distance = 0.03
    log_error = torch.linspace(-6, 0, 601)
    likelihood = distance * torch.exp(-log_error) + log_error
    assert torch.exp(log_error[likelihood.argmin()]).item() == pytest.approx(distance, rel=0.02)
