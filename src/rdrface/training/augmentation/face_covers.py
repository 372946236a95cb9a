"""Large occluders of the face: half of it behind a hand, scarf, hat, hair or another head, and face masks."""

from dataclasses import dataclass

import torch
from torch import Tensor

from rdrface.training.augmentation.face_frame import FaceFrame, along, pixel_centers, point_columns
from rdrface.training.augmentation.occluder_textures import TextureShares, draw_textures, skin_color
from rdrface.training.augmentation.rng import normal, pick, to_device, uniform


@dataclass(frozen=True)
class CoverConfig:
    """Probability and size of covers. Depths are shares of the landmarks' extent in the direction of the cover."""

    half_face_probability: float = 0.08  # of covering the left, right, lower or upper part
    side_depth_range: tuple[float, float] = (0.25, 0.65)  # from the left or right: half a face behind a door or a head
    lower_depth_range: tuple[float, float] = (0.25, 0.65)  # from the chin: scarves, hands, collars, cups
    upper_depth_range: tuple[float, float] = (0.08, 0.45)  # from the brows: hats, hoods, fringes
    tilt_std_deg: float = 12.0  # of the direction of the edge
    max_bend: float = 0.3  # +- depth by which the edge is curved at the sides of the face
    mask_probability: float = 0.04  # of a face mask from nose to chin


def no_covers() -> CoverConfig:
    """Configuration without covers."""
    return CoverConfig(half_face_probability=0.0, mask_probability=0.0)


_SHARES: TextureShares = (0.2, 0.15, 0.05, 0.15, 0.15, 0.15, 0.15)

# Directions towards the covered part, in the axes of the face (right, down).
_SIDES = [[-1.0, 0.0], [1.0, 0.0], [0.0, 1.0], [0.0, -1.0]]


def cover_halves(
    crops: Tensor, points: Tensor, config: CoverConfig, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Cover the left, right, lower or upper part of some faces.

    Args:
        crops: (B, 3, N, N) float32 0..255, changed in place.
        points: (B, 68, 2) crop frame; faces with a NaN do not change.
        config: probability and size of the covers.
        generator: random number generator.

    Returns:
        crops (B, 3, N, N), and covered (B, 68) bool: True for points behind a cover.
    """
    device, size = crops.device, crops.shape[-1]
    covered = torch.zeros(points.shape[:2], dtype=torch.bool, device=device)
    faces, chosen, complete = _choose_faces(points, config.half_face_probability, generator)
    count = len(faces)
    if count == 0:
        return crops, covered
    frame = FaceFrame.of(chosen)
    side = uniform((count,), 0, 4, generator, device).long().clamp(max=3)
    inwards = to_device(torch.tensor(_SIDES), device)[side]
    inwards = inwards[:, :1] * frame.right + inwards[:, 1:] * frame.down
    tilt = normal((count, 1), generator, device).mul(config.tilt_std_deg).deg2rad()
    inwards = tilt.cos() * inwards + tilt.sin() * torch.stack([-inwards[:, 1], inwards[:, 0]], 1)
    sideways = torch.stack([-inwards[:, 1], inwards[:, 0]], 1)

    columns = point_columns(chosen)
    deep, wide = along(inwards, *columns), along(sideways, *columns)
    nearest, furthest = deep.amin(1, keepdim=True), deep.amax(1, keepdim=True)
    extent = furthest - nearest
    side_range, lower_range, upper_range = config.side_depth_range, config.lower_depth_range, config.upper_depth_range
    ranges = torch.tensor([side_range, side_range, lower_range, upper_range])  # in the order of _SIDES
    low, high = torch.split(to_device(ranges, device)[side], 1, dim=1)
    share = low + (high - low) * uniform((count, 1), 0, 1, generator, device)
    edge = furthest - share[..., None] * extent
    end = furthest + uniform((count, 1, 1), 0.1, 1.5, generator, device) * extent
    middle = (wide.amin(1, keepdim=True) + wide.amax(1, keepdim=True)) / 2
    reach = (wide.amax(1, keepdim=True) - middle).clamp(min=1e-3)
    bend = uniform((count, 1, 1), -config.max_bend, config.max_bend, generator, device) * extent / reach.square()
    left = reach * uniform((count, 1, 1), 0.9, 2.0, generator, device)
    right = reach * uniform((count, 1, 1), 0.9, 2.0, generator, device)

    def depth(x: Tensor, y: Tensor) -> Tensor:
        """Distance from the edge of the cover, crop frame; negative outside."""
        t, s = along(inwards, x, y), along(sideways, x, y) - middle
        inside = torch.minimum(t - edge - bend * s.square(), end - t)
        return torch.minimum(inside, torch.minimum(s + left, right - s))

    opacity = (depth(*pixel_centers(size, device)) * (size / 2) + 0.5).clamp_(0, 1)[:, None]
    opacity = opacity * complete[:, None, None, None]
    crops[faces] = torch.lerp(crops[faces], draw_textures(crops, faces, _SHARES, generator), opacity)
    covered[faces] = (depth(*columns)[..., 0] > 0) & complete[:, None]
    return crops, covered


_DIRECTIONS = 20  # number of lines that bound a hull

# RGB of masks: surgical blue and green, white, black, gray. The last one is replaced by the wearer's skin color.
_MASKS = [[150, 190, 220], [110, 165, 200], [150, 205, 195], [235, 238, 240], [25, 25, 28], [110, 110, 115], [0, 0, 0]]


def wear_masks(crops: Tensor, points: Tensor, config: CoverConfig, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Put a face mask on some faces, from the nose over the cheeks to below the chin.

    Arguments and return values are those of `cover_halves`.
    """
    device, size = crops.device, crops.shape[-1]
    covered = torch.zeros(points.shape[:2], dtype=torch.bool, device=device)
    faces, chosen, complete = _choose_faces(points, config.mask_probability, generator)
    count = len(faces)
    if count == 0:
        return crops, covered
    frame = FaceFrame.of(chosen)

    def between(a: int, b: int, share: Tensor) -> Tensor:
        return torch.lerp(chosen[:, a : a + 1], chosen[:, b : b + 1], share)

    rise = uniform((count, 1, 1), 0, 1, generator, device)
    bridge = between(28, 30, uniform((count, 1, 1), 0, 1, generator, device))
    # If the far cheek is hidden, the nose, the mouth and the chin bound the mask.
    cheeks = torch.cat([between(1, 3, rise), between(15, 13, rise)], 1)
    beneath = torch.cat([cheeks, bridge, chosen[:, 3:14], chosen[:, 30:36], chosen[:, 48:60]], 1)
    # A mask is larger than the part of the face that it covers.
    margin = uniform((count, 1), 0.02, 0.12, generator, device) * frame.unit[:, None]
    x, y = pixel_centers(size, device)
    inside = inside_hull(beneath, margin, x, y)

    last = len(_MASKS) - 1
    which = uniform((count,), 0, last + 1, generator, device).long().clamp(max=last)
    color = to_device(torch.tensor(_MASKS, dtype=torch.float32), device)[which][..., None, None]
    color = torch.where((which == last).reshape(-1, 1, 1, 1), skin_color(crops, faces), color)
    color = color + uniform((count, 3, 1, 1), -20, 20, generator, device)
    # Horizontal pleats, and light from one side.
    high = along(frame.down, x, y) / frame.unit[:, None, None]
    broad = along(frame.right, x, y) / frame.unit[:, None, None]
    pleats = (uniform((count, 1, 1), 8, 22, generator, device) * (high + 0.15 * broad.square())).sin()
    shade = 1 + uniform((count, 1, 1), 0, 0.1, generator, device) * pleats
    shade = shade + uniform((count, 1, 1), -0.15, 0.15, generator, device) * broad
    cloth = (color * shade[:, None]).clamp_(0, 255)
    crops[faces] = torch.where((inside & complete[:, None, None])[:, None], cloth, crops[faces])
    covered[faces] = inside_hull(beneath, margin, *point_columns(chosen))[..., 0] & complete[:, None]
    return crops, covered


def _choose_faces(points: Tensor, probability: float, generator: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
    """Choose faces at random.

    Returns:
        (b,) int64 indices; (b, 68, 2) points, 0 instead of NaN; (b,) bool, True where all points are known. The mask
        stays on the device, because reading it would wait for the device.
    """
    drawn = pick(len(points), probability, generator, generator.device).nonzero()[:, 0]
    faces = to_device(drawn, points.device)
    chosen = points[faces]
    return faces, chosen.nan_to_num(), torch.isfinite(chosen).all(-1).all(-1)


def inside_hull(points: Tensor, margin: Tensor, x: Tensor, y: Tensor) -> Tensor:
    """Test whether positions are inside the convex hull of points.

    The hull is approximated by `_DIRECTIONS` lines that touch it and are then moved outwards.

    Args:
        points: (b, P, 2) crop frame.
        margin: (b, 1) distance by which the lines are moved outwards.
        x, y: positions, crop frame, see `pixel_centers`.

    Returns:
        (b, n, m) bool.
    """
    angle = torch.arange(_DIRECTIONS, device=points.device) * (2 * torch.pi / _DIRECTIONS)
    c, s = angle.cos(), angle.sin()
    reach = (c * points[..., :1] + s * points[..., 1:]).amax(1) + margin
    c, s = c[:, None, None], s[:, None, None]
    return (c * x[:, None] + (s * y[:, None] - reach[..., None, None]) < 0).all(1)
