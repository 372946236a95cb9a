"""Crops of one face, for the tests of covers and glasses."""

import torch

from annotated import face_points

COUNT, SIZE = 32, 64


def faces(roll_deg=0.0):
    """(COUNT, 68, 2) points of the same face, rotated clockwise as seen."""
    points = torch.from_numpy(face_points(0, (0.0, 0.0), 1.25)).float()
    angle = torch.tensor(roll_deg).deg2rad()
    c, s = angle.cos(), angle.sin()
    return (points @ torch.stack([torch.stack([c, s]), torch.stack([-s, c])])).expand(COUNT, -1, -1)


def images():
    """(COUNT, 3, SIZE, SIZE) crops of noise."""
    return torch.rand(COUNT, 3, SIZE, SIZE, generator=torch.Generator().manual_seed(5)) * 255


def seeded(seed=1):
    return torch.Generator().manual_seed(seed)


def changed_at(before, after, points):
    """(COUNT, 68) bool: the pixel at the point changed."""
    pixel = ((points + 1) * SIZE / 2 - 0.5).round().long().clamp(0, SIZE - 1)
    return ((before - after).abs().sum(1) > 0)[torch.arange(len(points))[:, None], pixel[..., 1], pixel[..., 0]]
