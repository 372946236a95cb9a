"""Smoothing of a face's points: the head's motion and the shape are filtered separately."""

from functools import cache

import numpy as np

from rdrface.geometry.boxes import box_size
from rdrface.landmarks import NUM_LANDMARKS
from rdrface.tracking.motion_filter import MotionFilter
from rdrface.tracking.point_stack import parts_of_the_stack
from rdrface.tracking.rigid_motion import RigidMotion
from rdrface.tracking.value_filter import ValueFilter

FIRST_NOISE = 0.0015
"""Assumed noise of a new face: root mean square distance of a landmark from its mean over the frames of a still face,
relative to the head, in face sizes."""

NOISE_LIMITS = (0.0003, 0.006)
"""Range of the estimated noise, face sizes."""

NOISE_RISE, NOISE_FALL = 1.0, 0.3
"""Seconds in which the estimate follows a rising and a falling noise. Motion must not be taken for noise."""

MOTION_NOISE = 0.4
"""Variance of the noise of each degree of freedom of the head's motion over that of a landmark relative to the head. On
still faces with sensor noise it is 0.25; with a larger value, faces whose ratio is larger stay smooth too."""

SHAPE_LIMITS = (5.0, 14.0)
"""See `rdrface.tracking.significance.excess`: squared innovations, averaged over a part of the face."""

SELF_WEIGHT = 0.5
"""Weight of a point's own innovation in that average."""


class ShapeFilter:
    """Filters the points of one face.

    Args:
        points: (n, 3) image pixels, see `rdrface.tracking.point_stack`.
        time: seconds.
    """

    def __init__(self, points: np.ndarray, time: float) -> None:
        self.points = points
        self.time = time
        self.noise = FIRST_NOISE**2
        self._motion = MotionFilter(MOTION_NOISE * self.noise)
        self._shape = ValueFilter(len(points), SHAPE_LIMITS)
        self._neighbors = _neighbors(len(points))
        self._predicted: tuple[float, np.ndarray] | None = None

    def predict(self, time: float) -> np.ndarray:
        """(n, 3) the points at a later time."""
        # The same frame is predicted twice: for its crop, and to compare it with what was found.
        if self._predicted is None or self._predicted[0] != time:
            motion = RigidMotion(self.points, _size(self.points))
            self._predicted = time, motion.moved(self._motion.step(time - self.time))
        return self._predicted[1]

    def update(self, observed: np.ndarray, time: float) -> np.ndarray:
        """Filter the points (n, 3) of a new frame, and return the smoothed ones."""
        elapsed = time - self.time
        predicted = self.predict(time)
        size = _size(predicted)
        motion = RigidMotion(predicted, size)
        innovation = motion.estimate(observed[:NUM_LANDMARKS, :2])
        followed = self._motion.update(innovation, MOTION_NOISE * self.noise, elapsed)
        residual = observed - motion.moved(innovation)
        squared = np.einsum("ij,ij->i", residual, residual) / size**2
        gains = self._shape.gains(self._neighbors @ squared, self.noise, elapsed)
        self.points = motion.moved(followed) + gains[:, None] * residual
        self.time, self._predicted = time, None
        self._observe_noise(squared[:NUM_LANDMARKS] / (1 + gains[:NUM_LANDMARKS]), elapsed)
        return self.points

    def _observe_noise(self, squared: np.ndarray, elapsed: float) -> None:
        # The median ignores the parts of the face that move. Squared distances of normally distributed points in a
        # plane have an exponential distribution, whose median is log(2) times its mean.
        middle = len(squared) // 2
        observed = float(np.partition(squared, middle)[middle]) / np.log(2)
        rate = elapsed / (NOISE_RISE if observed > self.noise else NOISE_FALL)
        low, high = NOISE_LIMITS
        self.noise = min(max(self.noise + min(rate, 1.0) * (observed - self.noise), low**2), high**2)


@cache
def _neighbors(count: int) -> np.ndarray:
    """(n, n) weights of the points in the average over a part of the face."""
    weights = np.eye(count)
    for group in parts_of_the_stack():
        weights[np.ix_(group, group)] = (1 - SELF_WEIGHT) / len(group)
        weights[group, group] += SELF_WEIGHT
    weights.setflags(write=False)
    return weights


def _size(points: np.ndarray) -> float:
    landmarks = points[:NUM_LANDMARKS, :2]
    return max(float(box_size(np.concatenate([landmarks.min(axis=0), landmarks.max(axis=0)]))), 1e-3)
