"""Sunglasses and clear glasses, placed by the landmarks of the eyes, the nose and the ends of the contour."""

from dataclasses import dataclass

import torch
from torch import Tensor

from rdrface.training.augmentation.face_frame import FaceFrame, pixel_centers, point_columns
from rdrface.training.augmentation.rng import pick, to_device, uniform


@dataclass(frozen=True)
class EyewearConfig:
    """Probability and shape of glasses."""

    sunglasses_probability: float = 0.06
    clear_glasses_probability: float = 0.04
    lens_width_range: tuple[float, float] = (1.2, 2.2)  # in eye widths
    lens_aspect_range: tuple[float, float] = (0.55, 0.95)  # height / width of a lens, seen from the front
    dark_opacity_range: tuple[float, float] = (0.7, 1.0)  # of the lenses of sunglasses
    rim_width_range: tuple[float, float] = (0.03, 0.18)  # in units of the half sides of the lens


def no_eyewear() -> EyewearConfig:
    """Configuration without glasses."""
    return EyewearConfig(sunglasses_probability=0.0, clear_glasses_probability=0.0)


EYE_WIDTH = 0.42
"""Width of an eye, seen from the front, in units of the distance from the eyes to the mouth."""


def wear_glasses(
    crops: Tensor, points: Tensor, config: EyewearConfig, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Put sunglasses or clear glasses on some faces.

    Args:
        crops: (B, 3, N, N) float32 0..255, changed in place.
        points: (B, 68, 2) crop frame; faces with a NaN do not change.
        config: probability and shape of glasses.
        generator: random number generator.

    Returns:
        crops (B, 3, N, N), and covered (B, 68) bool: True for points behind dark lenses. Points behind clear lenses
        stay visible.
    """
    device, size = crops.device, crops.shape[-1]
    covered = torch.zeros(points.shape[:2], dtype=torch.bool, device=device)
    kind = uniform((len(crops),), 0, 1, generator, generator.device)
    wearing = (kind < config.sunglasses_probability + config.clear_glasses_probability).nonzero()[:, 0]
    faces = to_device(wearing, device)
    count = len(faces)
    if count == 0:
        return crops, covered
    dark = to_device(kind[wearing] < config.sunglasses_probability, device).reshape(-1, 1, 1, 1)
    # This mask stays on the device: reading it would wait for the device.
    complete = torch.isfinite(points[faces]).all(-1).all(-1)
    chosen = points[faces].nan_to_num()
    glasses = _Glasses.on(chosen, 2 / size, config, generator)
    x, y = pixel_centers(size, device)
    u, v, level = glasses.lenses(x, y)
    inner = level < 1
    # Some sunglasses have no rim. Clear glasses always have one, or they would be almost invisible.
    rimless = dark & pick(count, 0.35, generator, device).reshape(-1, 1, 1, 1)
    outer = torch.where(rimless, inner, level < glasses.outer)
    frame = (outer & ~inner).any(1) | glasses.bars(chosen, x, y)

    lens = _lens_colors(crops, faces, u, v, generator)
    clear = uniform((count, 1, 1, 1), 0.0, 0.12, generator, device)
    opacity = torch.where(dark, uniform((count, 1, 1, 1), *config.dark_opacity_range, generator, device), clear)
    # A reflection across both lenses, in the same position on each.
    position = uniform((count, 1, 1, 1), -0.8, 0.8, generator, device)
    half_width = uniform((count, 1, 1, 1), 0.0, 0.3, generator, device)
    reflection = ((u + 0.6 * v - position).abs() < half_width) & inner
    strength = reflection.any(1, keepdim=True) * uniform((count, 1, 1, 1), 0.0, 0.6, generator, device)
    pixels = torch.lerp(crops[faces], lens, opacity * inner.any(1, keepdim=True))
    pixels = torch.lerp(pixels, torch.full_like(strength, 255.0), strength)
    color = uniform((count, 3, 1, 1), 0, 255, generator, device)
    black = pick(count, 0.6, generator, device).reshape(-1, 1, 1, 1)
    pixels = torch.where(frame[:, None], torch.where(black, 0.15 * color, color), pixels)
    crops[faces] = torch.where(complete.reshape(-1, 1, 1, 1), pixels, crops[faces])

    behind = torch.where(dark, glasses.lenses(*point_columns(chosen))[2] < glasses.outer, False)
    covered[faces] = behind.any(1)[..., 0] & complete[:, None]
    return crops, covered


@dataclass(frozen=True)
class _Glasses:
    """Glasses of b faces. The second axis is the lens; the first lens is on the left of the image.

    Attributes:
        center: (b, 2, 2) crop frame.
        half: (b, 2, 2) from the center of a lens to its right end.
        tall: (b, 2, 2) from the center of a lens to its lower end.
        boxy: (b, 1, 1, 1) shape: 0 is an ellipse, 1 a rounded box.
        outer: (b, 1, 1, 1) level of the outer edge of the rim, see `lenses`.
        thick: (b,) half the thickness of bridge and temples, crop frame.
    """

    center: Tensor
    half: Tensor
    tall: Tensor
    boxy: Tensor
    outer: Tensor
    thick: Tensor

    @classmethod
    def on(cls, points: Tensor, pixel: float, config: EyewearConfig, generator: torch.Generator) -> "_Glasses":
        count, device = len(points), points.device
        frame = FaceFrame.of(points)
        unit, right, down = frame.unit[:, None], frame.right[:, None], frame.down[:, None]
        eyes = torch.stack([points[:, 36:42].mean(1), points[:, 42:48].mean(1)], 1)
        # Glasses are in front of the eyes, like the root of the nose: a yaw shifts both to the side.
        forward = ((points[:, 27] - eyes.mean(1)) * frame.right).sum(-1)
        offset = uniform((count, 1), -0.02, 0.08, generator, device) * unit  # downwards
        center = eyes + (0.7 * forward)[:, None, None] * right + offset[..., None] * down
        # The corners of the eye give the foreshortening. In a profile, a lens keeps some width.
        across = torch.stack([points[:, 39] - points[:, 36], points[:, 45] - points[:, 42]], 1)
        width = (across * right).sum(-1).clamp(min=0.08 * unit)
        # Both lenses are on the line through the outer corners, which is not defined in a profile.
        line = points[:, 45:46] - points[:, 36:37]
        rise = width * ((line * down).sum(-1) / (line * right).sum(-1).clamp(min=unit)).clamp(-0.3, 0.3)
        size = uniform((count, 1), *config.lens_width_range, generator, device)
        half = (width[..., None] * right + rise[..., None] * down) * size[..., None] / 2
        aspect = uniform((count, 1), *config.lens_aspect_range, generator, device)
        tall = ((aspect * size * EYE_WIDTH / 2 * unit)[..., None] * down).expand(-1, 2, -1)
        boxy = uniform((count, 1, 1, 1), 0, 1, generator, device)
        rim = uniform((count, 1, 1, 1), *config.rim_width_range, generator, device)
        lens = (size[:, 0] * EYE_WIDTH / 2 * frame.unit).reshape(-1, 1, 1, 1)
        # A line thinner than a pixel would have gaps.
        rim = torch.maximum(rim, 1.3 * pixel / lens)
        thick = (0.5 * rim * lens)[:, 0, 0, 0].clamp(min=0.65 * pixel)
        return cls(center, half, tall, boxy, torch.lerp((1 + rim) ** 2, (1 + rim) ** 4, boxy), thick)

    def lenses(self, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Coordinates relative to the lenses.

        Args:
            x, y: positions, crop frame, see `pixel_centers`.

        Returns:
            u, v (b, 2, n, m) in units of the half sides of each lens; level (b, 2, n, m), below 1 inside the lens.
        """
        (ax, ay), (bx, by) = self.half.unbind(-1), self.tall.unbind(-1)
        det = ax * by - ay * bx
        cx, cy = self.center.unbind(-1)
        u = _linear(by / det, -bx / det, (bx * cy - by * cx) / det, x, y)
        v = _linear(-ay / det, ax / det, (ay * cx - ax * cy) / det, x, y)
        p, q = u * u, v * v
        return u, v, torch.lerp(p + q, p * p + q * q, self.boxy)

    def bars(self, points: Tensor, x: Tensor, y: Tensor) -> Tensor:
        """(b, n, m) bool: the positions are on the bridge or on a visible temple."""
        (left, right), (a, b) = self.center.unbind(1), self.half.unbind(1)
        up = -0.3 * self.tall[:, 0]
        starts = torch.stack([left + a + up, left - a + up, right + b + up], 1)
        ears = points[:, [0, 16]]
        ends = torch.stack([right - b + up, ears[:, 0], ears[:, 1]], 1)
        step = ends - starts
        length = step.norm(dim=-1).clamp(min=1e-6)
        sx, sy = (step / length[..., None]).unbind(-1)
        mx, my = ((starts + ends) / 2).unbind(-1)
        half, thick = length / 2, self.thick[:, None]
        lengthwise = _linear(sx / half, sy / half, -(sx * mx + sy * my) / half, x, y).abs_()
        across = _linear(-sy / thick, sx / thick, (sy * mx - sx * my) / thick, x, y).abs_()
        within = torch.maximum(lengthwise, across) < 1
        # A visible temple runs outwards. If the contour ends inside the lens, the head hides the temple.
        visible = (step * torch.stack([step[:, 0], -a, b], 1)).sum(-1) > 0
        return (within & visible[..., None, None]).any(1)


def _linear(a: Tensor, b: Tensor, c: Tensor, x: Tensor, y: Tensor) -> Tensor:
    """(b, k, n, m) values of a x + b y + c with coefficients (b, k)."""
    return a[..., None, None] * x[:, None] + (b[..., None, None] * y[:, None] + c[..., None, None])


def _lens_colors(crops: Tensor, faces: Tensor, u: Tensor, v: Tensor, generator: torch.Generator) -> Tensor:
    """(b, 3, N, N) colors of dark, tinted or mirrored lenses, with a vertical gradient."""
    count, device = len(faces), crops.device
    kind = uniform((count, 1, 1, 1), 0, 1, generator, device)
    color = uniform((count, 3, 1, 1), 0, 1, generator, device)
    dark, tinted = 45 * color, 30 + 130 * color
    # The reflection in a mirrored lens is another crop of the batch, upside down.
    mirrored = 0.5 * crops[(faces + 1) % len(crops)].flip(2) + 100 * color
    lens = torch.where(kind < 0.6, dark, torch.where(kind < 0.85, tinted, mirrored))
    fade = uniform((count, 1, 1, 1), -0.5, 0.3, generator, device)
    return (lens * (1 + fade * v[:, :1].clamp(-1, 1))).clamp_(0, 255)
