"""Motion of the whole head between frames: six degrees of freedom, in units of the face size.

A motion is a vector (6,): shift to the right, shift down, growth, clockwise roll, and the turns about the image's y and
x axis. Each is the root mean square displacement of the 68 landmarks that it causes, in face sizes. The first four are a
similarity of the image. The turns move points in proportion to their depth (scaled orthographic projection).
"""

import math

import numpy as np

from rdrface.landmarks import NUM_LANDMARKS

NUM_MOTION = 6
"""Length of a motion."""

X, Y, GROWTH, ROLL, TURN_Y, TURN_X = range(NUM_MOTION)
"""Positions in a motion."""

_TINY = 1e-9


class RigidMotion:
    """The motions of a face in one position.

    Args:
        points: (n, 3) image pixels, x right, y down, z towards the viewer; the 68 landmarks come first.
        size: the face size, pixels.
    """

    def __init__(self, points: np.ndarray, size: float) -> None:
        self._points = points
        self._size = size
        self._center = points[:NUM_LANDMARKS].mean(axis=0)
        self._offsets = offsets = points - self._center
        x, y, z = offsets[:NUM_LANDMARKS].T
        # Root mean square displacement of the landmarks per radian (or per unit of logarithmic growth), pixels.
        radius = math.sqrt((x @ x + y @ y) / NUM_LANDMARKS) + _TINY
        depth = math.sqrt((z @ z) / NUM_LANDMARKS) + _TINY
        self._radians = size / np.array([radius, radius, depth, depth])
        basis = np.zeros((NUM_LANDMARKS, 2, NUM_MOTION))
        basis[:, 0, X] = basis[:, 1, Y] = size
        k = self._radians
        basis[:, 0, GROWTH], basis[:, 1, GROWTH] = k[0] * x, k[0] * y
        basis[:, 0, ROLL], basis[:, 1, ROLL] = -k[1] * y, k[1] * x
        basis[:, 0, TURN_Y], basis[:, 1, TURN_X] = k[2] * z, k[3] * z
        self._basis = basis.reshape(-1, NUM_MOTION)

    def estimate(self, landmarks: np.ndarray) -> np.ndarray:
        """(6,) the motion to `landmarks` (68, 2), by least squares."""
        difference = (landmarks - self._points[:NUM_LANDMARKS, :2]).ravel()
        normal = self._basis.T @ self._basis
        # Flat faces have no depth: without the small diagonal the turns would be undefined.
        normal[np.diag_indices(NUM_MOTION)] += 1e-6 * self._size**2
        motion: np.ndarray = np.linalg.solve(normal, self._basis.T @ difference)
        return motion

    def moved(self, motion: np.ndarray) -> np.ndarray:
        """(n, 3) the points after a motion (6,)."""
        growth, roll, turn_y, turn_x = (motion[GROWTH:] * self._radians).tolist()
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
        shifted = self._offsets @ matrix.T
        shifted += self._center + self._size * np.array([motion[X], motion[Y], 0.0])
        return shifted
