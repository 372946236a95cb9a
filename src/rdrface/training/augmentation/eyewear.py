"""Sunglasses and clear glasses, placed by the landmarks of the eyes, the nose and the ears' side of the contour."""

from dataclasses import dataclass

import torch
from torch import Tensor

from rdrface.training.augmentation.face_frame import FaceFrame, pixel_centers, point_columns
from rdrface.training.augmentation.rng import pick, to_device, uniform


@dataclass(frozen=True)
class EyewearConfig:
    """How often, and what glasses look like."""

    sunglasses: float = 0.06  # probability
    clear: float = 0.04  # probability of frames with clear lenses
    size: tuple[float, float] = (1.2, 2.2)  # width of a lens in units of the eye's
    aspect: tuple[float, float] = (0.55, 0.95)  # height of a lens in units of its width, seen from the front
    opacity: tuple[float, float] = (0.7, 1.0)  # of dark lenses
    rim: tuple[float, float] = (0.03, 0.18)  # in units of the lens's half sides


def no_eyewear() -> EyewearConfig:
    """The configuration that puts glasses on nobody."""
    return EyewearConfig(sunglasses=0.0, clear=0.0)


EYE_WIDTH = 0.42
"""Width of an eye, seen from the front, in units of the distance from the eyes to the mouth."""


def wear_glasses(
    crops: Tensor, points: Tensor, config: EyewearConfig, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Put sunglasses or clear glasses on some faces.

    Args:
        crops: (B, 3, N, N) float32 0..255, changed in place.
        points: (B, 68, 2) crop frame, all of the face; faces with an unknown point are left alone.
        config: how often, and what they look like.
        generator: source of chance.

    Returns:
        crops, and covered (B, 68) bool: the points behind dark lenses. What is behind clear lenses stays visible.
    """
    device, size = crops.device, crops.shape[-1]
    covered = torch.zeros(points.shape[:2], dtype=torch.bool, device=device)
    kind = uniform((len(crops),), 0, 1, generator, generator.device)
    wearing = (kind < config.sunglasses + config.clear).nonzero()[:, 0]
    faces = to_device(wearing, device)
    count = len(faces)
    if count == 0:
        return crops, covered
    dark = to_device(kind[wearing] < config.sunglasses, device).reshape(-1, 1, 1, 1)
    # Which faces are whole stays on the device: to ask would wait for it.
    whole = torch.isfinite(points[faces]).all(-1).all(-1)
    here = points[faces].nan_to_num()
    glasses = _Glasses.on(here, 2 / size, config, generator)
    x, y = pixel_centers(size, device)
    u, v, level = glasses.lenses(x, y)
    inner = level < 1
    # Some sunglasses have no rim; clear glasses would then hardly be seen.
    rimless = dark & pick(count, 0.35, generator, device).reshape(-1, 1, 1, 1)
    outer = torch.where(rimless, inner, level < glasses.outer)
    frame = (outer & ~inner).any(1) | glasses.bars(here, x, y)

    lens = _lens_colors(crops, faces, u, v, generator)
    clear = uniform((count, 1, 1, 1), 0.0, 0.12, generator, device)
    opacity = torch.where(dark, uniform((count, 1, 1, 1), *config.opacity, generator, device), clear)
    # A streak of light across both lenses, in the same place of each.
    streak = uniform((count, 1, 1, 1), -0.8, 0.8, generator, device)
    breadth = uniform((count, 1, 1, 1), 0.0, 0.3, generator, device)
    light = ((u + 0.6 * v - streak).abs() < breadth) & inner
    shine = light.any(1, keepdim=True) * uniform((count, 1, 1, 1), 0.0, 0.6, generator, device)
    seen = torch.lerp(crops[faces], lens, opacity * inner.any(1, keepdim=True))
    seen = torch.lerp(seen, torch.full_like(shine, 255.0), shine)
    tone = uniform((count, 3, 1, 1), 0, 255, generator, device)
    black = pick(count, 0.6, generator, device).reshape(-1, 1, 1, 1)
    seen = torch.where(frame[:, None], torch.where(black, 0.15 * tone, tone), seen)
    crops[faces] = torch.where(whole.reshape(-1, 1, 1, 1), seen, crops[faces])

    behind = torch.where(dark, glasses.lenses(*point_columns(here))[2] < glasses.outer, False)
    covered[faces] = behind.any(1)[..., 0] & whole[:, None]
    return crops, covered


@dataclass(frozen=True)
class _Glasses:
    """Two lenses per face; the second axis is the eye, the picture's left first.

    Attributes:
        center: (b, 2, 2) crop frame.
        half: (b, 2, 2) from a lens's center to its right end.
        tall: (b, 2, 2) from a lens's center to its lower end.
        boxy: (b, 1, 1, 1) 0: ellipse, 1: rounded box.
        outer: (b, 1, 1, 1) level of the rim's outside.
        thick: (b,) of bridge and temples, crop frame.
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
        # Glasses sit in front of the eyes, where the root of the nose is: to the side it points to when turned.
        forward = ((points[:, 27] - eyes.mean(1)) * frame.right).sum(-1)
        lower = uniform((count, 1), -0.02, 0.08, generator, device) * unit
        center = eyes + (0.7 * forward)[:, None, None] * right + lower[..., None] * down
        # The eye's corners give the foreshortening; edge-on, a lens keeps some width.
        across = torch.stack([points[:, 39] - points[:, 36], points[:, 45] - points[:, 42]], 1)
        width = (across * right).sum(-1).clamp(min=0.08 * unit)
        # Both lenses lie on the line through the outer corners, which a profile does not show.
        line = points[:, 45:46] - points[:, 36:37]
        rise = width * ((line * down).sum(-1) / (line * right).sum(-1).clamp(min=unit)).clamp(-0.3, 0.3)
        size = uniform((count, 1), *config.size, generator, device)
        half = (width[..., None] * right + rise[..., None] * down) * size[..., None] / 2
        aspect = uniform((count, 1), *config.aspect, generator, device)
        tall = ((aspect * size * EYE_WIDTH / 2 * unit)[..., None] * down).expand(-1, 2, -1)
        boxy = uniform((count, 1, 1, 1), 0, 1, generator, device)
        rim = uniform((count, 1, 1, 1), *config.rim, generator, device)
        lens = (size[:, 0] * EYE_WIDTH / 2 * frame.unit).reshape(-1, 1, 1, 1)
        # Thinner than a pixel, a line would be dashed.
        rim = torch.maximum(rim, 1.3 * pixel / lens)
        thick = (0.5 * rim * lens)[:, 0, 0, 0].clamp(min=0.65 * pixel)
        return cls(center, half, tall, boxy, torch.lerp((1 + rim) ** 2, (1 + rim) ** 4, boxy), thick)

    def lenses(self, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """u, v (b, 2, n, m) of places in units of each lens's half sides, and the level, below 1 inside the lens."""
        (ax, ay), (bx, by) = self.half.unbind(-1), self.tall.unbind(-1)
        det = ax * by - ay * bx
        cx, cy = self.center.unbind(-1)
        u = _linear(by / det, -bx / det, (bx * cy - by * cx) / det, x, y)
        v = _linear(-ay / det, ax / det, (ay * cx - ax * cy) / det, x, y)
        p, q = u * u, v * v
        return u, v, torch.lerp(p + q, p * p + q * q, self.boxy)

    def bars(self, points: Tensor, x: Tensor, y: Tensor) -> Tensor:
        """(b, n, m) bool: bridge, and the temple of each side whose ear is seen."""
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
        # A temple runs outwards; where the contour lies inside the lens, the head hides it.
        shown = (step * torch.stack([step[:, 0], -a, b], 1)).sum(-1) > 0
        return (within & shown[..., None, None]).any(1)


def _linear(a: Tensor, b: Tensor, c: Tensor, x: Tensor, y: Tensor) -> Tensor:
    # (b, k, n, m) of a x + b y + c, coefficients (b, k).
    return a[..., None, None] * x[:, None] + (b[..., None, None] * y[:, None] + c[..., None, None])


def _lens_colors(crops: Tensor, faces: Tensor, u: Tensor, v: Tensor, generator: torch.Generator) -> Tensor:
    """(b, 3, N, N) what lenses show: dark, colored, or mirroring, lighter or darker towards the top."""
    count, device = len(faces), crops.device
    kind = uniform((count, 1, 1, 1), 0, 1, generator, device)
    color = uniform((count, 3, 1, 1), 0, 1, generator, device)
    dark, tinted = 45 * color, 30 + 130 * color
    # A mirror shows what is in front of the face; another photo of the batch, upside down, stands for it.
    mirrored = 0.5 * crops[(faces + 1) % len(crops)].flip(2) + 100 * color
    lens = torch.where(kind < 0.6, dark, torch.where(kind < 0.85, tinted, mirrored))
    fade = uniform((count, 1, 1, 1), -0.5, 0.3, generator, device)
    return (lens * (1 + fade * v[:, :1].clamp(-1, 1))).clamp_(0, 255)
