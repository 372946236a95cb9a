"""What light, lenses, compression and small sensors do to a face, as batched tensor code.

Every effect takes crops (b, 3, N, N) float32 0..255 and returns the same; `change_appearance` runs each on the
sub-batch that drew it only.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import conv2d, interpolate, pad

from rdrface.training.augmentation.rng import normal, pick, to_device, uniform


@dataclass(frozen=True)
class AppearanceConfig:
    """Probability of each effect and how strong it is."""

    color: float = 0.8  # light and white balance differ in every photo
    brightness: float = 0.18  # +- share of full scale
    contrast: float = 0.35  # +- factor
    saturation: float = 0.5  # +- factor
    hue: float = 18.0  # +- degrees in the IQ plane: colored light
    balance: float = 0.12  # +- factor per channel
    gray: float = 0.1  # black-and-white photos and infrared cameras
    gamma: float = 0.25  # under- and overexposed photos
    gamma_range: tuple[float, float] = (0.6, 1.7)
    gaussian_blur: float = 0.12  # out of focus
    blur_most: float = 0.02  # standard deviation, units of the crop's side
    motion_blur: float = 0.08
    motion_most: float = 0.08  # length of the streak, units of the crop's side
    low_resolution: float = 0.15  # faces of 20 pixels in crowds
    shrink_most: float = 5.0
    noise: float = 0.2
    noise_most: float = 22.0  # standard deviation, 0..255
    blocks: float = 0.2  # JPEG
    coarsest: float = 6.0  # multiple of the standard quantization tables; 1 is quality 50, 5 is quality 10


CHANCES = ("color", "gray", "gamma", "gaussian_blur", "motion_blur", "low_resolution", "noise", "blocks")
"""The fields of `AppearanceConfig` that are probabilities."""


def no_appearance() -> AppearanceConfig:
    """The configuration that changes nothing."""
    nothing: dict[str, Any] = dict.fromkeys(CHANCES, 0.0)
    return replace(AppearanceConfig(), **nothing)


def change_appearance(crops: Tensor, config: AppearanceConfig, generator: torch.Generator) -> Tensor:
    """Apply the effects in the order in which a camera does: light, lens, sensor, file.

    Args:
        crops: (B, 3, N, N) float32 0..255.
        config: probabilities and strengths.
        generator: source of chance.

    Returns:
        (B, 3, N, N) float32 within 0..255.
    """
    effects: tuple[tuple[float, Callable[[Tensor, AppearanceConfig, torch.Generator], Tensor]], ...] = (
        (config.color, jitter_color),
        (config.gray, to_gray),
        (config.gamma, change_gamma),
        (config.gaussian_blur, blur),
        (config.motion_blur, smear),
        (config.low_resolution, lower_resolution),
        (config.noise, add_noise),
        (config.blocks, compress),
    )
    crops = crops.clone()
    for probability, effect in effects:
        chosen = to_device(pick(len(crops), probability, generator, generator.device).nonzero()[:, 0], crops.device)
        if len(chosen):
            crops[chosen] = effect(crops[chosen], config, generator)
    return crops.clamp_(0, 255)


# Rows: luma, I, Q of NTSC. The hue turns in the I-Q plane, the saturation stretches it.
_YIQ = torch.tensor([[0.299, 0.587, 0.114], [0.5959, -0.2746, -0.3213], [0.2115, -0.5227, 0.3112]])
_FROM_YIQ = torch.linalg.inv(_YIQ)


def jitter_color(crops: Tensor, config: AppearanceConfig, generator: torch.Generator) -> Tensor:
    """Brightness, contrast, saturation, hue and channel balance: one 3 x 3 matrix and offset per face."""
    count, device = len(crops), crops.device

    def around_one(spread: float, width: int = 1) -> Tensor:
        return uniform((count, width), 1 - spread, 1 + spread, generator, device)

    hue = uniform((count,), -config.hue, config.hue, generator, device).deg2rad()
    saturation = around_one(config.saturation)[:, 0]
    turned = torch.zeros(count, 3, 3, device=device)
    turned[:, 0, 0] = 1
    turned[:, 1, 1] = turned[:, 2, 2] = saturation * hue.cos()
    turned[:, 1, 2] = -saturation * hue.sin()
    turned[:, 2, 1] = saturation * hue.sin()
    matrix = to_device(_FROM_YIQ, device) @ turned @ to_device(_YIQ, device)
    contrast = around_one(config.contrast)
    matrix = matrix * (around_one(config.balance, 3) * contrast)[:, :, None]
    offset = uniform((count, 1), -config.brightness, config.brightness, generator, device) * 255
    offset = offset + (1 - contrast) * crops.mean((1, 2, 3))[:, None]
    return (
        torch.baddbmm(offset[:, :, None].expand(-1, 3, 1), matrix, crops.flatten(2)).reshape(crops.shape).clamp_(0, 255)
    )


def to_gray(crops: Tensor, config: AppearanceConfig, generator: torch.Generator) -> Tensor:
    """Luma in all three channels."""
    return (crops * to_device(_YIQ[0], crops.device)[:, None, None]).sum(1, keepdim=True).expand_as(crops)


def change_gamma(crops: Tensor, config: AppearanceConfig, generator: torch.Generator) -> Tensor:
    """255 (x / 255)^gamma, gamma log-uniform in `gamma_range`."""
    low, high = np.log(config.gamma_range)
    gamma = uniform((len(crops), 1, 1, 1), low, high, generator, crops.device).exp()
    return 255 * (crops.clamp(0, 255) / 255).pow(gamma)


def blur(crops: Tensor, config: AppearanceConfig, generator: torch.Generator) -> Tensor:
    """Gaussian, its own width for every face."""
    most = config.blur_most * crops.shape[-1]
    radius = max(1, int(2.5 * most))
    sigma = uniform((len(crops), 1), 0.3 * min(1.0, most), max(most, 0.3), generator, crops.device)
    offsets = torch.arange(-radius, radius + 1, device=crops.device)
    kernel = (-0.5 * (offsets / sigma) ** 2).exp()
    kernel = kernel / kernel.sum(1, keepdim=True)
    return _convolve(_convolve(crops, kernel[:, None, :]), kernel[:, :, None])


def smear(crops: Tensor, config: AppearanceConfig, generator: torch.Generator) -> Tensor:
    """Motion blur: the mean along a straight streak of random length and direction."""
    count, device = len(crops), crops.device
    radius = max(1, int(config.motion_most * crops.shape[-1] / 2))
    half = uniform((count, 1, 1), 0.5, radius, generator, device)
    angle = uniform((count, 1, 1), 0, torch.pi, generator, device)
    axis = torch.arange(-radius, radius + 1, device=device, dtype=torch.float32)
    y, x = torch.meshgrid(axis, axis, indexing="ij")
    along, across = angle.cos() * x + angle.sin() * y, angle.cos() * y - angle.sin() * x
    # A streak one pixel wide, its end fading over one pixel.
    kernel = (1 - across.abs()).clamp(min=0) * (half + 0.5 - along.abs()).clamp(0, 1)
    return _convolve(crops, kernel / kernel.sum((1, 2), keepdim=True))


def lower_resolution(crops: Tensor, config: AppearanceConfig, generator: torch.Generator) -> Tensor:
    """Shrink by averaging and enlarge again; three sizes per call, since one call has one size."""
    size = crops.shape[-1]
    groups = uniform((len(crops),), 0, 3, generator, generator.device).long()
    factors = uniform((3,), 0, float(np.log(config.shrink_most)), generator, torch.device("cpu")).exp()
    out = crops.clone()
    for group, factor in enumerate(factors.tolist()):
        index = to_device((groups == group).nonzero()[:, 0], crops.device)
        if len(index):
            small = interpolate(crops[index], size=max(8, round(size / factor)), mode="area")
            out[index] = interpolate(small, size=size, mode="bilinear", align_corners=False)
    return out


def add_noise(crops: Tensor, config: AppearanceConfig, generator: torch.Generator) -> Tensor:
    """Gaussian sensor noise, independent in every pixel and channel."""
    sigma = uniform((len(crops), 1, 1, 1), 1.0, config.noise_most, generator, crops.device)
    return crops + sigma * normal(tuple(crops.shape), generator, crops.device)


# Tables K.1 and K.2 of the JPEG standard (ITU-T T.81), luma and chroma.
_LUMA = [
    [16, 11, 10, 16, 24, 40, 51, 61],
    [12, 12, 14, 19, 26, 58, 60, 55],
    [14, 13, 16, 24, 40, 57, 69, 56],
    [14, 17, 22, 29, 51, 87, 80, 62],
    [18, 22, 37, 56, 68, 109, 103, 77],
    [24, 35, 55, 64, 81, 104, 113, 92],
    [49, 64, 78, 87, 103, 121, 120, 101],
    [72, 92, 95, 98, 112, 100, 103, 99],
]
_CHROMA = [[17, 18, 24, 47], [18, 21, 26, 66], [24, 26, 56, 99], [47, 66, 99, 99]]
_TABLE = torch.full((3, 8, 8), 99.0)
_TABLE[0] = torch.tensor(_LUMA)
_TABLE[1:, :4, :4] = torch.tensor(_CHROMA)
_TO_YCC = torch.tensor([[0.299, 0.587, 0.114], [-0.1687, -0.3313, 0.5], [0.5, -0.4187, -0.0813]])
_FROM_YCC = torch.linalg.inv(_TO_YCC)


def compress(crops: Tensor, config: AppearanceConfig, generator: torch.Generator) -> Tensor:
    """JPEG's damage: 8 x 8 DCT of YCbCr, quantized, and back; the grid is shifted at random, chroma not subsampled."""
    count, device, size = len(crops), crops.device, crops.shape[-1]
    shift = uniform((2,), 0, 8, generator, torch.device("cpu")).long().tolist()
    right, bottom = (-(size + shift[0])) % 8, (-(size + shift[1])) % 8
    padded = pad(crops, (shift[0], right, shift[1], bottom), mode="replicate")
    blocks_y, blocks_x = padded.shape[2] // 8, padded.shape[3] // 8
    ycc = (to_device(_TO_YCC, device) @ padded.flatten(2)).reshape(count, 3, blocks_y, 8, blocks_x, 8).transpose(3, 4)
    k = torch.arange(8, device=device, dtype=torch.float32)
    dct = torch.cos(torch.pi * (2 * k[None] + 1) * k[:, None] / 16) * 0.5
    dct[0] *= 0.5**0.5
    coarseness = uniform((count, 1, 1, 1, 1, 1), 0.4, config.coarsest, generator, device)
    step = coarseness * to_device(_TABLE, device)[:, None, None]
    quantized = (dct @ ycc @ dct.T / step).round() * step
    back = (dct.T @ quantized @ dct).transpose(3, 4).reshape(count, 3, -1)
    rgb = (to_device(_FROM_YCC, device) @ back).reshape(padded.shape)
    return rgb[:, :, shift[1] : shift[1] + size, shift[0] : shift[0] + size]


def _convolve(crops: Tensor, kernels: Tensor) -> Tensor:
    # One kernel (h, w), odd sides, per face: the faces become groups of one convolution.
    count, channels, height, width = crops.shape
    kh, kw = kernels.shape[1:]
    spread = pad(crops, (kw // 2, kw // 2, kh // 2, kh // 2), mode="replicate").reshape(
        1, count * channels, height + kh - 1, -1
    )
    weights = kernels.repeat_interleave(channels, 0)[:, None]
    return conv2d(spread, weights, groups=count * channels).reshape(count, channels, height, width)
