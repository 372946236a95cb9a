"""RDR in the form in which it is exported: the same function with fewer and cheaper operations.

`RDR` is written for training and for reading. On one face, its many small operators take longer than the work in them.
In this form

* layers with the same input are one product;
* points are planes (`rdrface.network.plane_geometry`);
* deconv5 is computed only at the cells around the landmarks (`rdrface.network.point_features`);
* intermediate steps compute only the landmarks.

The parts are modules so that the exporter can name their operations; they get the layers of RDR as arguments.
"""

import torch
from torch import Tensor, nn
from torch.nn.functional import linear, pad

from rdrface.landmarks import NUM_CONTOUR, NUM_LANDMARKS
from rdrface.morphable.feasible import feasible
from rdrface.morphable.params import EXPRESSION, IDENTITY, NUM_IDENTITY, NUM_POSE, POSE
from rdrface.network.custom_landmarks import CustomLandmarks
from rdrface.network.dual_refinement import RefinementLSTM, State
from rdrface.network.parameter_initialization import ExpressionBounds
from rdrface.network.plane_geometry import Angles, FaceRows, PlaneGeometry, Planes
from rdrface.network.point_features import PointFeatures
from rdrface.network.rdr import RDR, Step
from rdrface.network.uncertainty import Uncertainty


class InferenceGraph(nn.Module):
    """The exported part of RDR: the last iteration, with probabilities and lengths instead of logits and logarithms.

    Args:
        network: RDR in evaluation mode; its parameters are shared.
        readout: read-out of custom landmarks, for a further output.
    """

    def __init__(self, network: RDR, readout: CustomLandmarks | None = None) -> None:
        super().__init__()
        self.network = network
        self.custom_landmarks = readout
        samples = network.projection.line_weights.shape[1] // NUM_CONTOUR
        self.initialization = _Initialization()
        self.face = FaceRows()
        self.feasible = _Feasible()
        self.geometry = PlaneGeometry(samples, network.contour)
        self.sampling = PointFeatures(network.regression_features)
        self.reduce = _Together()
        self.lstm = _Cell()
        self.correct = _PlaneLayer()
        self.uncertainty = _Uncertainty()

    def forward(self, crops: Tensor) -> tuple[Tensor, ...]:
        """(B, 3, N, N) RGB 0..255 -> the tensors named in `rdrface.runtime.session.OUTPUTS`, and the custom landmarks
        (B, L, 2) with a read-out; crop frame."""
        network = self.network
        p, c = network.pe_lstm, network.c_lstm
        res3b, res5b = network.backbone(crops)
        table = pad(network.regression_features.deconv4(res3b), (1, 1, 1, 1)).permute(0, 2, 3, 1)
        identity, pose, expression = self.initialization(network, res5b)
        face = self.face(network.projection, identity)
        possible = self.feasible(network.bounds, expression)
        outline, jawline = self.geometry(*face, possible, pose, last=not network.iterations)
        x, y, _ = outline
        hidden = pose.new_zeros(1, c.hidden).expand(pose.shape[0], -1)
        state_p: State | None = None
        state_c: State | None = None
        for step in range(1, network.iterations + 1):
            features = self.sampling(table, x, y).flatten(1)
            if network.features == "previous":
                reduced_p, reduced_c = self.reduce(features, [p.reduce, c.reduce])
            else:
                (reduced_p,) = self.reduce(features, [p.reduce])
            state_p = self.lstm(p, reduced_p, state_p)
            correction = p.correct(state_p[0]) * network.scale.std[NUM_IDENTITY:]
            pose, expression = pose + correction[:, :NUM_POSE], expression + correction[:, NUM_POSE:]
            possible = self.feasible(network.bounds, expression)
            outline, jawline = self.geometry(*face, possible, pose, last=step == network.iterations)
            x, y, _ = outline
            if network.features == "projection":
                (reduced_c,) = self.reduce(self.sampling(table, x, y).flatten(1), [c.reduce])
            state_c = self.lstm(c, reduced_c, state_c)
            hidden = state_c[0]
            x, y = _moved((x, y), self.correct(c.correct, hidden))
        refined_jawline = jawline[:2]
        if network.iterations:
            refined_jawline = _moved(refined_jawline, self.correct(network.jawline_readout.correct, hidden))
        last = Step(
            q=torch.cat([identity, pose, possible], dim=1),
            projection=torch.stack(outline, dim=-1),
            projection_jawline=_with_inner(jawline, outline),
            landmarks=torch.stack([x, y], dim=-1),
            landmarks_jawline=_with_inner(refined_jawline, (x, y)),
            unbounded_expression=expression,
        )
        outputs = (
            last.landmarks,
            last.landmarks_jawline,
            last.projection,
            last.projection_jawline,
            last.q,
            *self.uncertainty(network.uncertainty, self.sampling(table, x, y), hidden, pose),
        )
        readout = self.custom_landmarks
        if readout is None:
            return outputs
        placed = readout.placed(readout.base(last), readout.context(last, hidden))
        return (*outputs, readout.corrected(placed, self.sampling(table, *placed.unbind(-1))))


class _Initialization(nn.Module):
    """`ParameterInitialization` and `ParameterScale`."""

    def __init__(self) -> None:
        super().__init__()
        self.fc5 = _Together()

    def forward(self, network: RDR, res5b: Tensor) -> tuple[Tensor, ...]:
        """Res5b -> alpha_id (B, 50), P (B, 7) and the unbounded alpha_exp (B, 46)."""
        heads, scale = network.initialization, network.scale
        x = heads.reduce(res5b)
        if x.shape[-1] != heads.pool5.output_size:
            x = heads.pool5(x)
        units = self.fc5(x.flatten(1), [heads.fc5_id, heads.fc5_p, heads.fc5_exp])
        layers = ((heads.fc6_id, IDENTITY), (heads.fc6_p, POSE), (heads.fc6_exp, EXPRESSION))
        return tuple(
            layer(unit) * scale.std[part] + scale.mean[part] for unit, (layer, part) in zip(units, layers, strict=True)
        )


class _Together(nn.Module):
    """ReLU of linear layers with the same input (B, n), computed as one product."""

    def forward(self, x: Tensor, layers: list[nn.Linear]) -> tuple[Tensor, ...]:
        weight, bias = torch.cat([layer.weight for layer in layers]), torch.cat([layer.bias for layer in layers])
        # Not `relu`: joined with it, OpenVINO computes the product of a single face with another, slower kernel.
        units = torch.maximum(linear(x, weight, bias), x.new_zeros(1))
        return torch.split(units, [layer.out_features for layer in layers], dim=1)


class _Cell(nn.Module):
    """One step of the cell of a `RefinementLSTM`; a state of None is zero."""

    def forward(self, lstm: RefinementLSTM, x: Tensor, state: State | None) -> State:
        cell = lstm.cell
        gates = linear(x, cell.weight_ih, cell.bias_ih + cell.bias_hh)
        if state is not None:
            gates = gates + linear(state[0], cell.weight_hh)
        admit, forget, candidate, emit = gates.chunk(4, dim=1)
        memory = torch.sigmoid(admit) * torch.tanh(candidate)
        if state is not None:
            memory = memory + torch.sigmoid(forget) * state[1]
        return torch.sigmoid(emit) * torch.tanh(memory), memory


class _PlaneLayer(nn.Module):
    """A linear layer whose outputs are n points x, y, x, y, ... -> their planes x and y, (B, n) each."""

    def forward(self, layer: nn.Linear, x: Tensor) -> Planes:
        weight = layer.weight.view(-1, 2, layer.in_features).transpose(0, 1).reshape(layer.out_features, -1)
        bias = layer.bias.view(-1, 2).transpose(0, 1).reshape(layer.out_features)
        return linear(x, weight, bias).chunk(2, dim=1)


class _Feasible(nn.Module):
    """`ExpressionBounds` on alpha_exp (B, 46)."""

    def forward(self, bounds: ExpressionBounds, expression: Tensor) -> Tensor:
        limited: Tensor = feasible(expression, bounds.opposite, bounds.present)
        return limited


class _Uncertainty(nn.Module):
    """Visibility and uncertainty (B, 68), as in `rdrface.network.uncertainty`."""

    def forward(self, head: Uncertainty, features: Tensor, hidden: Tensor, pose: Tensor) -> tuple[Tensor, Tensor]:
        context = head.context(hidden) + head.geometry(Angles.of(pose).rotation())
        units = (features.unsqueeze(2) @ head.local)[:, :, 0] + context.view(-1, NUM_LANDMARKS, head.units)
        both = (torch.relu(units).unsqueeze(-1) * head.out).sum(2) + head.bias
        return torch.sigmoid(both[..., 0]), torch.exp(both[..., 1])


def _moved(planes: Planes, shifts: Planes) -> Planes:
    return tuple(plane + shift for plane, shift in zip(planes, shifts, strict=True))


def _with_inner(contour: Planes, landmarks: Planes) -> Tensor:
    """Planes of the 17 contour points, and of the 68 landmarks for the others -> (B, 68, 2 or 3)."""
    planes = [torch.cat([c, plane[:, NUM_CONTOUR:]], dim=1) for c, plane in zip(contour, landmarks, strict=True)]
    return torch.stack(planes, dim=-1)
