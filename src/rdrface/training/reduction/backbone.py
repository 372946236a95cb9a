"""Reduction of the convolutional part: the backbone and the regression features."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import relu

from rdrface.landmarks import NUM_LANDMARKS
from rdrface.network.backbone import ResidualBlock
from rdrface.network.rdr import RDR
from rdrface.training.reduction.cells import cells, fit_convolution, fit_deconvolution, in_batches
from rdrface.training.reduction.regression import select_channels

DECONV5_CROPS = 256
"""Crops for deconv5, whose maps are the largest."""


def reduce_backbone(trained: RDR, small: RDR, crops: Tensor) -> tuple[Tensor, Tensor]:
    """Set the weights of the smaller network's backbone and regression features.

    Args:
        trained: trained network in evaluation mode.
        small: the smaller network, changed in place.
        crops: (B, 3, N, N) 0..255.

    Returns:
        Res5b of the trained (B, C, n, n) and of the smaller network (B, c, n, n).
    """
    backbone: Any = trained.backbone
    small_backbone: Any = small.backbone
    large = in_batches(backbone.stem, (crops - backbone.mean) / backbone.std)
    stages: list[Any] = [backbone.res2, backbone.res3, backbone.res4, backbone.res5]
    small_stages: list[Any] = [small_backbone.res2, small_backbone.res3, small_backbone.res4, small_backbone.res5]
    reduced = large
    res3b = (large, reduced)
    for number, (stage, small_stage) in enumerate(zip(stages, small_stages, strict=True)):
        # All outputs within a stage are sums of the same channels, so one choice is made for the stage.
        outputs = [in_batches(stage[0], large)]
        outputs.append(in_batches(stage[1], outputs[0]))
        following = [stage[1], *(stages[number + 1][:1] if number + 1 < len(stages) else [])]
        importance = torch.stack([_use(block.conv_a) for block in following]).sum(0).sqrt()
        samples = torch.cat([cells(maps) for maps in ([large, *outputs] if number == 0 else outputs)])
        chosen = select_channels(samples, importance, small_stage[1].conv_b.out_channels)
        if number == 0:
            # Res2's first block adds to the stem's channels.
            small_backbone.stem[0].weight.copy_(backbone.stem[0].weight[chosen])
            for name in ("weight", "bias", "running_mean", "running_var"):
                getattr(small_backbone.stem[1], name).copy_(getattr(backbone.stem[1], name)[chosen])
            reduced = large[:, chosen]
        for block, small_block, output in zip(stage, small_stage, outputs, strict=True):
            reduced = _reduce_block(block, small_block, large, reduced, chosen)
            large = output
        if number == 1:
            res3b = (large, reduced)
    _reduce_features(trained, small, *res3b)
    return large, reduced


def _reduce_block(
    block: ResidualBlock, small_block: ResidualBlock, large: Tensor, reduced: Tensor, chosen: Tensor
) -> Tensor:
    """Set the weights of a residual block.

    Args:
        block, small_block: the blocks of the two networks.
        large, reduced: their inputs.
        chosen: the channels of the block's output that the smaller network has.

    Returns:
        The output of the smaller block.
    """
    inner = in_batches(lambda part: block.norm_a(block.conv_a(part)), large)
    kept = select_channels(cells(relu(inner)), _use(block.conv_b).sqrt(), small_block.conv_a.out_channels)
    y = relu(fit_convolution(small_block.conv_a, small_block.norm_a, reduced, cells(inner[:, kept])))
    shortcut = in_batches(block.shortcut, large)[:, chosen]
    if isinstance(small_block.shortcut, nn.Sequential):
        convolution: Any = small_block.shortcut[0]
        norm: Any = small_block.shortcut[1]
        small_shortcut = fit_convolution(convolution, norm, reduced, cells(shortcut))
    else:
        small_shortcut = reduced
    total = in_batches(lambda part: block.norm_b(block.conv_b(relu(part))), inner)[:, chosen] + shortcut
    # The target contains the error of the shortcut, so the convolution corrects it.
    target = cells(total - small_shortcut)
    return relu(small_shortcut + fit_convolution(small_block.conv_b, small_block.norm_b, y, target))


def _reduce_features(trained: RDR, small: RDR, large: Tensor, reduced: Tensor) -> None:
    layers: Any = trained.regression_features
    small_layers: Any = small.regression_features
    use = layers.deconv5[0].weight.square().sum((1, 2, 3)).sqrt()
    deconv4 = in_batches(layers.deconv4, large)
    chosen = select_channels(cells(deconv4), use, small_layers.deconv4[0].out_channels)
    target = in_batches(layers.deconv4[:2], large)[:, chosen]
    fit_deconvolution(small_layers.deconv4[0], small_layers.deconv4[1], reduced, target)

    matrices = [part.reduce.weight for part in (trained.pe_lstm, trained.c_lstm)]
    use = torch.cat([matrix.view(len(matrix), NUM_LANDMARKS, -1) for matrix in matrices]).square().sum((0, 1)).sqrt()
    target = in_batches(layers.deconv5[:2], deconv4[:DECONV5_CROPS])
    chosen = select_channels(cells(relu(target)), use, small_layers.deconv5[0].out_channels)
    inputs = in_batches(small_layers.deconv4, reduced[:DECONV5_CROPS])
    fit_deconvolution(small_layers.deconv5[0], small_layers.deconv5[1], inputs, target[:, chosen])


def _use(convolution: nn.Conv2d) -> Tensor:
    """(I,) sum of the squared weights with which a convolution uses each of its input channels."""
    return convolution.weight.square().sum((0, 2, 3))
