"""Random tensors for augmentation, from one generator, on any device.

With a generator on the CPU, the random choices are the same for every device, and none of them has to be read back from
an accelerator, which would wait for all work queued there.
"""

import math

import torch
from torch import Tensor

MIN_DEVICE_ELEMENTS = 2**16
"""Smallest number of elements that are drawn on the target device: noise from the CPU would be too slow."""


def uniform(
    shape: tuple[int, ...], low: float, high: float, generator: torch.Generator, device: torch.device
) -> Tensor:
    """float32 of `shape` on `device`, uniform in [low, high)."""
    source = _source(shape, generator, device)
    drawn = torch.rand(shape, generator=source, device=source.device) * (high - low) + low
    return to_device(drawn, device)


def normal(shape: tuple[int, ...], generator: torch.Generator, device: torch.device) -> Tensor:
    """float32 of `shape` on `device`, standard normal."""
    source = _source(shape, generator, device)
    return to_device(torch.randn(shape, generator=source, device=source.device), device)


def pick(count: int, probability: float, generator: torch.Generator, device: torch.device) -> Tensor:
    """(count,) bool on `device`, each True with `probability`."""
    return uniform((count,), 0, 1, generator, device) < probability


def to_device(tensor: Tensor, device: torch.device) -> Tensor:
    """Copy a tensor of any shape and dtype to `device` without waiting for the work queued there."""
    return tensor.to(device, non_blocking=device.type == "cuda")


def _source(shape: tuple[int, ...], generator: torch.Generator, device: torch.device) -> torch.Generator:
    if device.type == generator.device.type or math.prod(shape) < MIN_DEVICE_ELEMENTS:
        return generator
    seed = int(torch.randint(2**62, (1,), generator=generator, device=generator.device))
    return torch.Generator(device=device).manual_seed(seed)
