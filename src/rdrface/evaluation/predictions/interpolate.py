"""The refined 2D output at points of the mesh that are not among the 68.

A `Face` has the 2D output (3D+2D) at the 68 points only. Sets with other points (WFLW's 98, AFLW's 21) are compared
with points of the mesh, and what the refinement moved the 68 by is spread over them.
"""

import numpy as np

from rdrface.face import Face, packaged_model
from rdrface.morphable.model import FaceModel
from rdrface.morphable.schemes import surface_points
from rdrface.morphable.surface import positions

REACH = 8.0
"""mm on the mean face, where the 68 are some 10 mm apart. Chosen by telling the refinement of one inner landmark from
those of the others, on training faces of MERL-RAV; a little more or less does as well."""

SAME = 1e-3
"""mm. Points of the mean face that are closer than this are one."""


def spread(face: Face, scheme: str) -> np.ndarray:
    """The 2D output at the points of a scheme: ``p_mesh + W (S_K - S_p)``, W as `spread_weights` has it.

    The contour of S_K and S_p is taken on the absolute jawline, where the mesh's own points lie. A point that is one of
    the 68 is therefore exactly `Face.landmarks_jawline` there (for inner points the same as `Face.landmarks`).

    Args:
        face: with the face model that its parameters belong to.
        scheme: one of `rdrface.morphable.schemes.SCHEMES`.

    Returns:
        (P, 2) float64 photo pixels.

    Raises:
        ValueError: there is no such scheme.
    """
    model = packaged_model() if face.model is None else face.model
    moved = face.landmarks_jawline.astype(np.float64) - face.landmarks_3d[:, :2]
    return face.points(scheme)[:, :2] + spread_weights(model, scheme) @ moved


def spread_weights(model: FaceModel, scheme: str) -> np.ndarray:
    """How much each of the 68 landmarks moves each point of a scheme.

    A weight is ``exp(-d^2 / (2 REACH^2)) / d`` of the distance d on the mean face, so that a point halfway between two
    landmarks moves as their mean does, and a point that is one of the 68 moves with that one alone (Shepard, 1968: he
    has a power of 1 / d).

    Returns:
        (P, 68) float64, no weight negative, every row sums to 1.
    """
    at, near = (positions(model.mean, model.triangles, surface_points(model, name)) for name in (scheme, "ibug68"))
    distance = np.linalg.norm(at[:, None].astype(np.float64) - near, axis=-1)
    one = distance < SAME
    # From the nearest landmark's distance on: far from all of them the exponentials would be nothing.
    beyond = distance**2 - distance.min(1, keepdims=True) ** 2
    falling = np.exp(-beyond / (2 * REACH**2)) / np.maximum(distance, SAME)
    weights = np.where(one.any(1)[:, None], one, falling)
    return weights / weights.sum(1, keepdims=True)
