"""Where photos end: near the face, or inside it, as in close-ups and at the border of group photos.

The part of a window that the photo covers is a rectangle `valid` (B, 4) xyxy, window frame. Ending a photo earlier
moves its sides; what is then outside is filled as every border is (`rdrface.training.augmentation.resampling`).
"""

import torch
from torch import Tensor

from rdrface.landmarks import CONTOUR
from rdrface.training.augmentation.resampling import BORDERS
from rdrface.training.augmentation.rng import to_device, uniform

LEAST_INNER = 0.35
"""Smallest share of the points within the contour that a cut leaves: less is no face to a detector, as a profile that
ends behind the eye."""

LEAST_SEEN = 0.15
"""Smallest side of the visible part's box, in units of the full box's: below it no detector finds a face."""


def box_of(points: Tensor) -> tuple[Tensor, Tensor]:
    """Corners (B, 2) and (B, 2) of the box of points (B, P, 2), NaN where unknown."""
    return points.nan_to_num(nan=torch.inf).amin(1), points.nan_to_num(nan=-torch.inf).amax(1)


def inside(points: Tensor, valid: Tensor) -> Tensor:
    """(B, P) bool: points (B, P, 2), window frame, lie in the photo."""
    return ((points >= valid[:, None, :2]) & (points <= valid[:, None, 2:])).all(-1)


def end_near(
    valid: Tensor, points: Tensor, probability: float, distances: tuple[float, float], generator: torch.Generator
) -> Tensor:
    """End some photos near the face.

    Args:
        valid: (B, 4).
        points: (B, 68, 2) window frame, NaN where unknown.
        probability: per side.
        distances: range of the distance from the landmark box, in units of its side sqrt(w h).
        generator: source of chance.

    Returns:
        (B, 4) the new `valid`.
    """
    count, device = len(valid), valid.device
    low, high = box_of(points)
    side = (high - low).prod(-1, keepdim=True).sqrt()
    distance = uniform((count, 4), *distances, generator, device) * side
    chosen = uniform((count, 4), 0, 1, generator, device) < probability
    return _shortened(valid, torch.cat([low - distance[:, :2], high + distance[:, 2:]], 1), chosen)


def end_inside(
    valid: Tensor,
    points: Tensor,
    chosen: Tensor,
    across: tuple[float, float],
    down: tuple[float, float],
    generator: torch.Generator,
) -> Tensor:
    """End the photos of `chosen` (B,) bool inside the face, at one of four sides, if enough of the face is left.

    Args:
        valid: (B, 4).
        points: (B, 68, 2) window frame, NaN where unknown.
        chosen: which faces.
        across: range of the share of the landmark box's width that is cut off at the left or right.
        down: range of the share of its height that is cut off at the top or bottom.
        generator: source of chance.

    Returns:
        (B, 4) the new `valid`.
    """
    count, device = len(valid), valid.device
    low, high = box_of(points)
    share = uniform((count, 2), 0, 1, generator, device)
    start, stop = to_device(torch.tensor([across, down]), device).unbind(1)
    depth = (start + (stop - start) * share) * (high - low)
    side = uniform((count, 1), 0, 4, generator, device).long()
    cut = (side == torch.arange(4, device=device)) & chosen[:, None]
    shorter = _shortened(valid, torch.cat([low + depth, high - depth], 1), cut)
    inner = points[:, len(CONTOUR) :]
    left = inside(inner, shorter).sum(1) / torch.isfinite(inner).all(-1).sum(1)
    return torch.where((left >= LEAST_INNER)[:, None], shorter, valid)


def border_shares(shares: tuple[float, float, float, float, float, float], cut: Tensor) -> Tensor:
    """(B, 6) shares of `BORDERS` for each face.

    For the faces `cut` (B,) bool without reflections and other faces, unless nothing else is wanted: half a face that
    its mirror image completes looks like a whole one, and its labels would be wrong.
    """
    every = torch.tensor(shares, device=cut.device)
    faceless = every.clone()
    faceless[[BORDERS.index("reflection"), BORDERS.index("other face")]] = 0.0
    return torch.where(cut[:, None] & (faceless.sum() > 0), faceless, every)


def detected_box(points: Tensor, seen: Tensor, chosen: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Corners of the box that a detector gives: for faces cut by the photo's end, anything between the box of the part
    that is seen and the box of the whole face.

    Args:
        points: (B, 68, 2), NaN where unknown.
        seen: (B, 68) bool, the point lies in the photo.
        chosen: (B,) bool, the faces that are cut; the others keep the whole box.
        generator: source of chance.
    """
    low, high = box_of(points)
    part_low, part_high = box_of(torch.where(seen[..., None], points, torch.nan))
    enough = (part_high - part_low > LEAST_SEEN * (high - low)).all(-1)
    whole = uniform((len(points), 1), 0, 1, generator, points.device)
    # Not lerp with a weight of 0 or 1: the box of no points is infinite.
    mixed = (chosen & enough)[:, None]
    return (
        torch.where(mixed, part_low + whole * (low - part_low), low),
        torch.where(mixed, part_high + whole * (high - part_high), high),
    )


def _shortened(valid: Tensor, ends: Tensor, chosen: Tensor) -> Tensor:
    shorter = torch.cat([torch.maximum(ends[:, :2], valid[:, :2]), torch.minimum(ends[:, 2:], valid[:, 2:])], 1)
    return torch.where(chosen, shorter, valid)
