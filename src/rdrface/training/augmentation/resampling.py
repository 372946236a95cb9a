"""Sampling of training crops from packed crops, with padding outside the image."""

import torch
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d, grid_sample

from rdrface.training.augmentation.rng import to_device, uniform

PADDINGS = ("black", "edge", "reflection", "other face", "color", "noise")
"""Kinds of padding outside the image, in the order of `PaddingShares`."""

PaddingShares = tuple[float, float, float, float, float, float]
"""Relative frequency of each of `PADDINGS`."""


def sample(
    images: Tensor,
    valid: Tensor,
    size: int,
    scale: Tensor,
    angle: Tensor,
    shift: Tensor,
    shares: PaddingShares | Tensor,
    generator: torch.Generator,
) -> Tensor:
    """Sample crops from packed crops by the similarity crop = scale Rot(angle) packed + shift.

    Crops that are much smaller than the packed crops are averaged to avoid aliasing.

    Args:
        images: (B, S, S, 3) uint8 packed crops.
        valid: (B, 4) xyxy of the image, packed frame.
        size: N, side of the crops in pixels.
        scale, angle, shift: (B,), (B,) radians clockwise as seen, (B, 2).
        shares: relative frequency of each of `PADDINGS`, or a (B, 6) tensor with the frequencies for every face.
        generator: random number generator.

    Returns:
        (B, 3, N, N) float32 0..255.
    """
    count, device = len(images), valid.device
    source = images.permute(0, 3, 1, 2).float()
    # Linear sampling aliases if a crop pixel is wider than some packed pixels: average blocks first, from two pixels on
    # as `rdrface.crop.cut` does, so that training crops are as sharp as those at inference. The packed frame does not
    # depend on the resolution, so the grid does not change. Crops are parts of packed crops (scale at least 1), so the
    # scales of small packed crops are not read, which would wait for an accelerator.
    if source.shape[-1] >= 2 * size:
        shrink = int(source.shape[-1] / (size * float(scale.median())))
        if shrink > 1:
            source = adaptive_avg_pool2d(source, max(source.shape[-1] // shrink, 1))
    # Inverse similarity: packed = Rot(-angle) (crop - shift) / scale. Each coordinate is the sum of a row and a column.
    axis = (2 * torch.arange(size, device=device) + 1) / size - 1
    across = (axis[None] - shift[:, :1]) / scale[:, None]
    down = (axis[None] - shift[:, 1:]) / scale[:, None]
    c, s = angle.cos()[:, None], angle.sin()[:, None]
    x = (c * across)[:, None, :] + (s * down)[:, :, None]
    y = (c * down)[:, :, None] - (s * across)[:, None, :]
    inset = 1 / source.shape[-1]  # half a pixel, so that pixels are not interpolated with the black outside
    low = (valid[:, :2] + inset)[:, :, None, None]
    high = torch.maximum((valid[:, 2:] - inset)[:, :, None, None], low)
    grid = torch.empty(count, size, size, 2, device=device)
    torch.clamp(x, low[:, 0], high[:, 0], out=grid[..., 0])
    torch.clamp(y, low[:, 1], high[:, 1], out=grid[..., 1])
    # The edge of the image is half a pixel beyond the inset: two comparisons instead of four with `valid`.
    outside = ((x - grid[..., 0]).abs_() > inset).logical_or_((y - grid[..., 1]).abs_() > inset)
    padding = _draw_padding(count, shares, generator)
    reflected = _faces_with(padding, "reflection", device)
    if len(reflected):
        positions = torch.stack([x[reflected], y[reflected]], -1)
        grid[reflected] = _reflect(positions, low[reflected], high[reflected])
    crops = grid_sample(source, grid, mode="bilinear", align_corners=False)
    return _pad(crops, outside[:, None], padding, generator)


def _reflect(grid: Tensor, low: Tensor, high: Tensor) -> Tensor:
    """Reflect positions (b, N, N, 2) outside the image at its edges."""
    low, high = low[..., 0].transpose(1, 2)[:, None], high[..., 0].transpose(1, 2)[:, None]
    folded = torch.where(grid < low, 2 * low - grid, torch.where(grid > high, 2 * high - grid, grid))
    return torch.minimum(torch.maximum(folded, low), high)


def _pad(crops: Tensor, outside: Tensor, padding: Tensor, generator: torch.Generator) -> Tensor:
    """Pad crops in place where they are outside the image, (B, 1, N, N) bool, by the kind of padding (B,)."""
    count, device = len(crops), crops.device
    black = _faces_with(padding, "black", device)
    if len(black):
        crops[black] = crops[black].masked_fill_(outside[black], 0.0)
    other = _faces_with(padding, "other face", device)
    if len(other):
        # The next crop of the batch.
        crops[other] = torch.where(outside[other], crops[(other + 1) % count], crops[other])
    flat = _faces_with(padding, "color", device)
    if len(flat):
        color = uniform((len(flat), 3, 1, 1), 0, 255, generator, device)
        crops[flat] = torch.where(outside[flat], color, crops[flat])
    noisy = _faces_with(padding, "noise", device)
    if len(noisy):
        noise = uniform((len(noisy), *crops.shape[1:]), 0, 255, generator, device)
        crops[noisy] = torch.where(outside[noisy], noise, crops[noisy])
    return crops


def _faces_with(padding: Tensor, kind: str, device: torch.device) -> Tensor:
    """(b,) int64 indices of the faces with a kind of padding."""
    return to_device((padding == PADDINGS.index(kind)).nonzero()[:, 0], device)


def _draw_padding(count: int, shares: PaddingShares | Tensor, generator: torch.Generator) -> Tensor:
    """(B,) int64 indices into `PADDINGS`, on the generator's device: the choice decides what is computed."""
    device = generator.device
    edges = torch.as_tensor(shares, device=device).cumsum(-1).expand(count, -1)
    drawn = uniform((count, 1), 0, 1, generator, device) * edges[:, -1:]
    return torch.searchsorted(edges.contiguous(), drawn)[:, 0].clamp(max=edges.shape[1] - 1)
