"""Boxes and ellipses in front of faces, anywhere in the crop."""

from dataclasses import dataclass

import torch
from torch import Tensor

from rdrface.datasets.records import OCCLUDED, UNKNOWN, VISIBLE
from rdrface.training.augmentation.occluder_textures import TextureShares, draw_textures
from rdrface.training.augmentation.rng import pick, to_device, uniform


@dataclass(frozen=True)
class OccluderConfig:
    """Probability and size of occluders. Lengths are in units of the crop's side."""

    probability: float = 0.35  # of an occluder; in addition, about a seventh of MERL-RAV's points are occluded
    second_probability: float = 0.35  # of a second occluder, if there is one
    min_side: float = 0.08
    max_side: float = 0.45  # half a face: a hand, a phone, a scarf or another head


def no_occluders() -> OccluderConfig:
    """Configuration without occluders."""
    return OccluderConfig(probability=0.0)


_SHARES: TextureShares = (0.4, 0.0, 0.15, 0.0, 0.0, 0.0, 0.45)


def occlude(crops: Tensor, points: Tensor, config: OccluderConfig, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Cover parts of some crops.

    Args:
        crops: (B, 3, N, N) float32 0..255, changed in place.
        points: (B, 68, 2) crop frame.
        config: probability and size of the occluders.
        generator: random number generator.

    Returns:
        crops (B, 3, N, N), and covered (B, 68) bool: True for points behind an occluder.
    """
    device = crops.device
    covered = torch.zeros(points.shape[:2], dtype=torch.bool, device=device)
    chosen = pick(len(crops), config.probability, generator, generator.device)
    again = chosen & pick(len(crops), config.second_probability, generator, generator.device)
    for selected in (chosen, again):
        faces = to_device(selected.nonzero()[:, 0], device)
        if len(faces):
            crops, covered = _cover(crops, points, covered, faces, config, generator)
    return crops, covered


def mark_occluded(state: Tensor, points: Tensor, covered: Tensor) -> Tensor:
    """Change the state of covered points to `OCCLUDED` if they have a position and are visible or unknown.

    Args:
        state: (B, 68) int.
        points: (B, 68, 2), NaN where unknown.
        covered: (B, 68) bool.

    Returns:
        (B, 68) int64 states.
    """
    state = state.long()
    changes = covered & torch.isfinite(points).all(-1) & ((state == VISIBLE) | (state == UNKNOWN))
    return torch.where(changes, OCCLUDED, state)


def _cover(
    crops: Tensor, points: Tensor, covered: Tensor, faces: Tensor, config: OccluderConfig, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    device, count, size = crops.device, len(faces), crops.shape[-1]
    # The side of the crop is 2 in the crop frame, so a side in units of the crop's side is a half side in the frame.
    half = uniform((count, 2), config.min_side, config.max_side, generator, device)
    center = uniform((count, 2), -0.8, 0.8, generator, device)
    angle = uniform((count, 1), 0, torch.pi, generator, device)
    ellipse = pick(count, 0.5, generator, device)[:, None]

    def inside(x: Tensor, y: Tensor) -> Tensor:
        dx, dy = x - center[:, :1], y - center[:, 1:]
        u = (angle.cos() * dx + angle.sin() * dy) / half[:, :1]
        v = (angle.cos() * dy - angle.sin() * dx) / half[:, 1:]
        return torch.where(ellipse, u * u + v * v < 1, (u.abs() < 1) & (v.abs() < 1))

    axis = (2 * torch.arange(size, device=device) + 1) / size - 1
    y, x = torch.meshgrid(axis, axis, indexing="ij")
    mask = inside(x.reshape(1, -1), y.reshape(1, -1)).reshape(count, 1, size, size)
    texture = draw_textures(crops, faces, _SHARES, generator)
    crops[faces] = torch.where(mask, texture, crops[faces])
    covered[faces] |= inside(points[faces, :, 0], points[faces, :, 1])
    return crops, covered
