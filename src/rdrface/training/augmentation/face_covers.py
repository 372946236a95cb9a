"""Covers that sit on the face: half of it behind a hand, scarf, hat, hair or another head, and face masks."""

from dataclasses import dataclass

import torch
from torch import Tensor

from rdrface.training.augmentation.face_frame import FaceFrame, along, pixel_centers, point_columns
from rdrface.training.augmentation.occluder_textures import Shares, draw_fillings, own_skin
from rdrface.training.augmentation.rng import normal, pick, to_device, uniform


@dataclass(frozen=True)
class CoverConfig:
    """How often, and how much of the face. Depths are shares of the landmarks' extent in the cover's direction."""

    half: float = 0.08  # probability of a left, right, lower or upper part behind something
    side_depth: tuple[float, float] = (0.25, 0.65)  # from the left or right: half a face behind a door or a head
    lower_depth: tuple[float, float] = (0.25, 0.65)  # from the chin: scarves, hands, collars, cups
    upper_depth: tuple[float, float] = (0.08, 0.45)  # from the brows: hats, hoods, fringes
    tilt: float = 12.0  # degrees, standard deviation of the edge's direction
    bend: float = 0.3  # +- depth of the edge's curve at the side of the face, share of the extent
    mask: float = 0.04  # probability of a face mask from nose to chin


def no_covers() -> CoverConfig:
    """The configuration that covers nothing."""
    return CoverConfig(half=0.0, mask=0.0)


_SHARES: Shares = (0.2, 0.15, 0.05, 0.15, 0.15, 0.15, 0.15)

# Into the face's axes (right, down): towards what is hidden.
_SIDES = [[-1.0, 0.0], [1.0, 0.0], [0.0, 1.0], [0.0, -1.0]]


def cover_halves(
    crops: Tensor, points: Tensor, config: CoverConfig, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Cover the left, right, lower or upper part of some faces.

    Args:
        crops: (B, 3, N, N) float32 0..255, changed in place.
        points: (B, 68, 2) crop frame, all of the face; faces with an unknown point are left alone.
        config: how often and how much.
        generator: source of chance.

    Returns:
        crops, and covered (B, 68) bool: the points that lie behind a cover.
    """
    device, size = crops.device, crops.shape[-1]
    covered = torch.zeros(points.shape[:2], dtype=torch.bool, device=device)
    faces, here, whole = _drawn(points, config.half, generator)
    count = len(faces)
    if count == 0:
        return crops, covered
    frame = FaceFrame.of(here)
    side = uniform((count,), 0, 4, generator, device).long().clamp(max=3)
    inwards = to_device(torch.tensor(_SIDES), device)[side]
    inwards = inwards[:, :1] * frame.right + inwards[:, 1:] * frame.down
    tilt = normal((count, 1), generator, device).mul(config.tilt).deg2rad()
    inwards = tilt.cos() * inwards + tilt.sin() * torch.stack([-inwards[:, 1], inwards[:, 0]], 1)
    beside = torch.stack([-inwards[:, 1], inwards[:, 0]], 1)

    columns = point_columns(here)
    deep, wide = along(inwards, *columns), along(beside, *columns)
    nearest, furthest = deep.amin(1, keepdim=True), deep.amax(1, keepdim=True)
    extent = furthest - nearest
    depths = torch.tensor([config.side_depth, config.side_depth, config.lower_depth, config.upper_depth])
    depths = to_device(depths, device)[side]
    share = depths[:, :1] + (depths[:, 1:] - depths[:, :1]) * uniform((count, 1), 0, 1, generator, device)
    edge = furthest - share[..., None] * extent
    end = furthest + uniform((count, 1, 1), 0.1, 1.5, generator, device) * extent
    middle = (wide.amin(1, keepdim=True) + wide.amax(1, keepdim=True)) / 2
    reach = (wide.amax(1, keepdim=True) - middle).clamp(min=1e-3)
    bend = uniform((count, 1, 1), -config.bend, config.bend, generator, device) * extent / reach.square()
    left = reach * uniform((count, 1, 1), 0.9, 2.0, generator, device)
    right = reach * uniform((count, 1, 1), 0.9, 2.0, generator, device)

    def depth(x: Tensor, y: Tensor) -> Tensor:
        """How deep inside the cover; negative outside. Crop frame."""
        t, s = along(inwards, x, y), along(beside, x, y) - middle
        inside = torch.minimum(t - edge - bend * s.square(), end - t)
        return torch.minimum(inside, torch.minimum(s + left, right - s))

    opacity = (depth(*pixel_centers(size, device)) * (size / 2) + 0.5).clamp_(0, 1)[:, None]
    opacity = opacity * whole[:, None, None, None]
    crops[faces] = torch.lerp(crops[faces], draw_fillings(crops, faces, _SHARES, generator), opacity)
    covered[faces] = (depth(*columns)[..., 0] > 0) & whole[:, None]
    return crops, covered


_DIRECTIONS = 20

# RGB of masks: surgical blue and green, white, black, gray. The last place is the wearer's skin.
_MASKS = [[150, 190, 220], [110, 165, 200], [150, 205, 195], [235, 238, 240], [25, 25, 28], [110, 110, 115], [0, 0, 0]]


def wear_masks(crops: Tensor, points: Tensor, config: CoverConfig, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Put a face mask on some faces: from the nose over the cheeks to below the chin.

    Arguments and results are those of `cover_halves`.
    """
    device, size = crops.device, crops.shape[-1]
    covered = torch.zeros(points.shape[:2], dtype=torch.bool, device=device)
    faces, here, whole = _drawn(points, config.mask, generator)
    count = len(faces)
    if count == 0:
        return crops, covered
    frame = FaceFrame.of(here)

    def between(a: int, b: int, share: Tensor) -> Tensor:
        return torch.lerp(here[:, a : a + 1], here[:, b : b + 1], share)

    rise = uniform((count, 1, 1), 0, 1, generator, device)
    bridge = between(28, 30, uniform((count, 1, 1), 0, 1, generator, device))
    # The nose, the mouth and the chin bound it where the far cheek is not seen.
    beneath = torch.cat([between(1, 3, rise), between(15, 13, rise), bridge, here[:, 3:14], here[:, 30:36]], 1)
    beneath = torch.cat([beneath, here[:, 48:60]], 1)
    # Cloth stands off the cheeks and the chin.
    margin = uniform((count, 1), 0.02, 0.12, generator, device) * frame.unit[:, None]
    x, y = pixel_centers(size, device)
    inside = inside_hull(beneath, margin, x, y)

    last = len(_MASKS) - 1
    which = uniform((count,), 0, last + 1, generator, device).long().clamp(max=last)
    color = to_device(torch.tensor(_MASKS, dtype=torch.float32), device)[which][..., None, None]
    color = torch.where((which == last).reshape(-1, 1, 1, 1), own_skin(crops, faces), color)
    color = color + uniform((count, 3, 1, 1), -20, 20, generator, device)
    # Pleats run across the face, and the cloth is lit from one side.
    high = along(frame.down, x, y) / frame.unit[:, None, None]
    broad = along(frame.right, x, y) / frame.unit[:, None, None]
    pleats = (uniform((count, 1, 1), 8, 22, generator, device) * (high + 0.15 * broad.square())).sin()
    shade = 1 + uniform((count, 1, 1), 0, 0.1, generator, device) * pleats
    shade = shade + uniform((count, 1, 1), -0.15, 0.15, generator, device) * broad
    cloth = (color * shade[:, None]).clamp_(0, 255)
    crops[faces] = torch.where((inside & whole[:, None, None])[:, None], cloth, crops[faces])
    covered[faces] = inside_hull(beneath, margin, *point_columns(here))[..., 0] & whole[:, None]
    return crops, covered


def _drawn(points: Tensor, probability: float, generator: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
    """Faces that get a cover: their places (b,), their points (b, 68, 2), and which of them have all points (b,) bool.

    Which faces are whole stays on the device: to ask would wait for it.
    """
    drawn = pick(len(points), probability, generator, generator.device).nonzero()[:, 0]
    faces = to_device(drawn, points.device)
    here = points[faces]
    return faces, here.nan_to_num(), torch.isfinite(here).all(-1).all(-1)


def inside_hull(points: Tensor, margin: Tensor, x: Tensor, y: Tensor) -> Tensor:
    """(b, n, m) bool: the places x, y (see `pixel_centers`) lie in the convex hull of points (b, P, 2).

    The hull is bounded by `_DIRECTIONS` lines that touch it, `margin` (b, 1) further out.
    """
    turn = torch.arange(_DIRECTIONS, device=points.device) * (2 * torch.pi / _DIRECTIONS)
    c, s = turn.cos(), turn.sin()
    reach = (c * points[..., :1] + s * points[..., 1:]).amax(1) + margin
    c, s = c[:, None, None], s[:, None, None]
    return (c * x[:, None] + (s * y[:, None] - reach[..., None, None]) < 0).all(1)
