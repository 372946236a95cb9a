"""Boxes and ellipses in front of faces, anywhere in the crop, with the fillings of `rdrface.training.augmentation.occluder_textures`."""

from dataclasses import dataclass

import torch
from torch import Tensor

from rdrface.datasets.records import OCCLUDED, UNKNOWN, VISIBLE
from rdrface.training.augmentation.occluder_textures import Shares, draw_fillings
from rdrface.training.augmentation.rng import pick, to_device, uniform


@dataclass(frozen=True)
class OccluderConfig:
    """How often and how large. Lengths are in units of the crop's side."""

    probability: float = 0.35  # faces that get one; about a seventh of MERL-RAV's points are occluded already
    second: float = 0.35  # of those, the share that gets two
    smallest: float = 0.08
    largest: float = 0.45  # half a face, as a hand, a phone, a scarf or another head hides


def no_occluders() -> OccluderConfig:
    """The configuration that covers nothing."""
    return OccluderConfig(probability=0.0)


_SHARES: Shares = (0.4, 0.0, 0.15, 0.0, 0.0, 0.0, 0.45)


def occlude(crops: Tensor, points: Tensor, config: OccluderConfig, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Cover parts of some crops.

    Args:
        crops: (B, 3, N, N) float32 0..255, changed in place.
        points: (B, 68, 2) crop frame.
        config: how often and how large.
        generator: source of chance.

    Returns:
        crops (B, 3, N, N), and covered (B, 68) bool: the points that now lie behind an occluder.
    """
    device = crops.device
    covered = torch.zeros(points.shape[:2], dtype=torch.bool, device=device)
    chosen = pick(len(crops), config.probability, generator, generator.device)
    again = chosen & pick(len(crops), config.second, generator, generator.device)
    for which in (chosen, again):
        faces = to_device(which.nonzero()[:, 0], device)
        if len(faces):
            crops, covered = _cover(crops, points, covered, faces, config, generator)
    return crops, covered


def hide_covered(state: Tensor, points: Tensor, covered: Tensor) -> Tensor:
    """(B, 68) int64 states: visible and unknown points with a position that are covered become `OCCLUDED`."""
    state = state.long()
    changes = covered & torch.isfinite(points).all(-1) & ((state == VISIBLE) | (state == UNKNOWN))
    return torch.where(changes, OCCLUDED, state)


def _cover(
    crops: Tensor, points: Tensor, covered: Tensor, faces: Tensor, config: OccluderConfig, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    device, count, size = crops.device, len(faces), crops.shape[-1]
    # Crop frame: sides are half axes there, since the crop's side is 2.
    half = uniform((count, 2), config.smallest, config.largest, generator, device)
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
    filling = draw_fillings(crops, faces, _SHARES, generator)
    crops[faces] = torch.where(mask, filling, crops[faces])
    covered[faces] |= inside(points[faces, :, 0], points[faces, :, 1])
    return crops, covered
