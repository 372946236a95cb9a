"""Losses on single landmarks: minimal at the true position, and zero without a label."""

import math

import pytest
import torch

from rdrface.training.losses.landmark_losses import point_loss, response_loss


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


def test_response_loss_is_minimal_when_the_softmax_is_the_bilinear_target() -> None:
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


def test_response_loss_ignores_points_outside_the_crop() -> None:
    logits = torch.randn(1, 2, 8, 8)
    inside, outside = torch.tensor([0.2, 0.2]), torch.tensor([1.5, 0.0])
    both = response_loss(logits, torch.stack([inside, outside])[None], torch.ones(1, 2))
    alone = response_loss(logits, torch.stack([inside, outside])[None], torch.tensor([[1.0, 0.0]]))
    assert both.item() == pytest.approx(alone.item())
