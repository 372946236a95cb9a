"""Custom landmarks: another annotation scheme, predicted by a read-out of the frozen network for the 68 landmarks.

The supplement proposes fine-tuning for labels of another scheme (section 3, last paragraph). Here only a read-out is
trained: a few hundred labeled faces are enough, and the 68 landmarks do not change at all.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from rdrface.geometry.camera import project
from rdrface.landmarks import NUM_LANDMARKS
from rdrface.morphable.blend import blend
from rdrface.morphable.model import PointModel
from rdrface.morphable.params import EXPRESSION, IDENTITY, POSE
from rdrface.network.rdr import RDR, Prediction, Step
from rdrface.network.shape_indexed import shape_indexed
from rdrface.network.sizes import FULL, NetworkSizes


def context_length(sizes: NetworkSizes) -> int:
    """Length of the vector that describes the whole face: C-LSTM's last state, and the offset of each landmark from its
    fixed point on the 3D face."""
    return sizes.hidden + 2 * NUM_LANDMARKS


@dataclass(frozen=True)
class Features:
    """A prediction, and the hidden state that the read-out also needs.

    Attributes:
        prediction: the network's output.
        hidden: (B, H) C-LSTM's last hidden state; zeros for a network without iterations.
    """

    prediction: Prediction
    hidden: Tensor


def extract_features(network: RDR, crops: Tensor) -> Features:
    """Run the network on crops (B, 3, N, N), RGB 0..255, and keep C-LSTM's last state, which is not in `Prediction`."""
    states: list[Tensor] = []
    hook = network.c_lstm.register_forward_hook(lambda _module, _inputs, out: states.append(out[1][0]))
    try:
        prediction = network(crops)
    finally:
        hook.remove()
    q = prediction.steps[-1].q
    return Features(prediction, states[-1] if states else q.new_zeros(len(q), network.sizes.hidden))


OUTPUT_BASES = ("landmarks", "landmarks_jawline")
"""Outputs of `Step` that custom landmarks can start from: the 68 landmarks, one output per contour convention."""


class CustomLandmarks(nn.Module):
    """L custom landmarks: a starting point each, the base, and two linear corrections.

    1. The base: points on the surface of the 3D face, posed with Q_K; or, for an annotation scheme with the same 68
       landmarks, one of the network's own 2D outputs.
    2. `place`: a linear function of C-LSTM's state and of the offsets of the 68 landmarks from their fixed points on
       the 3D face, including the sliding of the contour. It is sufficient for points on or between the 68.
    3. `local`: a linear function, per point, of the shape-indexed feature at the corrected point.

    A new read-out has zero corrections: its landmarks are the base.

    Args:
        base: the face model at the L surface points, or the name of an output, one of `OUTPUT_BASES`.
        sizes: layer sizes of the network.
    """

    surface_mean: Tensor
    surface_identity: Tensor
    surface_expression: Tensor

    def __init__(self, base: PointModel | str, sizes: NetworkSizes = FULL) -> None:
        super().__init__()
        if isinstance(base, str):
            if base not in OUTPUT_BASES:
                raise ValueError(f"base must be a face model or one of {', '.join(OUTPUT_BASES)}; got {base!r}")
            self.output: str | None = base
            self.count = NUM_LANDMARKS
        else:
            self.output = None
            self.count = len(base.mean)
            self.register_buffer("surface_mean", torch.from_numpy(base.mean.copy()))
            self.register_buffer("surface_identity", torch.from_numpy(base.identity_basis.copy()))
            self.register_buffer("surface_expression", torch.from_numpy(base.expression_basis.copy()))
        self.place = nn.Linear(context_length(sizes), 2 * self.count)
        self.local = nn.Parameter(torch.zeros(self.count, sizes.deconv5, 2))
        self.local_bias = nn.Parameter(torch.zeros(self.count, 2))
        nn.init.zeros_(self.place.weight)
        nn.init.zeros_(self.place.bias)

    def forward(self, features: Features) -> Tensor:
        """(B, L, 2) landmarks, crop frame."""
        # As in RDR: geometry needs float32, even if the convolutions run in reduced precision.
        with torch.autocast(features.hidden.device.type, enabled=False):
            last = features.prediction.steps[-1]
            placed = self.placed(self.base(last), self.context(last, features.hidden))
            return self.corrected(placed, shape_indexed(features.prediction.deconv5, placed))

    def base(self, last: Step) -> Tensor:
        """(B, L, 2) starting points of the landmarks in the last step, crop frame."""
        if self.output is not None:
            landmarks: Tensor = getattr(last, self.output)
            return landmarks
        q = last.q
        shape = blend(
            self.surface_mean, self.surface_identity, self.surface_expression, q[:, IDENTITY], q[:, EXPRESSION]
        )
        points: Tensor = project(shape, q[:, POSE])[..., :2]
        return points

    def context(self, last: Step, hidden: Tensor) -> Tensor:
        """(B, `context_length`): the hidden state (B, H), and the 68 landmarks relative to the projected jawline
        points."""
        return torch.cat([hidden, (last.landmarks - last.projection_jawline[..., :2]).flatten(1)], dim=1)

    def placed(self, base: Tensor, context: Tensor) -> Tensor:
        """(B, L, 2) landmarks after the first correction, where the feature is sampled."""
        placed: Tensor = base + self.place(context).view(-1, self.count, 2)
        return placed

    def corrected(self, placed: Tensor, sampled: Tensor) -> Tensor:
        """(B, L, 2) landmarks after the second correction.

        Args:
            placed: (B, L, 2), see `placed`.
            sampled: (B, L, C) shape-indexed features at `placed`.
        """
        return placed + self.local_bias + (sampled.unsqueeze(-1) * self.local).sum(2)
