"""One interpolation from windows to crops, and what is seen where the photo ends."""

import torch
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d, grid_sample

from rdrface.training.augmentation.rng import to_device, uniform

BORDERS = ("black", "edge", "reflection", "other face", "color", "noise")
"""Ways to fill what lies outside the photo, in the order of the shares given to `sample`."""


def sample(
    windows: Tensor,
    valid: Tensor,
    size: int,
    scale: Tensor,
    angle: Tensor,
    shift: Tensor,
    shares: tuple[float, float, float, float, float, float] | Tensor,
    generator: torch.Generator,
) -> Tensor:
    """Crops seen through the similarity crop = scale Rot(angle) window + shift.

    Crops much smaller than their windows are averaged, not aliased.

    Args:
        windows: (B, S, S, 3) uint8.
        valid: (B, 4) xyxy window frame, where the photo is.
        size: N, side of the crops in pixels.
        scale, angle, shift: (B,), (B,) radians clockwise as seen, (B, 2).
        shares: relative frequency of each of `BORDERS`; (B, 6) to give every face its own.
        generator: source of chance.

    Returns:
        (B, 3, N, N) float32 0..255.
    """
    count, device = len(windows), valid.device
    source = windows.permute(0, 3, 1, 2).float()
    # Linear sampling aliases when a crop pixel is wider than about 1.5 window pixels: average blocks first. The window
    # frame does not depend on the resolution, so the grid stays as it is.
    # Crops are parts of their windows, scale >= 1: small windows need no look at the scales, which would wait for an
    # accelerator.
    if source.shape[-1] > 1.5 * size:
        shrink = int(source.shape[-1] / (size * float(scale.median())) + 0.5)
        if shrink > 1:
            source = adaptive_avg_pool2d(source, max(source.shape[-1] // shrink, 1))
    # The inverse similarity, window = Rot(-angle) (crop - shift) / scale, as two planes: sums of a row and a column.
    axis = (2 * torch.arange(size, device=device) + 1) / size - 1
    across = (axis[None] - shift[:, :1]) / scale[:, None]
    down = (axis[None] - shift[:, 1:]) / scale[:, None]
    c, s = angle.cos()[:, None], angle.sin()[:, None]
    x = (c * across)[:, None, :] + (s * down)[:, :, None]
    y = (c * down)[:, :, None] - (s * across)[:, None, :]
    inset = 1 / source.shape[-1]  # half a pixel: no interpolation with the black outside
    low = (valid[:, :2] + inset)[:, :, None, None]
    high = torch.maximum((valid[:, 2:] - inset)[:, :, None, None], low)
    grid = torch.empty(count, size, size, 2, device=device)
    torch.clamp(x, low[:, 0], high[:, 0], out=grid[..., 0])
    torch.clamp(y, low[:, 1], high[:, 1], out=grid[..., 1])
    # Half a pixel beyond the inset is the edge itself. Two float comparisons instead of four with `valid`.
    outside = ((x - grid[..., 0]).abs_() > inset).logical_or_((y - grid[..., 1]).abs_() > inset)
    style = _draw_style(count, shares, generator)
    turned_back = _faces(style == 2, device)
    if len(turned_back):
        grid[turned_back] = _reflect(
            torch.stack([x[turned_back], y[turned_back]], -1), low[turned_back], high[turned_back]
        )
    crops = grid_sample(source, grid, mode="bilinear", align_corners=False)
    return _fill(crops, outside[:, None], style, generator)


def _reflect(grid: Tensor, low: Tensor, high: Tensor) -> Tensor:
    low, high = low[..., 0].transpose(1, 2)[:, None], high[..., 0].transpose(1, 2)[:, None]
    folded = torch.where(grid < low, 2 * low - grid, torch.where(grid > high, 2 * high - grid, grid))
    return torch.minimum(torch.maximum(folded, low), high)


def _fill(crops: Tensor, outside: Tensor, style: Tensor, generator: torch.Generator) -> Tensor:
    count, device = len(crops), crops.device
    black = _faces(style == 0, device)
    if len(black):
        crops[black] = crops[black].masked_fill_(outside[black], 0.0)
    other = _faces(style == 3, device)
    if len(other):
        # The crop of a neighbor in the batch, whatever it shows there.
        crops[other] = torch.where(outside[other], crops[(other + 1) % count], crops[other])
    flat = _faces(style == 4, device)
    if len(flat):
        color = uniform((len(flat), 3, 1, 1), 0, 255, generator, device)
        crops[flat] = torch.where(outside[flat], color, crops[flat])
    noisy = _faces(style == 5, device)
    if len(noisy):
        noise = uniform((len(noisy), *crops.shape[1:]), 0, 255, generator, device)
        crops[noisy] = torch.where(outside[noisy], noise, crops[noisy])
    return crops


def _faces(chosen: Tensor, device: torch.device) -> Tensor:
    return to_device(chosen.nonzero()[:, 0], device)


def _draw_style(count: int, shares: tuple[float, ...] | Tensor, generator: torch.Generator) -> Tensor:
    # Where the generator lives: which faces have a style decides what is computed.
    device = generator.device
    edges = torch.as_tensor(shares, device=device).cumsum(-1).expand(count, -1)
    drawn = uniform((count, 1), 0, 1, generator, device) * edges[:, -1:]
    return torch.searchsorted(edges.contiguous(), drawn)[:, 0].clamp(max=edges.shape[1] - 1)
