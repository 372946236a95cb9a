"""Random tensors for augmentation, from one generator on any device.

A generator on the CPU gives the same choices on every device, and no choice has to be read back from an accelerator,
which would wait until all work queued there is done.
"""

import math

import torch
from torch import Tensor

FIELD = 2**16
"""Numbers from which a tensor is drawn on its own device: a CPU draws and sends pixels of noise too slowly."""


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
    """(count,) bool on `device`, each true with `probability`."""
    return uniform((count,), 0, 1, generator, device) < probability


def to_device(tensor: Tensor, device: torch.device) -> Tensor:
    """The tensor on `device`, without waiting for the work that is queued there."""
    return tensor.to(device, non_blocking=device.type == "cuda")


def _source(shape: tuple[int, ...], generator: torch.Generator, device: torch.device) -> torch.Generator:
    if device.type == generator.device.type or math.prod(shape) < FIELD:
        return generator
    seed = int(torch.randint(2**62, (1,), generator=generator, device=generator.device))
    return torch.Generator(device=device).manual_seed(seed)
