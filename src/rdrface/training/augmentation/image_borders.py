"""Cropping of images near the face, or through it, as in close-ups and at the border of group photos.

The part of a packed crop that the image covers is a rectangle `valid` (B, 4) xyxy, packed frame. Cropping the image
moves the sides of this rectangle; `rdrface.training.augmentation.resampling` pads the area outside.
"""

import torch
from torch import Tensor

from rdrface.landmarks import CONTOUR
from rdrface.training.augmentation.boxes import bounding_corners, corners_size
from rdrface.training.augmentation.resampling import PADDINGS, PaddingShares
from rdrface.training.augmentation.rng import to_device, uniform

MIN_INNER_SHARE = 0.35
"""Minimum share of the inner points (17-67) that a cropped image contains. Detectors do not detect a face with fewer,
for example a profile cropped behind the eye."""

MIN_VISIBLE_SIDE = 0.15
"""Minimum side of the box of the visible part, in units of the side of the whole box. Detectors do not detect a smaller
part."""


def inside_image(points: Tensor, valid: Tensor) -> Tensor:
    """(B, P) bool: points (B, P, 2), packed frame, are in the image `valid` (B, 4)."""
    return ((points >= valid[:, None, :2]) & (points <= valid[:, None, 2:])).all(-1)


def crop_image_near_face(
    valid: Tensor, points: Tensor, probability: float, distances: tuple[float, float], generator: torch.Generator
) -> Tensor:
    """Crop some images near the face.

    Args:
        valid: (B, 4) xyxy of the images, packed frame.
        points: (B, 68, 2) packed frame, NaN where unknown.
        probability: probability of cropping, for each side.
        distances: range of the distance from the landmark box, in units of its size sqrt(w h).
        generator: random number generator.

    Returns:
        (B, 4) xyxy of the cropped images.
    """
    count, device = len(valid), valid.device
    low, high = bounding_corners(points)
    size = corners_size(low, high).unsqueeze(-1)
    distance = uniform((count, 4), *distances, generator, device) * size
    chosen = uniform((count, 4), 0, 1, generator, device) < probability
    return _cropped(valid, torch.cat([low - distance[:, :2], high + distance[:, 2:]], 1), chosen)


def crop_image_through_face(
    valid: Tensor,
    points: Tensor,
    chosen: Tensor,
    across: tuple[float, float],
    down: tuple[float, float],
    generator: torch.Generator,
) -> Tensor:
    """Crop images through the face, on one random side each. Images that would lose too much of the face do not change.

    Args:
        valid: (B, 4) xyxy of the images, packed frame.
        points: (B, 68, 2) packed frame, NaN where unknown.
        chosen: (B,) bool, images to crop.
        across: range of the share of the width of the landmark box that is removed on the left or right.
        down: range of the share of its height that is removed at the top or bottom.
        generator: random number generator.

    Returns:
        (B, 4) xyxy of the cropped images.
    """
    count, device = len(valid), valid.device
    low, high = bounding_corners(points)
    share = uniform((count, 2), 0, 1, generator, device)
    start, stop = to_device(torch.tensor([across, down]), device).unbind(1)
    depth = (start + (stop - start) * share) * (high - low)
    side = uniform((count, 1), 0, 4, generator, device).long()
    sides = (side == torch.arange(4, device=device)) & chosen[:, None]
    cropped = _cropped(valid, torch.cat([low + depth, high - depth], 1), sides)
    inner = points[:, len(CONTOUR) :]
    remaining = inside_image(inner, cropped).sum(1) / torch.isfinite(inner).all(-1).sum(1)
    return torch.where((remaining >= MIN_INNER_SHARE)[:, None], cropped, valid)


def padding_shares(shares: PaddingShares, cropped: Tensor) -> Tensor:
    """Relative frequency of each kind of padding for each face.

    Images that are cropped through the face are not padded with reflections and other faces, unless these are the only
    kinds: half a face next to its mirror image looks like a whole face, and its labels would be wrong.

    Args:
        shares: relative frequency of each of `PADDINGS`.
        cropped: (B,) bool, the image is cropped through the face.

    Returns:
        (B, 6).
    """
    every = torch.tensor(shares, device=cropped.device)
    faceless = every.clone()
    faceless[[PADDINGS.index("reflection"), PADDINGS.index("other face")]] = 0.0
    return torch.where(cropped[:, None] & (faceless.sum() > 0), faceless, every)


def simulated_detection(
    points: Tensor, visible: Tensor, cropped: Tensor, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Simulate the boxes of a detector for faces that the edge of the image crops.

    The box of a cropped face is random between the box of its visible part and the box of the whole face.

    Args:
        points: (B, 68, 2), NaN where unknown.
        visible: (B, 68) bool, the point is in the image.
        cropped: (B,) bool, the image is cropped through the face; other faces have the whole box.
        generator: random number generator.

    Returns:
        Lower and upper corners (B, 2) of the boxes.
    """
    low, high = bounding_corners(points)
    part_low, part_high = bounding_corners(torch.where(visible[..., None], points, torch.nan))
    enough = (part_high - part_low > MIN_VISIBLE_SIDE * (high - low)).all(-1)
    weight = uniform((len(points), 1), 0, 1, generator, points.device)
    # A where() and not a weight of 1: the box of no visible points is infinite.
    mixed = (cropped & enough)[:, None]
    return (
        torch.where(mixed, part_low + weight * (low - part_low), low),
        torch.where(mixed, part_high + weight * (high - part_high), high),
    )


def _cropped(valid: Tensor, limits: Tensor, sides: Tensor) -> Tensor:
    """(B, 4) images `valid`, cropped to `limits` (B, 4) on `sides` (B, 4) bool."""
    inner = torch.cat([torch.maximum(limits[:, :2], valid[:, :2]), torch.minimum(limits[:, 2:], valid[:, 2:])], 1)
    return torch.where(sides, inner, valid)
