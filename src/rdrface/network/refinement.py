"""The dual refinement module (supplement, section 2): PE-LSTM for the 3D face, C-LSTM for the 2D landmarks."""

import torch
from torch import Tensor, nn

from rdrface.landmarks import COUNT
from rdrface.network.initialisation import EXPRESSION, POSE
from rdrface.network.regression_features import CHANNELS

HIDDEN = 256
"""Size of both reduced features (supplement) and of both LSTM states (our choice)."""

State = tuple[Tensor, Tensor]


class RefinementLSTM(nn.Module):
    """One refinement component: fc (5440 -> 256), an LSTM cell, and a linear read-out of the correction.

    Args:
        outputs: length of the correction.
    """

    def __init__(self, outputs: int) -> None:
        super().__init__()
        self.reduce = nn.Linear(COUNT * CHANNELS, HIDDEN)
        self.cell = nn.LSTMCell(HIDDEN, HIDDEN)
        self.correct = nn.Linear(HIDDEN, outputs)
        # The first correction of an untrained network is nearly nothing, so the initialisation learns undisturbed.
        nn.init.normal_(self.correct.weight, std=1e-3)
        nn.init.zeros_(self.correct.bias)

    def start(self, like: Tensor) -> State:
        """Zero state for a batch as large as that of ``like``, (B, ...)."""
        zeros = like.new_zeros(like.shape[0], HIDDEN)
        return zeros, zeros

    def forward(self, features: Tensor, state: State) -> tuple[Tensor, State]:
        """One iteration.

        Args:
            features: (B, 68, 80) shape-indexed features.
            state: hidden and cell state, each (B, 256).

        Returns:
            The correction (B, outputs) and the new state.
        """
        reduced = torch.relu(self.reduce(features.flatten(1)))
        hidden, cell = self.cell(reduced, state)
        return self.correct(hidden), (hidden, cell)


class PELSTM(RefinementLSTM):
    """Refines P and alpha_exp: 7 + 46 = 53 outputs, in whitened units. alpha_id is not refined."""

    def __init__(self) -> None:
        super().__init__(POSE + EXPRESSION)


class CLSTM(RefinementLSTM):
    """Refines the 2D landmarks: 2 x 68 = 136 outputs, crop frame."""

    def __init__(self) -> None:
        super().__init__(2 * COUNT)


class Certainty(nn.Module):
    """How sure the network is of each landmark: not in the paper. Reads the features at S_K and C-LSTM's last state.

    Two numbers per landmark: the logit of the probability that the point is not hidden, and the logarithm of the
    expected error.
    """

    def __init__(self) -> None:
        super().__init__()
        # The place's own feature tells what is seen there, the state what is known of the whole face. Both are divided
        # by the root of their length at the start, so that neither drowns the other.
        self.local = nn.Parameter(torch.randn(COUNT, CHANNELS, 2) * 0.1 / CHANNELS**0.5)
        self.context = nn.Linear(HIDDEN, 2 * COUNT)
        nn.init.normal_(self.context.weight, std=1e-3)
        with torch.no_grad():
            # Start from "visible in 3 of 4 cases, wrong by 4 % of the crop's half side".
            self.context.bias.copy_(torch.tensor([1.1, -3.2]).repeat(COUNT))

    def forward(self, features: Tensor, hidden: Tensor) -> tuple[Tensor, Tensor]:
        """(B, 68, 80) features at S_K and (B, 256) state -> visibility logit and log error, each (B, 68)."""
        local = (features.unsqueeze(-1) * self.local).sum(2)
        both = local + self.context(hidden).view(-1, COUNT, 2)
        return both[..., 0], both[..., 1]
