"""Boxes around the points of a batch, for tensors on any device; `rdrface.geometry.boxes` is for NumPy arrays."""

import torch
from torch import Tensor


def bounding_corners(points: Tensor) -> tuple[Tensor, Tensor]:
    """Lower and upper corners (B, 2) of the bounding boxes of points (B, P, 2), NaN where unknown."""
    return points.nan_to_num(nan=torch.inf).amin(1), points.nan_to_num(nan=-torch.inf).amax(1)


def corners_size(low: Tensor, high: Tensor) -> Tensor:
    """Lower and upper corners (B, 2) of boxes -> (B,) sqrt(width * height)."""
    return (high - low).prod(-1).sqrt()


def points_size(points: Tensor) -> Tensor:
    """(B, P, 2) points, all known -> (B,) sqrt(width * height) of their bounding boxes."""
    return corners_size(points.amin(1), points.amax(1))
