"""Changes of appearance (light, focus, sensor, compression), as batched tensor code.

Every effect takes crops (b, 3, N, N) float32 0..255 and returns the same. `change_appearance` applies each effect to a
random part of the batch.
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
    """Probability and strength of each effect. Lengths are in units of the crop's side."""

    # Light and white balance: they differ in every photo.
    color_probability: float = 0.8
    max_brightness_change: float = 0.18  # +- share of full scale
    max_contrast_change: float = 0.35  # +- factor
    max_saturation_change: float = 0.5  # +- factor
    max_hue_change_deg: float = 18.0  # +- in the IQ plane: colored light
    max_channel_change: float = 0.12  # +- factor per channel
    gray_probability: float = 0.1  # black-and-white photos, infrared cameras
    gamma_probability: float = 0.25  # under- and overexposed photos
    gamma_range: tuple[float, float] = (0.6, 1.7)
    # Focus and motion.
    gaussian_blur_probability: float = 0.12
    max_blur_std: float = 0.02
    motion_blur_probability: float = 0.08
    max_motion_length: float = 0.08
    # Sensor.
    low_resolution_probability: float = 0.15  # faces of 20 pixels in crowds
    max_shrink_factor: float = 5.0
    noise_probability: float = 0.2
    max_noise_std: float = 22.0  # 0..255
    # File.
    jpeg_probability: float = 0.2
    max_jpeg_table_factor: float = 6.0  # multiple of the standard quantization tables: 1 is quality 50, 5 quality 10


PROBABILITIES = (
    "color_probability",
    "gray_probability",
    "gamma_probability",
    "gaussian_blur_probability",
    "motion_blur_probability",
    "low_resolution_probability",
    "noise_probability",
    "jpeg_probability",
)
"""The fields of `AppearanceConfig` that are probabilities."""


def no_appearance() -> AppearanceConfig:
    """Configuration that changes nothing."""
    zeros: dict[str, Any] = dict.fromkeys(PROBABILITIES, 0.0)
    return replace(AppearanceConfig(), **zeros)


def change_appearance(crops: Tensor, config: AppearanceConfig, generator: torch.Generator) -> Tensor:
    """Apply the effects in the order of a camera: light, lens, sensor, file.

    Args:
        crops: (B, 3, N, N) float32 0..255; not changed.
        config: probabilities and strengths.
        generator: random number generator.

    Returns:
        (B, 3, N, N) float32 within 0..255.
    """
    effects: tuple[tuple[float, Callable[[Tensor, AppearanceConfig, torch.Generator], Tensor]], ...] = (
        (config.color_probability, jitter_color),
        (config.gray_probability, to_gray),
        (config.gamma_probability, change_gamma),
        (config.gaussian_blur_probability, gaussian_blur),
        (config.motion_blur_probability, motion_blur),
        (config.low_resolution_probability, lower_resolution),
        (config.noise_probability, add_noise),
        (config.jpeg_probability, compress_jpeg),
    )
    crops = crops.clone()
    for probability, effect in effects:
        chosen = to_device(pick(len(crops), probability, generator, generator.device).nonzero()[:, 0], crops.device)
        if len(chosen):
            crops[chosen] = effect(crops[chosen], config, generator)
    return crops.clamp_(0, 255)


# Rows: luma, I, Q of NTSC. A change of hue is a rotation in the I-Q plane, a change of saturation scales it.
_YIQ = torch.tensor([[0.299, 0.587, 0.114], [0.5959, -0.2746, -0.3213], [0.2115, -0.5227, 0.3112]])
_FROM_YIQ = torch.linalg.inv(_YIQ)


def jitter_color(crops: Tensor, config: AppearanceConfig, generator: torch.Generator) -> Tensor:
    """Change brightness, contrast, saturation, hue and channel balance of crops (B, 3, N, N).

    Together they are one 3 x 3 matrix and one offset per face.
    """
    count, device = len(crops), crops.device

    def around_one(change: float, width: int = 1) -> Tensor:
        return uniform((count, width), 1 - change, 1 + change, generator, device)

    limit = config.max_hue_change_deg
    hue = uniform((count,), -limit, limit, generator, device).deg2rad()
    saturation = around_one(config.max_saturation_change)[:, 0]
    rotated = torch.zeros(count, 3, 3, device=device)
    rotated[:, 0, 0] = 1
    rotated[:, 1, 1] = rotated[:, 2, 2] = saturation * hue.cos()
    rotated[:, 1, 2] = -saturation * hue.sin()
    rotated[:, 2, 1] = saturation * hue.sin()
    matrix = to_device(_FROM_YIQ, device) @ rotated @ to_device(_YIQ, device)
    contrast = around_one(config.max_contrast_change)
    matrix = matrix * (around_one(config.max_channel_change, 3) * contrast)[:, :, None]
    limit = config.max_brightness_change
    offset = uniform((count, 1), -limit, limit, generator, device) * 255
    offset = offset + (1 - contrast) * crops.mean((1, 2, 3))[:, None]
    changed = torch.baddbmm(offset[:, :, None].expand(-1, 3, 1), matrix, crops.flatten(2))
    return changed.reshape(crops.shape).clamp_(0, 255)


def to_gray(crops: Tensor, config: AppearanceConfig, generator: torch.Generator) -> Tensor:
    """Replace the three channels of crops (B, 3, N, N) by the luma."""
    return (crops * to_device(_YIQ[0], crops.device)[:, None, None]).sum(1, keepdim=True).expand_as(crops)


def change_gamma(crops: Tensor, config: AppearanceConfig, generator: torch.Generator) -> Tensor:
    """Change the exposure: 255 (x / 255)^gamma with gamma log-uniform in `gamma_range`."""
    low, high = np.log(config.gamma_range)
    gamma = uniform((len(crops), 1, 1, 1), low, high, generator, crops.device).exp()
    return 255 * (crops.clamp(0, 255) / 255).pow(gamma)


def gaussian_blur(crops: Tensor, config: AppearanceConfig, generator: torch.Generator) -> Tensor:
    """Blur crops (B, 3, N, N) with a Gaussian kernel of a different width for every face."""
    max_sigma = config.max_blur_std * crops.shape[-1]  # pixels
    radius = max(1, int(2.5 * max_sigma))
    sigma = uniform((len(crops), 1), 0.3 * min(1.0, max_sigma), max(max_sigma, 0.3), generator, crops.device)
    offsets = torch.arange(-radius, radius + 1, device=crops.device)
    kernel = (-0.5 * (offsets / sigma) ** 2).exp()
    kernel = kernel / kernel.sum(1, keepdim=True)
    return _convolve(_convolve(crops, kernel[:, None, :]), kernel[:, :, None])


def motion_blur(crops: Tensor, config: AppearanceConfig, generator: torch.Generator) -> Tensor:
    """Average along a straight line of random length and direction."""
    count, device = len(crops), crops.device
    radius = max(1, int(config.max_motion_length * crops.shape[-1] / 2))
    half = uniform((count, 1, 1), 0.5, radius, generator, device)
    angle = uniform((count, 1, 1), 0, torch.pi, generator, device)
    axis = torch.arange(-radius, radius + 1, device=device, dtype=torch.float32)
    y, x = torch.meshgrid(axis, axis, indexing="ij")
    along, across = angle.cos() * x + angle.sin() * y, angle.cos() * y - angle.sin() * x
    # The line is one pixel wide and its ends fade over one pixel.
    kernel = (1 - across.abs()).clamp(min=0) * (half + 0.5 - along.abs()).clamp(0, 1)
    return _convolve(crops, kernel / kernel.sum((1, 2), keepdim=True))


def lower_resolution(crops: Tensor, config: AppearanceConfig, generator: torch.Generator) -> Tensor:
    """Downscale by averaging and upscale again, with three random sizes per batch: each interpolation has one size."""
    size = crops.shape[-1]
    groups = uniform((len(crops),), 0, 3, generator, generator.device).long()
    factors = uniform((3,), 0, float(np.log(config.max_shrink_factor)), generator, torch.device("cpu")).exp()
    out = crops.clone()
    for group, factor in enumerate(factors.tolist()):
        index = to_device((groups == group).nonzero()[:, 0], crops.device)
        if len(index):
            small = interpolate(crops[index], size=max(8, round(size / factor)), mode="area")
            out[index] = interpolate(small, size=size, mode="bilinear", align_corners=False)
    return out


def add_noise(crops: Tensor, config: AppearanceConfig, generator: torch.Generator) -> Tensor:
    """Add Gaussian sensor noise to crops (B, 3, N, N), independent in every pixel and channel."""
    sigma = uniform((len(crops), 1, 1, 1), 1.0, config.max_noise_std, generator, crops.device)
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


def compress_jpeg(crops: Tensor, config: AppearanceConfig, generator: torch.Generator) -> Tensor:
    """Simulate JPEG compression: quantize the 8 x 8 DCT of YCbCr.

    The grid of the blocks has a random offset. Chroma is not subsampled.
    """
    count, device, size = len(crops), crops.device, crops.shape[-1]
    shift = uniform((2,), 0, 8, generator, torch.device("cpu")).long().tolist()
    right, bottom = (-(size + shift[0])) % 8, (-(size + shift[1])) % 8
    padded = pad(crops, (shift[0], right, shift[1], bottom), mode="replicate")
    blocks_y, blocks_x = padded.shape[2] // 8, padded.shape[3] // 8
    ycc = (to_device(_TO_YCC, device) @ padded.flatten(2)).reshape(count, 3, blocks_y, 8, blocks_x, 8).transpose(3, 4)
    k = torch.arange(8, device=device, dtype=torch.float32)
    dct = torch.cos(torch.pi * (2 * k[None] + 1) * k[:, None] / 16) * 0.5
    dct[0] *= 0.5**0.5
    factor = uniform((count, 1, 1, 1, 1, 1), 0.4, config.max_jpeg_table_factor, generator, device)
    step = factor * to_device(_TABLE, device)[:, None, None]
    quantized = (dct @ ycc @ dct.T / step).round() * step
    back = (dct.T @ quantized @ dct).transpose(3, 4).reshape(count, 3, -1)
    rgb = (to_device(_FROM_YCC, device) @ back).reshape(padded.shape)
    return rgb[:, :, shift[1] : shift[1] + size, shift[0] : shift[0] + size]


def _convolve(crops: Tensor, kernels: Tensor) -> Tensor:
    # One kernel (h, w) with odd sides per face: the faces are the groups of one convolution.
    count, channels, height, width = crops.shape
    kh, kw = kernels.shape[1:]
    padded = pad(crops, (kw // 2, kw // 2, kh // 2, kh // 2), mode="replicate")
    padded = padded.reshape(1, count * channels, height + kh - 1, -1)
    weights = kernels.repeat_interleave(channels, 0)[:, None]
    return conv2d(padded, weights, groups=count * channels).reshape(count, channels, height, width)
