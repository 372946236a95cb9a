"""The dual refinement module (supplement, section 2): PE-LSTM for the 3D face, C-LSTM for the 2D landmarks."""

import torch
from torch import Tensor, nn

from rdrface.landmarks import NUM_CONTOUR, NUM_LANDMARKS
from rdrface.morphable.params import NUM_EXPRESSION, NUM_POSE
from rdrface.network.sizes import FULL, NetworkSizes

State = tuple[Tensor, Tensor]


class RefinementLSTM(nn.Module):
    """One refinement component: fc (5440 -> 256), an LSTM cell, and a linear read-out of the correction.

    Args:
        outputs: length of the correction.
        sizes: layer sizes of the network.
    """

    def __init__(self, outputs: int, sizes: NetworkSizes = FULL) -> None:
        super().__init__()
        self.hidden = sizes.hidden
        self.reduce = nn.Linear(NUM_LANDMARKS * sizes.deconv5, sizes.hidden)
        self.cell = nn.LSTMCell(sizes.hidden, sizes.hidden)
        self.correct = nn.Linear(sizes.hidden, outputs)
        # The corrections of an untrained network are almost zero, so they do not disturb the training of the
        # initialization.
        nn.init.normal_(self.correct.weight, std=1e-3)
        nn.init.zeros_(self.correct.bias)

    def start(self, like: Tensor) -> State:
        """Zero state for a batch of the same size as `like`, (B, ...)."""
        zeros = like.new_zeros(like.shape[0], self.hidden)
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
    """Refines P and alpha_exp: 7 + 46 = 53 outputs, standardized. alpha_id is not refined."""

    def __init__(self, sizes: NetworkSizes = FULL) -> None:
        super().__init__(NUM_POSE + NUM_EXPRESSION, sizes)


class CLSTM(RefinementLSTM):
    """Refines the 2D landmarks: 2 x 68 = 136 outputs, crop frame."""

    def __init__(self, sizes: NetworkSizes = FULL) -> None:
        super().__init__(2 * NUM_LANDMARKS, sizes)


class JawlineReadout(nn.Module):
    """The contour on the absolute jawline, a second read-out of C-LSTM's state: 2 x 17 corrections, crop frame.

    Not in the paper, which mentions the difference (section 3: the 2D output follows the visible outline, the labels of
    AFLW2000-3D follow the absolute jawline) and proposes fine-tuning. With one more linear layer, the network predicts
    both conventions.

    Args:
        sizes: layer sizes of the network.
    """

    def __init__(self, sizes: NetworkSizes = FULL) -> None:
        super().__init__()
        self.correct = nn.Linear(sizes.hidden, 2 * NUM_CONTOUR)
        nn.init.normal_(self.correct.weight, std=1e-3)
        nn.init.zeros_(self.correct.bias)

    def forward(self, projection_jawline: Tensor, landmarks: Tensor, hidden: Tensor) -> Tensor:
        """Landmarks in the jawline convention.

        Args:
            projection_jawline: (B, 68, 3) projected points, contour on the absolute jawline.
            landmarks: (B, 68, 2) S_k.
            hidden: (B, 256) C-LSTM's hidden state.

        Returns:
            (B, 68, 2): the corrected jawline, and S_k's inner points.
        """
        contour = projection_jawline[:, :NUM_CONTOUR, :2] + self.correct(hidden).view(-1, NUM_CONTOUR, 2)
        return torch.cat([contour, landmarks[:, NUM_CONTOUR:]], dim=1)
