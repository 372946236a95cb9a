"""Losses on single landmarks: the distance of predicted points, and the softmax of conv6's response maps.

Lengths are in the crop frame, where the face size (square root of the landmark box's area) is 2 / 1.6 = 1.25.
"""

import torch
from torch import Tensor


def smooth_l1(difference: Tensor, beta: float = 0.02) -> Tensor:
    """Elementwise Huber loss of a difference (...) in the crop frame, linear beyond `beta`.

    The default is 1.6 % of the face size, about the noise of annotators.
    """
    size = difference.abs()
    return torch.where(size < beta, 0.5 * size * size / beta, size - 0.5 * beta)


def point_loss(predicted: Tensor, truth: Tensor, weight: Tensor) -> Tensor:
    """Weighted mean of the Huber loss over the labeled points, summed over the coordinates.

    Args:
        predicted: (B, L, D).
        truth: (B, L, D); may be NaN where `weight` is 0.
        weight: (B, L).
    """
    # A zero weight would not remove NaN: NaN * 0 is NaN.
    difference = torch.where(weight.unsqueeze(-1) > 0, predicted - truth, torch.zeros_like(predicted))
    return (smooth_l1(difference).sum(-1) * weight).sum() / weight.sum().clamp(min=1.0)


def response_loss(logits: Tensor, points: Tensor, weight: Tensor) -> Tensor:
    """conv6's softmax regression: cross-entropy between each landmark's map and its position.

    The target is the bilinear weight of the four nearest cells, so sub-cell positions are not rounded.

    Args:
        logits: (B, 68, m, m).
        points: (B, 68, 2) crop frame.
        weight: (B, 68); points outside the map do not count.
    """
    size = logits.shape[-1]
    weight = torch.where((points.abs() < 1).all(-1), weight, torch.zeros_like(weight))
    # The center of cell i is at (2 i + 1) / size - 1.
    position = ((torch.nan_to_num(points) + 1) * size / 2 - 0.5).clamp(0, size - 1.001)
    low = position.floor()
    fraction = position - low
    column, row = low.long().unbind(-1)
    cells = torch.stack([row * size + column, row * size + column + 1, (row + 1) * size + column], dim=-1)
    cells = torch.cat([cells, cells[..., 2:] + 1], dim=-1)
    x, y = fraction.unbind(-1)
    shares = torch.stack([(1 - x) * (1 - y), x * (1 - y), (1 - x) * y, x * y], dim=-1)
    # Cross-entropy without storing the softmax, because the maps are the largest tensors in training.
    flat = logits.flatten(2).float()
    loss = torch.logsumexp(flat, dim=2) - (flat.gather(2, cells) * shares).sum(-1)
    return (loss * weight).sum() / weight.sum().clamp(min=1.0)
