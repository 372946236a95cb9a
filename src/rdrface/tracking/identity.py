"""The identity coefficients of a person over time."""

import numpy as np

from rdrface.morphable.params import NUM_IDENTITY

MEMORY = 30.0
"""Seconds over which the identity coefficients are averaged."""

FIRST_WEIGHT = 1 / 30
"""Weight of the first frame, seconds."""


class IdentityAverage:
    """Mean of the identity coefficients, weighted by certainty and time.

    Attributes:
        mean: (50,) alpha_id; zeros before the first frame.
    """

    def __init__(self) -> None:
        self.mean = np.zeros(NUM_IDENTITY)
        self._weight = 0.0

    def update(self, identity: np.ndarray, expected_error: float, elapsed: float) -> None:
        """Add a frame.

        Args:
            identity: (50,) alpha_id of the frame.
            expected_error: percent of the face size, see `Face.expected_error`.
            elapsed: seconds since the last frame; 0 for the first.
        """
        weight = (min(elapsed, 0.2) or FIRST_WEIGHT) / max(expected_error, 0.5) ** 2
        self._weight = self._weight * float(np.exp(-elapsed / MEMORY)) + weight
        self.mean = self.mean + (weight / self._weight) * (identity - self.mean)
