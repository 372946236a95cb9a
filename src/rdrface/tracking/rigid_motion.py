"""Motion of the whole head between frames: six degrees of freedom, in units of the face size.

A motion is a vector (6,): shift to the right, shift down, growth, clockwise roll, and the turns about the image's y
and x axis. Each is the root mean square displacement of the 68 landmarks that it causes, in face sizes. The first four
are a similarity of the image. The turns move points in proportion to their depth (scaled orthographic projection).
"""

import math

import numpy as np

from rdrface.landmarks import NUM_LANDMARKS

NUM_MOTION = 6
"""Length of a motion."""

X, Y, GROWTH, ROLL, TURN_Y, TURN_X = range(NUM_MOTION)
"""Positions in a motion."""

_TINY = 1e-9
_ONES = np.ones(NUM_LANDMARKS)
_IDENTITY = np.eye(NUM_MOTION)


class RigidMotion:
    """The motions of a face in one position.

    Args:
        points: (n, 3) image pixels, x right, y down, z towards the viewer; the 68 landmarks come first.
        size: the face size, pixels.
    """

    def __init__(self, points: np.ndarray, size: float) -> None:
        self._points = points
        self._size = size
        landmarks = points[:NUM_LANDMARKS]
        self._center = _ONES @ landmarks / NUM_LANDMARKS
        self._offsets = points - self._center
        xx, yy, zz = np.einsum("ij,ij->j", *[self._offsets[:NUM_LANDMARKS]] * 2).tolist()
        # Radians, or units of logarithmic growth, per root mean square displacement of the landmarks in face sizes.
        radius, depth = math.sqrt((xx + yy) / NUM_LANDMARKS), math.sqrt(zz / NUM_LANDMARKS)
        self._radius, self._depth = size / (radius + _TINY), size / (depth + _TINY)

    def estimate(self, landmarks: np.ndarray) -> np.ndarray:
        """(6,) the motion to `landmarks` (68, 2), by least squares."""
        x, y, z = self._offsets[:NUM_LANDMARKS].T
        basis = np.zeros((NUM_MOTION, 2, NUM_LANDMARKS))
        basis[X, 0] = basis[Y, 1] = self._size
        basis[GROWTH, 0] = basis[ROLL, 1] = self._radius * x
        basis[GROWTH, 1] = self._radius * y
        np.negative(basis[GROWTH, 1], out=basis[ROLL, 0])
        basis[TURN_Y, 0] = basis[TURN_X, 1] = self._depth * z
        rows = basis.reshape(NUM_MOTION, -1)
        difference = (landmarks - self._points[:NUM_LANDMARKS, :2]).T.ravel()
        # Flat faces have no depth: without the small diagonal the turns would be undefined.
        normal = rows @ rows.T + (1e-6 * self._size**2) * _IDENTITY
        motion: np.ndarray = np.linalg.solve(normal, rows @ difference)
        return motion

    def moved(self, motion: np.ndarray) -> np.ndarray:
        """(n, 3) the points after a motion (6,)."""
        x, y, growth, roll, turn_y, turn_x = motion.tolist()
        growth, roll, turn_y, turn_x = (
            growth * self._radius,
            roll * self._radius,
            turn_y * self._depth,
            turn_x * self._depth,
        )
        scale = math.exp(growth)
        cos, sin = scale * math.cos(roll), scale * math.sin(roll)
        # Turns to first order in x and y, then the similarity.
        matrix = np.array(
            [
                [cos, -sin, cos * turn_y - sin * turn_x],
                [sin, cos, sin * turn_y + cos * turn_x],
                [-scale * turn_y, -scale * turn_x, scale],
            ]
        )
        shifted: np.ndarray = self._offsets @ matrix.T
        shifted += self._center + np.array([self._size * x, self._size * y, 0.0])
        return shifted
