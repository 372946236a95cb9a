"""What occluders are filled with: colors, gradients, textures, strands, skin, a piece of another face."""

import torch
from torch import Tensor
from torch.nn.functional import interpolate

from rdrface.training.augmentation.face_frame import pixel_centers
from rdrface.training.augmentation.rng import to_device, uniform

FILLINGS = ("color", "gradient", "noise", "texture", "strands", "skin", "other face")
"""Kinds of filling, in the order of the shares given to `draw_fillings`."""

Shares = tuple[float, float, float, float, float, float, float]

# RGB of hair and of dark cloth.
_HAIR = [[20, 17, 16], [45, 32, 26], [85, 58, 38], [140, 95, 55], [190, 160, 110], [125, 120, 118], [215, 210, 205]]


def draw_fillings(crops: Tensor, faces: Tensor, shares: Shares, generator: torch.Generator) -> Tensor:
    """A filling of the whole crop for each of some faces.

    Args:
        crops: (B, 3, N, N) float32 0..255.
        faces: (b,) int64, which faces get one.
        shares: relative frequency of each of `FILLINGS`.
        generator: source of chance.

    Returns:
        (b, 3, N, N) float32 0..255.
    """
    count, size, device = len(faces), crops.shape[-1], crops.device
    edges = to_device(torch.tensor(shares), device).cumsum(0)
    drawn = uniform((count,), 0, 1, generator, device) * edges[-1]
    kind = torch.searchsorted(edges, drawn, right=True).clamp(max=len(shares) - 1).reshape(-1, 1, 1, 1)

    def only(low: float, high: float, *names: str) -> Tensor:
        strength = uniform((count, 1, 1, 1), low, high, generator, device)
        chosen = torch.stack([kind == FILLINGS.index(name) for name in names]).any(0)
        return torch.where(chosen, strength, 0.0)

    # One formula for all kinds, so that none needs its own sub-batch; a kind without a share costs nothing.
    wanted = {name for name, share in zip(FILLINGS, shares, strict=True) if share > 0}
    filling = _color(crops, faces, kind, generator)
    if wanted & {"gradient", "strands", "skin"}:
        x, y = (axis[None] for axis in pixel_centers(size, device))
        turn = uniform((count, 1, 1, 1), 0, 2 * torch.pi, generator, device)
        across = turn.cos() * x + turn.sin() * y
        light = only(40.0, 140.0, "gradient") * across + only(5.0, 30.0, "skin", "strands") * across
        if "strands" in wanted:
            frequency = uniform((count, 1, 1, 1), 15.0, 70.0, generator, device)
            wave = 3 * torch.cos(2 * y + turn)
            light = light + only(8.0, 30.0, "strands") * (frequency * across + wave).sin()
        filling = filling + light
    if "texture" in wanted:
        coarse = uniform((count, 1, max(size // 8, 2), max(size // 8, 2)), -1, 1, generator, device)
        coarse = interpolate(coarse, size=size, mode="bicubic", align_corners=False)
        filling = filling + only(30.0, 130.0, "texture") * coarse
    if wanted & {"gradient", "strands", "skin", "texture"}:
        filling = filling.clamp_(0, 255)
    if "noise" in wanted:
        # The same noise for all: nothing can be learned from it, and drawing it is slow.
        noise = uniform((1, 3, size, size), 0, 255, generator, device)
        filling = torch.where(kind == FILLINGS.index("noise"), noise, filling)
    # Another face, turned half round so that no second face in the right place appears.
    other = crops[(faces + 1) % len(crops)].flip(2)
    return torch.where(kind == FILLINGS.index("other face"), other, filling)


def own_skin(crops: Tensor, faces: Tensor) -> Tensor:
    """(b, 3, 1, 1) mean color of the middle of the crops of `faces`."""
    size = crops.shape[-1]
    return crops[faces, :, size // 4 : -(size // 4) : 2, size // 4 : -(size // 4) : 2].mean((2, 3), keepdim=True)


def _color(crops: Tensor, faces: Tensor, kind: Tensor, generator: torch.Generator) -> Tensor:
    count, device = len(faces), crops.device
    color = uniform((count, 3, 1, 1), 0, 255, generator, device)
    hair = to_device(torch.tensor(_HAIR, dtype=torch.float32), device)
    hair = hair[uniform((count,), 0, len(_HAIR), generator, device).long().clamp(max=len(_HAIR) - 1)][..., None, None]
    near = 0.06 * (color - 127.5)
    color = torch.where(kind == FILLINGS.index("strands"), hair + near, color)
    light = uniform((count, 1, 1, 1), 0.8, 1.2, generator, device)
    return torch.where(kind == FILLINGS.index("skin"), own_skin(crops, faces) * light + near, color)
