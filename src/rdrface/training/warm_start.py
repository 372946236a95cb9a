"""Training that continues from released weights, whose batch normalizations are folded into the convolutions.

Folding loses two things that evaluation does not need and training does: the statistics of each normalization, and the
length of each filter, which the normalization behind it cancels. Both are set here; what the network computes in
evaluation mode stays the same.
"""

import sys
from collections.abc import Iterable
from pathlib import Path

import torch
from torch import Tensor, nn

from rdrface.errors import ConfigError
from rdrface.network.rdr import RDR
from rdrface.training.restore import NOT_EXPORTED, Convolution, normalized_convolutions, restore

CROPS = 512
"""Crops that the statistics are measured on: at 4 x 4 cells, the smallest map, 8,192 values per channel."""


def start_from_released(network: RDR, path: Path, crops: Iterable[Tensor]) -> None:
    """Give a network the weights of an exported file, ready to be trained.

    conv6 is not in the file and stays as it is; this is printed on stderr.

    Args:
        network: of the run, on the device of `crops`; `features` and `contour` as in the file.
        path: ``NAME.safetensors``.
        crops: batches (B, 3, N, N) as the training will see them, see `set_statistics`.

    Raises:
        ConfigError: the file's network has other options than `network`.
        WeightsError: see `rdrface.training.restore.restore`.
    """
    released, _ = restore(path)
    for option in ("features", "contour"):
        ours, theirs = getattr(network, option), getattr(released, option)
        if ours != theirs:
            raise ConfigError(f'{path} was trained with {option} = "{theirs}", the configuration has "{ours}"')
    # The run's own conv6: it was drawn from the run's seed.
    released.response.load_state_dict(network.response.state_dict())
    released.to(next(network.parameters()).device)
    set_filter_lengths(released)
    set_statistics(released, crops)
    network.load_state_dict(released.state_dict())
    print(f"not in {path} - these parts start fresh: {NOT_EXPORTED}", file=sys.stderr)


@torch.no_grad()
def set_filter_lengths(network: RDR) -> None:
    """Scale every filter before a batch normalization to the length of a new network's.

    The normalization cancels the length, so training keeps it near its start. Folding multiplies it by the ratio of the
    normalization's weight and the spread, a hundredth in some filters of Res5b. Adam's steps have the same size
    everywhere and would overwrite filters as short as that within a few steps.
    """
    fresh = normalized_convolutions(RDR(0))
    for (convolution, norm), (new, _) in zip(normalized_convolutions(network), fresh, strict=True):
        weight, axes = convolution.weight, _all_but_outputs(convolution)
        length = weight.square().mean(axes, keepdim=True).sqrt()
        factor = new.weight.square().mean().sqrt().to(length) / length
        # Filters of nothing but zeros have no direction to keep.
        factor = torch.where(length > 0, factor, torch.ones_like(factor))
        weight.mul_(factor)
        flat = factor.flatten()
        # norm(f x) with these equals the norm(x) there was: mean f m, weight w / f at an unchanged spread.
        norm.get_buffer("running_mean").mul_(flat)
        norm.weight.div_(flat)


@torch.no_grad()
def set_statistics(network: RDR, crops: Iterable[Tensor]) -> None:
    """Set the running statistics of every batch normalization to those of crops, and its weight and bias to suit.

    In evaluation mode the result is the same for any crops. In training mode the statistics are those of each batch:
    the closer the two are, the less the network changes at its first step. So the crops should be those of training,
    augmentation included.

    Args:
        network: in evaluation mode; changed in place.
        crops: batches (B, 3, N, N), 0..255.
    """
    norms = [norm for _, norm in normalized_convolutions(network)]
    means: list[list[Tensor]] = [[] for _ in norms]
    squares: list[list[Tensor]] = [[] for _ in norms]

    def note(number: int, x: Tensor) -> None:
        variance, mean = torch.var_mean(x.float(), (0, 2, 3), correction=0)
        means[number].append(mean.double().cpu())
        squares[number].append(variance.double().cpu() + means[number][-1] ** 2)

    hooks = [
        norm.register_forward_pre_hook(lambda _, inputs, number=number: note(number, inputs[0]))
        for number, norm in enumerate(norms)
    ]
    for batch in crops:
        network.regression_features(network.backbone(batch)[0])
    for hook in hooks:
        hook.remove()
    for norm, seen, seen_squares in zip(norms, means, squares, strict=True):
        mean = torch.stack(seen).mean(0)
        variance = (torch.stack(seen_squares).mean(0) - mean**2).clamp(min=0)
        # The map x -> slope x + shift of the normalization as it was.
        running_mean, running_var = norm.get_buffer("running_mean"), norm.get_buffer("running_var")
        slope = norm.weight.double().cpu() / (running_var.double().cpu() + norm.eps).sqrt()
        shift = norm.bias.double().cpu() - slope * running_mean.double().cpu()
        norm.weight.copy_(slope * (variance + norm.eps).sqrt())
        norm.bias.copy_(shift + slope * mean)
        running_mean.copy_(mean)
        running_var.copy_(variance)


def _all_but_outputs(convolution: Convolution) -> list[int]:
    return [0, 2, 3] if isinstance(convolution, nn.ConvTranspose2d) else [1, 2, 3]
