"""The refined 2D output at mesh points that are not among the 68 landmarks.

A `Face` has the 2D output (3D+2D) at the 68 landmarks only. For sets with other points (WFLW's 98, AFLW's 21), points
of the projected mesh are moved by the displacements of the nearby landmarks.
"""

import numpy as np

from rdrface.face import Face, packaged_model
from rdrface.morphable.model import FaceModel
from rdrface.morphable.schemes import surface_points
from rdrface.morphable.surface import positions

REACH = 8.0
"""Width of the Gaussian, mm on the mean face, where neighboring landmarks are about 10 mm apart. It was chosen by
predicting the displacement of one inner landmark from those of the others on training faces of MERL-RAV; the result
depends little on it."""

SAME = 1e-3
"""Distance in mm below which two points of the mean face are the same point."""


def interpolated_landmarks(face: Face, scheme: str) -> np.ndarray:
    """The 2D output at the points of an annotation scheme: ``p_mesh + W (S_K - S_p)``, W from `interpolation_weights`.

    The contours of S_K and S_p are taken on the absolute jawline, which consists of mesh points. A point that is one of
    the 68 is therefore exactly that point of `Face.landmarks_jawline` (for inner points, also of `Face.landmarks`).

    Args:
        face: with the face model that its parameters belong to.
        scheme: one of `rdrface.morphable.schemes.SCHEMES`.

    Returns:
        (P, 2) float64 image pixels.

    Raises:
        ValueError: there is no such scheme.
    """
    model = packaged_model() if face.model is None else face.model
    displacement = face.landmarks_jawline.astype(np.float64) - face.landmarks_3d[:, :2]
    points: np.ndarray = face.points(scheme)[:, :2] + interpolation_weights(model, scheme) @ displacement
    return points


def interpolation_weights(model: FaceModel, scheme: str) -> np.ndarray:
    """Weight of each of the 68 landmarks in the displacement of each point of a scheme.

    The weight is ``exp(-d^2 / (2 REACH^2)) / d`` at distance d on the mean face, normalized to a sum of 1. A point
    halfway between two landmarks moves by the mean of their displacements, and a point that is one of the 68 moves with
    that landmark alone. It is Shepard's interpolation (1968), which uses a power of 1 / d, with a limited reach.

    Returns:
        (P, 68) float64, not negative, with rows that sum to 1.
    """
    at, near = (positions(model.mean, model.triangles, surface_points(model, name)) for name in (scheme, "ibug68"))
    distance = np.linalg.norm(at[:, None].astype(np.float64) - near, axis=-1)
    same = distance < SAME
    # Relative to the nearest landmark: far from all landmarks, every exponential would underflow to 0.
    excess = distance**2 - distance.min(1, keepdims=True) ** 2
    falling = np.exp(-excess / (2 * REACH**2)) / np.maximum(distance, SAME)
    weights = np.where(same.any(1)[:, None], same, falling)
    normalized: np.ndarray = weights / weights.sum(1, keepdims=True)
    return normalized
