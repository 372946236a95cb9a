"""Textures of occluders: colors, gradients, noise, strands of hair, skin, another face."""

import torch
from torch import Tensor
from torch.nn.functional import interpolate

from rdrface.training.augmentation.face_frame import pixel_centers
from rdrface.training.augmentation.rng import to_device, uniform

TEXTURES = ("color", "gradient", "noise", "coarse noise", "strands", "skin", "other face")
"""Kinds of texture, in the order of `TextureShares`."""

TextureShares = tuple[float, float, float, float, float, float, float]
"""Relative frequency of each of `TEXTURES`."""

# RGB of hair and of dark cloth.
_HAIR = [[20, 17, 16], [45, 32, 26], [85, 58, 38], [140, 95, 55], [190, 160, 110], [125, 120, 118], [215, 210, 205]]


def draw_textures(crops: Tensor, faces: Tensor, shares: TextureShares, generator: torch.Generator) -> Tensor:
    """Draw a texture of the size of a crop for each of some faces.

    Args:
        crops: (B, 3, N, N) float32 0..255.
        faces: (b,) int64 indices of the faces.
        shares: relative frequency of each of `TEXTURES`.
        generator: random number generator.

    Returns:
        (b, 3, N, N) float32 0..255.
    """
    count, size, device = len(faces), crops.shape[-1], crops.device
    edges = to_device(torch.tensor(shares), device).cumsum(0)
    drawn = uniform((count,), 0, 1, generator, device) * edges[-1]
    kind = torch.searchsorted(edges, drawn, right=True).clamp(max=len(shares) - 1).reshape(-1, 1, 1, 1)

    def strength_of(low: float, high: float, *names: str) -> Tensor:
        strength = uniform((count, 1, 1, 1), low, high, generator, device)
        chosen = torch.stack([kind == TEXTURES.index(name) for name in names]).any(0)
        return torch.where(chosen, strength, 0.0)

    # One formula for all kinds avoids sub-batches. Terms of kinds without a share are not computed.
    used = {name for name, share in zip(TEXTURES, shares, strict=True) if share > 0}
    texture = _base_color(crops, faces, kind, generator)
    if used & {"gradient", "strands", "skin"}:
        x, y = (axis[None] for axis in pixel_centers(size, device))
        angle = uniform((count, 1, 1, 1), 0, 2 * torch.pi, generator, device)
        across = angle.cos() * x + angle.sin() * y
        light = strength_of(40.0, 140.0, "gradient") * across + strength_of(5.0, 30.0, "skin", "strands") * across
        if "strands" in used:
            frequency = uniform((count, 1, 1, 1), 15.0, 70.0, generator, device)
            wave = 3 * torch.cos(2 * y + angle)
            light = light + strength_of(8.0, 30.0, "strands") * (frequency * across + wave).sin()
        texture = texture + light
    if "coarse noise" in used:
        coarse = uniform((count, 1, max(size // 8, 2), max(size // 8, 2)), -1, 1, generator, device)
        coarse = interpolate(coarse, size=size, mode="bicubic", align_corners=False)
        texture = texture + strength_of(30.0, 130.0, "coarse noise") * coarse
    if used & {"gradient", "strands", "skin", "coarse noise"}:
        texture = texture.clamp_(0, 255)
    if "noise" in used:
        # All faces share the noise, because drawing it is slow.
        noise = uniform((1, 3, size, size), 0, 255, generator, device)
        texture = torch.where(kind == TEXTURES.index("noise"), noise, texture)
    # The other face is upside down, so that it is not a second face in the correct position.
    other = crops[(faces + 1) % len(crops)].flip(2)
    return torch.where(kind == TEXTURES.index("other face"), other, texture)


def skin_color(crops: Tensor, faces: Tensor) -> Tensor:
    """(b, 3, 1, 1) mean color of the center of the crops `faces` (b,)."""
    size = crops.shape[-1]
    return crops[faces, :, size // 4 : -(size // 4) : 2, size // 4 : -(size // 4) : 2].mean((2, 3), keepdim=True)


def _base_color(crops: Tensor, faces: Tensor, kind: Tensor, generator: torch.Generator) -> Tensor:
    """(b, 3, 1, 1) mean color of the textures of `kind` (b, 1, 1, 1)."""
    count, device = len(faces), crops.device
    color = uniform((count, 3, 1, 1), 0, 255, generator, device)
    hair = to_device(torch.tensor(_HAIR, dtype=torch.float32), device)
    hair = hair[uniform((count,), 0, len(_HAIR), generator, device).long().clamp(max=len(_HAIR) - 1)][..., None, None]
    variation = 0.06 * (color - 127.5)
    color = torch.where(kind == TEXTURES.index("strands"), hair + variation, color)
    light = uniform((count, 1, 1, 1), 0.8, 1.2, generator, device)
    return torch.where(kind == TEXTURES.index("skin"), skin_color(crops, faces) * light + variation, color)
