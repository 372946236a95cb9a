"""Random tensors for augmentation. Drawn where the generator lives, then moved: one seed, any device."""

import torch
from torch import Tensor


def uniform(
    shape: tuple[int, ...], low: float, high: float, generator: torch.Generator, device: torch.device
) -> Tensor:
    """float32 of `shape`, uniform in [low, high)."""
    drawn = torch.rand(shape, generator=generator, device=generator.device) * (high - low) + low
    return drawn.to(device)


def normal(shape: tuple[int, ...], generator: torch.Generator, device: torch.device) -> Tensor:
    """float32 of `shape`, standard normal."""
    return torch.randn(shape, generator=generator, device=generator.device).to(device)


def pick(count: int, probability: float, generator: torch.Generator, device: torch.device) -> Tensor:
    """(count,) bool, each true with `probability`."""
    return uniform((count,), 0, 1, generator, device) < probability
