"""3D parameter initialization (supplement, section 2): pool5, then fc5 and fc6 for P, alpha_id and alpha_exp."""

import torch
from torch import Tensor, nn

from rdrface.morphable.feasible import antagonist_index, feasible
from rdrface.morphable.model import FaceModel
from rdrface.morphable.params import (
    EXPRESSION,
    NUM_EXPRESSION,
    NUM_IDENTITY,
    NUM_PARAMETERS,
    NUM_POSE,
    POSE,
    ROTATION,
    SCALE,
    TRANSLATION,
)
from rdrface.network.sizes import FULL, NetworkSizes

POOLED = 4
"""Height and width of pool5's output."""


class ParameterInitialization(nn.Module):
    """Res5b -> standardized Q.

    `ParameterScale` turns the outputs into millimeters, radians and coefficients, so an untrained network starts from
    the average face.

    Args:
        sizes: layer sizes of the network.
    """

    def __init__(self, sizes: NetworkSizes = FULL) -> None:
        super().__init__()
        channels = sizes.stages[-1]
        self.reduce: nn.Module = nn.Identity()
        if sizes.reduced is not None:
            self.reduce = nn.Sequential(
                nn.Conv2d(channels, sizes.reduced, 1, bias=False), nn.BatchNorm2d(sizes.reduced), nn.ReLU()
            )
            channels = sizes.reduced
        # 2x2 with stride 2 on the paper's 8x8 map; the output is 4x4 for every crop size.
        self.pool5 = nn.AdaptiveAvgPool2d(POOLED)
        inputs = channels * POOLED**2
        self.fc5_id = nn.Linear(inputs, sizes.fc5_id)
        self.fc5_p = nn.Linear(inputs, sizes.fc5_p)
        self.fc5_exp = nn.Linear(inputs, sizes.fc5_exp)
        self.fc6_id = nn.Linear(sizes.fc5_id, NUM_IDENTITY)
        self.fc6_p = nn.Linear(sizes.fc5_p, NUM_POSE)
        self.fc6_exp = nn.Linear(sizes.fc5_exp, NUM_EXPRESSION)
        for head in (self.fc6_id, self.fc6_p, self.fc6_exp):
            nn.init.normal_(head.weight, std=1e-3)
            nn.init.zeros_(head.bias)

    def forward(self, res5b: Tensor) -> Tensor:
        """(B, 512, n, n) -> (B, 103) standardized Q."""
        x = self.pool5(self.reduce(res5b)).flatten(1)
        identity = self.fc6_id(torch.relu(self.fc5_id(x)))
        pose = self.fc6_p(torch.relu(self.fc5_p(x)))
        expression = self.fc6_exp(torch.relu(self.fc5_exp(x)))
        return torch.cat([identity, pose, expression], dim=1)


class ParameterScale(nn.Module):
    """Standardized parameters <-> Q. Mean and standard deviation are measured on the training faces and stored with the
    weights."""

    mean: Tensor
    std: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(NUM_PARAMETERS))
        self.register_buffer("std", torch.ones(NUM_PARAMETERS))

    @torch.no_grad()
    def measure(self, q: Tensor) -> None:
        """Set mean and standard deviation from Q of training faces, (N, 103), crop frame."""
        self.mean.copy_(q.mean(0))
        # A minimum, so that a parameter that is constant in a small dataset is not scaled up. It depends on the kind
        # of parameter: coefficients, radians, millimeters, and f, which is a thousand times smaller than a translation.
        minimum = torch.full_like(self.std, 0.1)
        pose = minimum[POSE]  # a view
        pose[ROTATION] = 0.05
        pose[TRANSLATION] = 1.0
        pose[SCALE] = 0.02 * q[:, POSE][:, SCALE].mean().abs()
        self.std.copy_(torch.maximum(q.std(0), minimum))

    def forward(self, standardized: Tensor) -> Tensor:
        """(B, 103) standardized -> (B, 103) Q."""
        return self.mean + self.std * standardized

    def standardize(self, q: Tensor) -> Tensor:
        """(B, 103) Q -> (B, 103) standardized."""
        return (q - self.mean) / self.std


class ExpressionBounds(nn.Module):
    """Limits alpha_exp to feasible values, see `rdrface.morphable.feasible`.

    Beyond a bound there is no gradient; only the loss on the unbounded coefficients acts there.

    Args:
        names: names of the coefficients; default: those of the packaged face model.
    """

    opposite: Tensor
    present: Tensor

    def __init__(self, names: tuple[str, ...] | None = None) -> None:
        super().__init__()
        index, present = antagonist_index(FaceModel.load().expression_names if names is None else names)
        self.register_buffer("opposite", torch.from_numpy(index), persistent=False)
        self.register_buffer("present", torch.from_numpy(present), persistent=False)

    def forward(self, q: Tensor) -> Tensor:
        """(B, 103) Q -> (B, 103) Q with feasible alpha_exp."""
        expression = feasible(q[:, EXPRESSION], self.opposite, self.present)
        return torch.cat([q[:, : EXPRESSION.start], expression], dim=1)
