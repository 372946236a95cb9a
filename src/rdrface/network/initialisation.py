"""3D parameter initialisation (supplement, section 2): pool5, then fc5 and fc6 for P, alpha_id, alpha_exp."""

import torch
from torch import Tensor, nn

from rdrface.morphable import schemes
from rdrface.morphable.feasible import feasible, opposites
from rdrface.morphable.model import FaceModel

IDENTITY, POSE, EXPRESSION = 50, 7, 46
"""Sizes of alpha_id, P and alpha_exp; Q = [alpha_id, P, alpha_exp] in this order (supplement, section 1)."""

FC5 = {"identity": 256, "pose": 128, "expression": 512}
"""Output sizes of fc5-id, fc5-p and fc5-exp (supplement, section 2)."""


class ParameterInitialisation(nn.Module):
    """Res5b -> Q in units of its spread.

    The outputs are *whitened*: `ParameterScale` turns them into millimetres, radians and coefficients. A network that
    has learnt nothing thereby starts from the average face.
    """

    def __init__(self) -> None:
        super().__init__()
        # 2x2, stride 2 on the paper's 8x8 map; the same 4x4 output whatever the crop's size.
        self.pool5 = nn.AdaptiveAvgPool2d(4)
        self.fc5_id = nn.Linear(512 * 16, FC5["identity"])
        self.fc5_p = nn.Linear(512 * 16, FC5["pose"])
        self.fc5_exp = nn.Linear(512 * 16, FC5["expression"])
        self.fc6_id = nn.Linear(FC5["identity"], IDENTITY)
        self.fc6_p = nn.Linear(FC5["pose"], POSE)
        self.fc6_exp = nn.Linear(FC5["expression"], EXPRESSION)
        for head in (self.fc6_id, self.fc6_p, self.fc6_exp):
            nn.init.normal_(head.weight, std=1e-3)
            nn.init.zeros_(head.bias)

    def forward(self, res5b: Tensor) -> Tensor:
        """(B, 512, n, n) -> (B, 103) whitened Q."""
        x = self.pool5(res5b).flatten(1)
        identity = self.fc6_id(torch.relu(self.fc5_id(x)))
        pose = self.fc6_p(torch.relu(self.fc5_p(x)))
        expression = self.fc6_exp(torch.relu(self.fc5_exp(x)))
        return torch.cat([identity, pose, expression], dim=1)


class ParameterScale(nn.Module):
    """Whitened parameters <-> Q. Mean and spread are measured on the training records and kept with the weights."""

    mean: Tensor
    spread: Tensor

    def __init__(self) -> None:
        super().__init__()
        size = IDENTITY + POSE + EXPRESSION
        self.register_buffer("mean", torch.zeros(size))
        self.register_buffer("spread", torch.ones(size))

    @torch.no_grad()
    def measure(self, q: Tensor) -> None:
        """Set mean and spread from Q of training faces, (N, 103), crop frame."""
        self.mean.copy_(q.mean(0))
        # The floor keeps a parameter that never moves in a small data set from being blown up. Each kind has a unit of
        # its own: coefficients, radians, mm, and f, whose 1 % is a hundred-thousandth of a translation's.
        floor = torch.full_like(self.spread, 0.1)
        floor[IDENTITY : IDENTITY + 3] = 0.05
        floor[IDENTITY + 3 : IDENTITY + 6] = 1.0
        floor[IDENTITY + 6] = 0.02 * q[:, IDENTITY + 6].mean().abs()
        self.spread.copy_(torch.maximum(q.std(0), floor))

    def forward(self, whitened: Tensor) -> Tensor:
        """(B, 103) whitened -> (B, 103) Q."""
        return self.mean + self.spread * whitened

    def whiten(self, q: Tensor) -> Tensor:
        """(B, 103) Q -> (B, 103) whitened."""
        return (q - self.mean) / self.spread


class ExpressionBounds(nn.Module):
    """Keeps alpha_exp to what a face can have, see `rdrface.morphable.feasible`.

    Beyond a bound there is no gradient: what pulls a coefficient back is the loss on the unbounded ones.

    Args:
        names: of the coefficients; those of the packaged face model by default.
    """

    opposite: Tensor
    present: Tensor

    def __init__(self, names: tuple[str, ...] | None = None) -> None:
        super().__init__()
        index, present = opposites(FaceModel.load().expression_names if names is None else names)
        self.register_buffer("opposite", torch.from_numpy(index), persistent=False)
        self.register_buffer("present", torch.from_numpy(present), persistent=False)

    def forward(self, q: Tensor) -> Tensor:
        """(B, 103) Q -> (B, 103) Q with feasible alpha_exp."""
        expression = feasible(q[:, schemes.EXPRESSION], self.opposite, self.present)
        return torch.cat([q[:, : schemes.EXPRESSION.start], expression], dim=1)
