"""How sure the network is of each landmark: not in the paper."""

import torch
from torch import Tensor, nn

from rdrface.landmarks import COUNT
from rdrface.network.refinement import HIDDEN
from rdrface.network.regression_features import CHANNELS

UNITS = 16
"""Hidden units per landmark."""


class Certainty(nn.Module):
    """Two numbers per landmark: the logit of the probability that the point is not hidden, and the logarithm of the
    expected error.

    Three witnesses are heard: what is seen at the landmark (its feature at S_K), what is known of the whole face
    (C-LSTM's last state), and the geometry (the head's rotation, which decides what the head itself hides). Each
    landmark weighs them in a few hidden units of its own.
    """

    def __init__(self) -> None:
        super().__init__()
        self.local = nn.Parameter(torch.randn(COUNT, CHANNELS, UNITS) / CHANNELS**0.5)
        self.context = nn.Linear(HIDDEN, COUNT * UNITS)
        self.geometry = nn.Sequential(nn.Linear(9, 64), nn.ReLU(), nn.Linear(64, COUNT * UNITS))
        self.out = nn.Parameter(torch.randn(COUNT, UNITS, 2) * 0.01)
        # Start from "visible in 3 of 4 cases, wrong by 4 % of the crop's half side".
        self.bias = nn.Parameter(torch.tensor([1.1, -3.2]).repeat(COUNT, 1))

    def forward(self, features: Tensor, hidden: Tensor, rotation: Tensor) -> tuple[Tensor, Tensor]:
        """Visibility logit and log error, each (B, 68).

        Args:
            features: (B, 68, 80) at S_K.
            hidden: (B, 256) C-LSTM's hidden state.
            rotation: (B, 3, 3) of the head.
        """
        # Neither the place nor the pose is bent to make them easier to judge.
        heard = (features.unsqueeze(-1) * self.local).sum(2)
        heard = heard + self.context(hidden).view(-1, COUNT, UNITS)
        heard = heard + self.geometry(rotation.detach().flatten(1)).view(-1, COUNT, UNITS)
        both = (torch.relu(heard).unsqueeze(-1) * self.out).sum(2) + self.bias
        return both[..., 0], both[..., 1]
