"""Filter of values that stay where they are: the shape of the face relative to the head, and its coefficients."""

import numpy as np

from rdrface.tracking.significance import excess

DRIFT = 0.15
"""Variance that a value gains per second, in units of the variance of the noise. At 30 frames a second, a new frame of
a still face then has a weight of about 0.07."""


class ValueFilter:
    """Kalman filter of n constant values that may change at any time.

    Args:
        count: n.
        limits: see `rdrface.tracking.significance.excess`.
    """

    def __init__(self, count: int, limits: tuple[float, float]) -> None:
        self._variance = np.ones(count)  # in units of the noise
        self._limits = limits

    def gains(self, squared: np.ndarray, noise: np.ndarray | float, elapsed: float) -> np.ndarray:
        """Weights of the new values.

        Args:
            squared: (n,) squared innovations.
            noise: variance of the observations, (n,) or a number.
            elapsed: seconds since the last frame.

        Returns:
            (n,) 0..1.
        """
        variance = self._variance + DRIFT * elapsed
        ratio = squared / noise
        variance = variance + excess(ratio / (variance + 1), self._limits) * ratio
        gains: np.ndarray = variance / (variance + 1)
        self._variance = gains
        return gains
