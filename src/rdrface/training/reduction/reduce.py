"""Initial weights of a smaller RDR from a trained one.

Layer by layer, from the input to the output: the channels of the smaller network correspond to the channels of the
trained one from which the others can be reconstructed best, and the weights are those with which the outputs of these
channels are reproduced best (least squares on crops), given what the smaller network has computed so far. The idea is
that of channel pruning (He et al., ICCV 2017; Luo et al., ThiNet, ICCV 2017).
"""

from collections.abc import Callable, Iterable

import torch
from torch import Tensor, nn
from torch.nn.functional import pad, relu

from rdrface.landmarks import NUM_LANDMARKS
from rdrface.network.backbone import ResidualBlock
from rdrface.network.dual_refinement import RefinementLSTM
from rdrface.network.rdr import RDR
from rdrface.network.shape_indexed import shape_indexed
from rdrface.training.reduction.regression import linear_map, select_channels

CELLS = 32
"""Cells of each map and crop that are used for the regression."""


class Recorder:
    """Outputs of modules, recorded while a network runs."""

    def __init__(self, modules: dict[str, nn.Module]) -> None:
        self.values: dict[str, list[Tensor]] = {name: [] for name in modules}
        self.hooks = [
            module.register_forward_hook(lambda _m, _i, out, name=name: self.values[name].append(out))
            for name, module in modules.items()
        ]

    def remove(self) -> None:
        for hook in self.hooks:
            hook.remove()


def chosen_cells(size: int) -> tuple[Tensor, Tensor]:
    """Rows and columns of at most `CELLS` cells of a map, always the same ones."""
    generator = torch.Generator().manual_seed(size)
    chosen = torch.randperm(size * size, generator=generator)[:CELLS].sort().values
    return chosen // size, chosen % size


def cells(maps: Tensor) -> Tensor:
    """(B, C, n, n) -> (B m, C): m `chosen_cells` of each map."""
    row, column = chosen_cells(maps.shape[2])
    return maps[:, :, row, column].transpose(1, 2).flatten(0, 1)


def patches(maps: Tensor, side: int, stride: int, padding: int) -> Tensor:
    """Inputs of a convolution: (B, C, n, n) -> (B m, C side side), at the `chosen_cells` of its output."""
    padded = pad(maps, [padding] * 4)
    windows = padded.unfold(2, side, stride).unfold(3, side, stride)
    row, column = chosen_cells(windows.shape[2])
    return windows[:, :, row, column].transpose(1, 2).flatten(0, 1).flatten(1)


@torch.no_grad()
def reduce_network(full: RDR, crops: Tensor, small: RDR) -> None:
    """Set the weights of a smaller network.

    Args:
        full: trained network in evaluation mode.
        crops: (B, 3, N, N) training crops; a few thousand.
        small: the network to initialize, changed in place; its batch normalizations must be measured afterwards
            (`rdrface.training.warm_start.set_statistics`).
    """
    small.eval()
    _Reduction(full, crops, small).run()


class _Reduction:
    def __init__(self, full: RDR, crops: Tensor, small: RDR) -> None:
        self.full, self.crops, self.small = full, crops, small

    def batches(self, maps: Tensor, layer: Callable[[Tensor], Tensor]) -> Tensor:
        return torch.cat([layer(part) for part in maps.split(64)])

    def run(self) -> None:
        full, small = self.full, self.small
        normalized = (self.crops - full.backbone.mean) / full.backbone.std
        # Residual streams
        x_full = self.batches(normalized, full.backbone.stem)
        stages = ("res2", "res3", "res4", "res5")
        outputs_full = {}
        x = x_full
        for stage in stages:
            blocks = []
            for block in getattr(full.backbone, stage):
                x = self.batches(x, block)
                blocks.append(x)
            outputs_full[stage] = blocks
        stream = {}
        for stage, following in zip(stages, ("res3", "res4", "res5", None), strict=True):
            maps = outputs_full[stage] + ([x_full] if stage == "res2" else [])
            block = getattr(full.backbone, stage)
            importance = block[1].conv_a.weight.square().sum((0, 2, 3))
            if following:
                after = getattr(full.backbone, following)[0]
                importance = importance + after.conv_a.weight.square().sum((0, 2, 3))
            count = getattr(small.backbone, stage)[1].conv_b.out_channels
            stream[stage] = select_channels(torch.cat([cells(m) for m in maps]), importance.sqrt(), count)
        stem, small_stem = full.backbone.stem, small.backbone.stem
        chosen = stream["res2"]
        small_stem[0].weight.copy_(stem[0].weight[chosen])
        self.norm(small_stem[1], stem[1].bias[chosen])
        x_small = x_full[:, chosen]
        x_big = x_full
        for stage in stages:
            for block, small_block in zip(getattr(full.backbone, stage), getattr(small.backbone, stage), strict=True):
                x_small = self.block(block, small_block, x_big, x_small, stream[stage])
                x_big = self.batches(x_big, block)
            print(stage, explained(cells(x_small), cells(x_big[:, stream[stage]])))
            if stage == "res3":
                res3_small, res3_big = x_small, x_big
        self.features(res3_big, res3_small)
        self.heads(x_big, x_small)
        self.lstms()

    def norm(self, norm: nn.BatchNorm2d, bias: Tensor) -> None:
        # The identity plus a bias; the convolution contains the scale.
        norm.weight.fill_(1)
        norm.bias.copy_(bias)
        norm.running_mean.zero_()
        norm.running_var.fill_(1 - norm.eps)

    def convolution(self, conv: nn.Conv2d, norm: nn.BatchNorm2d, inputs: Tensor, target: Tensor) -> Tensor:
        """Fit a convolution to targets (rows of `cells`), and run it."""
        weight, bias = linear_map(patches(inputs, conv.kernel_size[0], conv.stride[0], conv.padding[0]), target)
        conv.weight.copy_(weight.view_as(conv.weight))
        self.norm(norm, bias)
        return self.batches(inputs, lambda part: norm(conv(part)))

    def block(self, big: ResidualBlock, small: ResidualBlock, x_big: Tensor, x_small: Tensor, chosen: Tensor) -> Tensor:
        inner = self.batches(x_big, lambda part: big.norm_a(big.conv_a(part)))
        importance = big.conv_b.weight.square().sum((0, 2, 3)).sqrt()
        kept = select_channels(cells(relu(inner)), importance, small.conv_a.out_channels)
        y = relu(self.convolution(small.conv_a, small.norm_a, x_small, cells(inner[:, kept])))
        before = self.batches(relu(inner), lambda part: big.norm_b(big.conv_b(part)))
        short_big = self.batches(x_big, big.shortcut)
        if isinstance(small.shortcut, nn.Identity):
            shortcut = x_small
        else:
            conv, norm = small.shortcut
            shortcut = self.convolution(conv, norm, x_small, cells(short_big[:, chosen]))
        # The target is the sum, so this layer corrects the errors of the shortcut.
        target = cells((before + short_big)[:, chosen] - shortcut)
        return relu(shortcut + self.convolution(small.conv_b, small.norm_b, y, target))

    def features(self, x_big: Tensor, x_small: Tensor) -> None:
        big, small = self.full.regression_features, self.small.regression_features
        d4_big = self.batches(x_big, big.deconv4)
        importance = big.deconv5[0].weight.square().sum((1, 2, 3)).sqrt()
        chosen = select_channels(cells(d4_big), importance, small.deconv4[0].out_channels)
        d4_small = self.deconvolution(
            small.deconv4, x_small, self.batches(x_big, lambda p: big.deconv4[1](big.deconv4[0](p))[:, chosen])
        )
        count = big.deconv5[0].out_channels
        importance = sum(
            part.reduce.weight.view(-1, NUM_LANDMARKS, count).square().sum((0, 1))
            for part in (self.full.pe_lstm, self.full.c_lstm)
        ).sqrt()
        d5_big = self.batches(d4_big[:256], big.deconv5)
        chosen = select_channels(cells(d5_big), importance, small.deconv5[0].out_channels)
        d5_small = self.deconvolution(
            small.deconv5,
            d4_small[:256],
            self.batches(d4_big[:256], lambda p: big.deconv5[1](big.deconv5[0](p))[:, chosen]),
        )
        print(
            "deconv4", explained(cells(d4_small), cells(d4_big)), "deconv5", explained(cells(d5_small), cells(d5_big))
        )

    def deconvolution(self, layer: nn.Sequential, inputs: Tensor, target: Tensor) -> Tensor:
        conv, norm = layer[0], layer[1]
        biases = []
        # An output cell of each parity sees 2 x 2 input cells, of the 3 x 3 around its own.
        around = patches(inputs, 3, 1, 1).unflatten(1, (inputs.shape[1], 3, 3))
        for py in (0, 1):
            for px in (0, 1):
                columns = around[:, :, py : py + 2, px : px + 2].flatten(1)
                weight, bias = linear_map(columns, cells(target[:, :, py::2, px::2]))
                weight = weight.unflatten(1, (inputs.shape[1], 2, 2)).transpose(0, 1)
                # Input offsets -1, 0 (parity 0) and 0, 1 (parity 1) belong to kernel rows 3, 1 and 2, 0.
                ky, kx = ((3, 1) if py == 0 else (2, 0)), ((3, 1) if px == 0 else (2, 0))
                for i in range(2):
                    for j in range(2):
                        conv.weight[:, :, ky[i], kx[j]] = weight[:, :, i, j]
                biases.append(bias)
        self.norm(norm, torch.stack(biases).mean(0))
        return self.batches(inputs, layer)

    def heads(self, x_big: Tensor, x_small: Tensor) -> None:
        big, small = self.full.initialization, self.small.initialization
        conv, norm, _ = small.reduce
        # Principal components with both signs, because a ReLU follows.
        values = cells(x_small)
        _, _, directions = torch.pca_lowrank(values - values.mean(0), conv.out_channels // 2, niter=4)
        weight = torch.cat([directions.T, -directions.T])
        conv.weight.copy_(weight[:, :, None, None])
        self.norm(norm, -(weight @ values.mean(0)))
        pooled = small.pool5(small.reduce(x_small)).flatten(1)
        full_pooled = big.pool5(x_big).flatten(1)
        standardized = big(x_big)
        start = 0
        for name in ("id", "p", "exp"):
            fc5, fc6 = getattr(big, f"fc5_{name}"), getattr(big, f"fc6_{name}")
            small5, small6 = getattr(small, f"fc5_{name}"), getattr(small, f"fc6_{name}")
            units = fc5(full_pooled)
            chosen = select_channels(relu(units), fc6.weight.norm(dim=0), small5.out_features)
            self.linear(small5, pooled, units[:, chosen])
            target = standardized[:, start : start + fc6.out_features]
            self.linear(small6, relu(small5(pooled)), target)
            print(name, explained(small6(relu(small5(pooled))), target))
            start += fc6.out_features
        for name, value in self.full.scale.state_dict().items():
            self.small.scale.state_dict()[name].copy_(value)

    def linear(self, layer: nn.Linear, inputs: Tensor, target: Tensor) -> None:
        weight, bias = linear_map(inputs, target)
        layer.weight.copy_(weight)
        layer.bias.copy_(bias)

    def lstms(self) -> None:
        full, small = self.full, self.small
        parts = {"pe_lstm": full.pe_lstm, "c_lstm": full.c_lstm}
        modules = {
            f"{name}.{layer}": getattr(part, layer) for name, part in parts.items() for layer in ("reduce", "cell")
        }
        record = Recorder(modules)
        big_features, small_features = [], []
        for part in self.crops.split(64):
            prediction = full(part)
            deconv5 = small.regression_features(small.backbone(part)[0])
            for step in prediction.steps[:-1]:
                big_features.append(shape_indexed(prediction.deconv5, step.landmarks))
                small_features.append(shape_indexed(deconv5, step.landmarks))
        record.remove()
        big, little = torch.cat(big_features), torch.cat(small_features)
        expand, offset = linear_map(little.flatten(0, 1), big.flatten(0, 1))
        print("sampled", explained(little.flatten(0, 1), big.flatten(0, 1)))
        for name, part in parts.items():
            target: RefinementLSTM = getattr(small, name)
            reduced = torch.cat(record.values[f"{name}.reduce"])
            hidden = torch.cat(
                [state[1][0] if isinstance(state[1], tuple) else state[0] for state in record.values[f"{name}.cell"]]
            )
            size = target.hidden
            gates = part.cell.weight_ih.square().sum(0).sqrt()
            kept = select_channels(relu(reduced), gates, size)
            readouts = [part.correct.weight] + ([full.jawline_readout.correct.weight] if name == "c_lstm" else [])
            importance = torch.cat([*readouts, part.cell.weight_hh]).norm(dim=0)
            units = select_channels(hidden, importance, size)
            weight = part.reduce.weight.view(-1, NUM_LANDMARKS, expand.shape[0])[kept]
            target.reduce.weight.copy_((weight @ expand).flatten(1))
            target.reduce.bias.copy_(part.reduce.bias[kept] + (weight @ offset).sum(1))
            # All units from the kept ones.
            from_reduced, reduced_bias = linear_map(relu(reduced[:, kept]), relu(reduced))
            from_hidden, hidden_bias = linear_map(hidden[:, units], hidden)
            rows = torch.cat([units + gate * len(hidden[0]) for gate in range(4)])
            target.cell.weight_ih.copy_(part.cell.weight_ih[rows] @ from_reduced)
            target.cell.bias_ih.copy_(part.cell.bias_ih[rows] + part.cell.weight_ih[rows] @ reduced_bias)
            target.cell.weight_hh.copy_(part.cell.weight_hh[rows] @ from_hidden)
            target.cell.bias_hh.copy_(part.cell.bias_hh[rows])
            layers = [(part.correct, target.correct)]
            if name == "c_lstm":
                layers.append((full.jawline_readout.correct, small.jawline_readout.correct))
            for layer, small_layer in layers:
                small_layer.weight.copy_(layer.weight @ from_hidden)
                small_layer.bias.copy_(layer.bias + layer.weight @ hidden_bias)


def explained(inputs: Tensor, outputs: Tensor) -> float:
    """Fraction of the variance of the outputs that a linear map explains."""
    weight, bias = linear_map(inputs, outputs)
    error = outputs - (inputs @ weight.T + bias)
    return round(1 - float(error.var(0).sum() / outputs.var(0).sum()), 4)
