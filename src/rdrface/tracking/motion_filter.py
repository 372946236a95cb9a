"""Filter of the head's motion: position and velocity of each of the six degrees of freedom."""

import math

import numpy as np

from rdrface.tracking.rigid_motion import NUM_MOTION
from rdrface.tracking.significance import excess

VELOCITY_NOISE = 1.0
"""Variance that the velocity of a still face gains per second, in units of the variance of the noise (1/s^3). At 30
frames a second, a new frame then has a weight of about 0.1."""

FADING = 2.0
"""Seconds after which a predicted velocity has faded to 1/e."""

FIRST_VELOCITY = 1.0
"""Standard deviation of the unknown velocity of a new face, face sizes per second."""

MIN_INTERVAL = 1 / 240
"""Seconds that frames are apart at least, for a change of velocity: with times that differ by microseconds, as after a
clock that did not advance, the noise of the landmarks would look like a huge velocity."""

FULL_GAIN = (4.0, 14.0)
"""Squared ratios of an innovation to its standard deviation: up to the first it is noise, above the second it is motion
and followed without smoothing."""


class MotionFilter:
    """Kalman filter of the motion since the last frame, with constant velocity.

    An innovation that noise cannot explain is taken for a change of velocity: the filter follows it in the same frame.
    So a still face is smooth and a moving one has no lag.
    """

    def __init__(self, noise: float) -> None:
        self.velocity = np.zeros(NUM_MOTION)
        self._position_variance = np.full(NUM_MOTION, noise)
        self._covariance = np.zeros(NUM_MOTION)
        self._velocity_variance = np.full(NUM_MOTION, FIRST_VELOCITY**2)

    def step(self, elapsed: float) -> np.ndarray:
        """(6,) predicted motion in `elapsed` seconds."""
        step: np.ndarray = self.velocity * (FADING * (1 - math.exp(-elapsed / FADING)))
        return step

    def update(self, innovation: np.ndarray, noise: float, elapsed: float) -> np.ndarray:
        """Filter the motion of a new frame.

        Args:
            innovation: (6,) observed motion minus predicted motion.
            noise: variance of an observation.
            elapsed: seconds since the last frame.

        Returns:
            (6,) the part of the innovation that is motion.
        """
        p, c, v = self._position_variance, self._covariance, self._velocity_variance
        p = p + elapsed * (2 * c + elapsed * v)
        c = c + elapsed * v
        v = v + VELOCITY_NOISE * noise * elapsed
        squared = innovation * innovation
        changed = excess(squared / (p + noise), FULL_GAIN) * squared
        p = p + changed
        interval = max(elapsed, MIN_INTERVAL)
        c = c + changed / interval
        v = v + changed / interval**2
        total = p + noise
        gain, velocity_gain = p / total, c / total
        self.velocity = self.velocity * math.exp(-elapsed / FADING) + velocity_gain * innovation
        self._position_variance = gain * noise
        self._covariance = c * (1 - gain)
        self._velocity_variance = v - velocity_gain * c
        followed: np.ndarray = gain * innovation
        return followed
