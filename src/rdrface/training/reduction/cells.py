"""Samples of feature maps, and convolutions fitted to them."""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn.functional import pad

from rdrface.training.reduction.regression import linear_map

CELLS = 32
"""Cells of each map and crop that are used."""

BATCH_SIZE = 64
"""Crops of one run of a layer."""


def in_batches(layer: Callable[[Tensor], Tensor], inputs: Tensor) -> Tensor:
    """The output of a layer for inputs (B, ...), computed in parts that fit into the processor's cache."""
    return torch.cat([layer(part) for part in torch.split(inputs, BATCH_SIZE)])


def cells(maps: Tensor) -> Tensor:
    """(B, C, n, n) -> (B m, C): m cells of each map, the same ones for all maps of a size."""
    row, column = _chosen_cells(maps.shape[2])
    return maps[:, :, row, column].transpose(1, 2).flatten(0, 1)


def fit_convolution(convolution: nn.Conv2d, norm: nn.BatchNorm2d, inputs: Tensor, target: Tensor) -> Tensor:
    """Fit a convolution and the batch normalization after it.

    Args:
        convolution, norm: changed in place.
        inputs: (B, I, n, n).
        target: (B m, O) desired outputs of the normalization at the cells of `cells`.

    Returns:
        (B, O, n', n') the outputs.
    """
    side, stride, padding = convolution.kernel_size[0], convolution.stride[0], int(convolution.padding[0])
    weight, bias = linear_map(_patches(inputs, side, stride, padding), target)
    convolution.weight.copy_(weight.view_as(convolution.weight))
    only_bias(norm, bias)
    return in_batches(lambda part: norm(convolution(part)), inputs)


def fit_deconvolution(deconvolution: nn.ConvTranspose2d, norm: nn.BatchNorm2d, inputs: Tensor, target: Tensor) -> None:
    """Fit a deconvolution with kernel 4 and stride 2, and the batch normalization after it.

    Args:
        deconvolution, norm: changed in place.
        inputs: (B, I, n, n).
        target: (B, O, 2 n, 2 n) desired outputs of the normalization.
    """
    around = _patches(inputs, 3, 1, 1).view(-1, inputs.shape[1], 3, 3)
    # Output cells of each parity depend on 2 x 2 of the 3 x 3 input cells around them: those at the offsets -1 and 0 by
    # the kernel's rows 3 and 1, or those at 0 and 1 by its rows 2 and 0.
    taps = ((3, 1), (2, 0))
    biases = []
    for y, rows in enumerate(taps):
        for x, columns in enumerate(taps):
            used = around[:, :, y : y + 2, x : x + 2].flatten(1)
            weight, bias = linear_map(used, cells(target[:, :, y::2, x::2]))
            kernel = weight.view(-1, inputs.shape[1], 2, 2).transpose(0, 1)
            for i, row in enumerate(rows):
                for j, column in enumerate(columns):
                    deconvolution.weight[:, :, row, column] = kernel[:, :, i, j]
            biases.append(bias)
    only_bias(norm, torch.stack(biases).mean(0))


def only_bias(norm: nn.BatchNorm2d, bias: Tensor) -> None:
    """Make a batch normalization add a bias (C,) and do nothing else, in evaluation mode."""
    norm.weight.fill_(1)
    norm.bias.copy_(bias)
    norm.get_buffer("running_mean").zero_()
    norm.get_buffer("running_var").fill_(1 - norm.eps)


def _chosen_cells(size: int) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(size)
    chosen = torch.randperm(size * size, generator=generator)[:CELLS].sort().values
    return chosen // size, chosen % size


def _patches(maps: Tensor, side: int, stride: int, padding: int) -> Tensor:
    """Inputs of a convolution at the cells of its output: (B, C, n, n) -> (B m, C side side)."""
    windows = pad(maps, [padding] * 4).unfold(2, side, stride).unfold(3, side, stride)
    row, column = _chosen_cells(windows.shape[2])
    return windows[:, :, row, column].transpose(1, 2).flatten(0, 1).flatten(1)
