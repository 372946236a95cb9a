"""The 3D face reduced to its landmarks: a single matrix product per face."""

import numpy as np

from rdrface.morphable.model import FaceModel


class LandmarkShape:
    """Landmarks of the 3D face with the contour on the jawline, in the model frame.

    Args:
        model: the face model.
    """

    def __init__(self, model: FaceModel) -> None:
        points = model.reduced(model.points["ibug68"])
        basis = np.concatenate([points.identity_basis, points.expression_basis])
        self._mean = points.mean.ravel().astype(np.float64)
        self._basis = basis.reshape(len(basis), -1).astype(np.float64)

    def points(self, identity: np.ndarray, expression: np.ndarray) -> np.ndarray:
        """(68, 3) mm, from alpha_id (50,) and alpha_exp (46,)."""
        shape: np.ndarray = self._mean + np.concatenate([identity, expression]) @ self._basis
        return shape.reshape(-1, 3)
