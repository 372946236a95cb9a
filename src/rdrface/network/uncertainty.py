"""Visibility and uncertainty of each landmark; not in the paper."""

import torch
from torch import Tensor, nn

from rdrface.landmarks import NUM_LANDMARKS
from rdrface.network.sizes import FULL, NetworkSizes


class Uncertainty(nn.Module):
    """Two numbers per landmark: the logit of the probability that the point is visible, and the logarithm of the
    expected error.

    Three inputs: the local feature at S_K, C-LSTM's last state, and the head's rotation, which determines the
    self-occluded points. Each landmark combines them in its own hidden units.

    Args:
        sizes: layer sizes of the network.
    """

    def __init__(self, sizes: NetworkSizes = FULL) -> None:
        super().__init__()
        channels, units = sizes.deconv5, sizes.uncertainty
        self.units = units
        self.local = nn.Parameter(torch.randn(NUM_LANDMARKS, channels, units) / channels**0.5)
        self.context = nn.Linear(sizes.hidden, NUM_LANDMARKS * units)
        self.geometry = nn.Sequential(
            nn.Linear(9, sizes.rotation), nn.ReLU(), nn.Linear(sizes.rotation, NUM_LANDMARKS * units)
        )
        self.out = nn.Parameter(torch.randn(NUM_LANDMARKS, units, 2) * 0.01)
        # Initial output: visible with probability 3/4, expected error 4 % of the crop's half side.
        self.bias = nn.Parameter(torch.tensor([1.1, -3.2]).repeat(NUM_LANDMARKS, 1))

    def forward(self, features: Tensor, hidden: Tensor, rotation: Tensor) -> tuple[Tensor, Tensor]:
        """Visibility logits and log uncertainty, each (B, 68).

        Args:
            features: (B, 68, 80) shape-indexed features at S_K.
            hidden: (B, 256) C-LSTM's hidden state.
            rotation: (B, 3, 3) rotation of the head; detached, so that the losses on the outputs do not change the
                pose.
        """
        units = (features.unsqueeze(-1) * self.local).sum(2)
        units = units + self.context(hidden).view(-1, NUM_LANDMARKS, self.units)
        units = units + self.geometry(rotation.detach().flatten(1)).view(-1, NUM_LANDMARKS, self.units)
        both = (torch.relu(units).unsqueeze(-1) * self.out).sum(2) + self.bias
        return both[..., 0], both[..., 1]
