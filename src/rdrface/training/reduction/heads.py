"""Reduction of the parameter initialization and of the two LSTMs."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import relu

from rdrface.landmarks import NUM_LANDMARKS
from rdrface.network.dual_refinement import RefinementLSTM
from rdrface.network.rdr import RDR
from rdrface.network.shape_indexed import shape_indexed
from rdrface.training.reduction.cells import BATCH_SIZE, cells, only_bias
from rdrface.training.reduction.regression import linear_map, select_channels

GATES = 4
"""Gates of an LSTM cell."""


def reduce_initialization(trained: RDR, small: RDR, large: Tensor, reduced: Tensor) -> None:
    """Set the weights of the smaller network's parameter initialization, and copy the scale of the parameters.

    Args:
        trained: trained network in evaluation mode.
        small: the smaller network, changed in place.
        large, reduced: Res5b of the two networks.
    """
    heads, small_heads = trained.initialization, small.initialization
    if isinstance(small_heads.reduce, nn.Sequential):
        convolution: Any = small_heads.reduce[0]
        norm: Any = small_heads.reduce[1]
        # Principal components with both signs, because a ReLU follows.
        values = cells(reduced)
        _, _, directions = torch.pca_lowrank(values, convolution.out_channels // 2, niter=4)
        weight = torch.cat([directions.T, -directions.T])
        convolution.weight.copy_(weight[:, :, None, None])
        only_bias(norm, -(weight @ values.mean(0)))
    inputs = heads.pool5(large).flatten(1)
    small_inputs = small_heads.pool5(small_heads.reduce(reduced)).flatten(1)
    for name in ("id", "p", "exp"):
        fc5, fc6 = getattr(heads, f"fc5_{name}"), getattr(heads, f"fc6_{name}")
        small_fc5, small_fc6 = getattr(small_heads, f"fc5_{name}"), getattr(small_heads, f"fc6_{name}")
        units = fc5(inputs)
        chosen = select_channels(relu(units), fc6.weight.norm(dim=0), small_fc5.out_features)
        _fit_linear(small_fc5, small_inputs, units[:, chosen])
        _fit_linear(small_fc6, relu(small_fc5(small_inputs)), fc6(relu(units)))
    small.scale.load_state_dict(trained.scale.state_dict())


@dataclass(frozen=True)
class _LSTMRecords:
    """Outputs of an LSTM's layers in the trained network, M = crops x iterations.

    Attributes:
        reduced: (M, H) reduced features, before the ReLU.
        hidden: (M, H) hidden states.
    """

    reduced: Tensor
    hidden: Tensor


def reduce_lstms(trained: RDR, small: RDR, crops: Tensor) -> None:
    """Set the weights of the smaller network's LSTMs and of their read-outs.

    Args:
        trained: trained network in evaluation mode.
        small: the smaller network with reduced convolutions, changed in place.
        crops: (B, 3, N, N) 0..255.
    """
    records, features, small_features = _record(trained, small, crops)
    # The trained network's features from those of the smaller one, at any landmark.
    expand, offset = linear_map(small_features.flatten(0, 1), features.flatten(0, 1))
    readouts = {"pe_lstm": [(trained.pe_lstm.correct, small.pe_lstm.correct)]}
    readouts["c_lstm"] = [
        (trained.c_lstm.correct, small.c_lstm.correct),
        (trained.jawline_readout.correct, small.jawline_readout.correct),
    ]
    for name, layers in readouts.items():
        _reduce_lstm(getattr(trained, name), getattr(small, name), layers, records[name], expand, offset)


def _reduce_lstm(
    lstm: RefinementLSTM,
    small: RefinementLSTM,
    readouts: list[tuple[nn.Linear, nn.Linear]],
    records: _LSTMRecords,
    expand: Tensor,
    offset: Tensor,
) -> None:
    cell, size = lstm.cell, records.hidden.shape[1]
    reduced = relu(records.reduced)
    kept = select_channels(reduced, cell.weight_ih.norm(dim=0), small.hidden)
    uses = torch.cat([cell.weight_hh, *(layer.weight for layer, _ in readouts)])
    units = select_channels(records.hidden, uses.norm(dim=0), small.hidden)

    weight = lstm.reduce.weight.view(len(lstm.reduce.weight), NUM_LANDMARKS, -1)[kept]
    small.reduce.weight.copy_((weight @ expand).flatten(1))
    small.reduce.bias.copy_(lstm.reduce.bias[kept] + (weight @ offset).sum(1))
    # All units from those that the smaller network has.
    from_reduced, reduced_offset = linear_map(reduced[:, kept], reduced)
    from_hidden, hidden_offset = linear_map(records.hidden[:, units], records.hidden)
    rows = torch.cat([units + gate * size for gate in range(GATES)])
    small.cell.weight_ih.copy_(cell.weight_ih[rows] @ from_reduced)
    small.cell.bias_ih.copy_(cell.bias_ih[rows] + cell.weight_ih[rows] @ reduced_offset)
    # Without the offset, because the first state is zero.
    small.cell.weight_hh.copy_(cell.weight_hh[rows] @ from_hidden)
    small.cell.bias_hh.copy_(cell.bias_hh[rows])
    for layer, small_layer in readouts:
        small_layer.weight.copy_(layer.weight @ from_hidden)
        small_layer.bias.copy_(layer.bias + layer.weight @ hidden_offset)


def _record(trained: RDR, small: RDR, crops: Tensor) -> tuple[dict[str, _LSTMRecords], Tensor, Tensor]:
    """Run the trained network, and both networks' convolutions.

    Returns:
        Records of ``pe_lstm`` and ``c_lstm``, and the shape-indexed features of the two networks at the same landmarks,
        (M, 68, C) and (M, 68, c).
    """
    names = ("pe_lstm", "c_lstm")
    reduced: dict[str, list[Tensor]] = {name: [] for name in names}
    hidden: dict[str, list[Tensor]] = {name: [] for name in names}
    hooks = []
    for name in names:
        lstm = getattr(trained, name)
        hooks.append(lstm.reduce.register_forward_hook(lambda _m, _i, out, name=name: reduced[name].append(out)))
        hooks.append(lstm.register_forward_hook(lambda _m, _i, out, name=name: hidden[name].append(out[1][0])))
    features, small_features = [], []
    for part in torch.split(crops, BATCH_SIZE):
        prediction = trained(part)
        deconv5 = small.regression_features(small.backbone(part)[0])
        for step in prediction.steps[:-1]:
            features.append(shape_indexed(prediction.deconv5, step.landmarks))
            small_features.append(shape_indexed(deconv5, step.landmarks))
    for hook in hooks:
        hook.remove()
    records = {name: _LSTMRecords(torch.cat(reduced[name]), torch.cat(hidden[name])) for name in names}
    return records, torch.cat(features), torch.cat(small_features)


def _fit_linear(layer: nn.Linear, inputs: Tensor, target: Tensor) -> None:
    weight, bias = linear_map(inputs, target)
    layer.weight.copy_(weight)
    layer.bias.copy_(bias)
