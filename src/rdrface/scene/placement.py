"""Where the vertices of the head are in the image, corrected by the refined landmarks."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from rdrface.face import Face, packaged_model
from rdrface.geometry.camera import project
from rdrface.morphable.model import FaceModel
from rdrface.morphable.params import NUM_EXPRESSION, NUM_IDENTITY, SCALE
from rdrface.scene.surface import Surface

_CORRECTION_REACH = 20.0
"""mm over which the correction at a landmark decays to 1 / e."""

_JAW_OPEN = 0.5
"""jawOpen of the face on which distances are measured, so that the lips are apart."""

_MIN_VISIBILITY = 0.5


@dataclass(frozen=True)
class _Kernel:
    """Influence of the landmarks on each other (68, 68) and on the vertices (V, 68), by their distance."""

    landmarks: np.ndarray
    vertices: np.ndarray


def positions_in_image(face: Face, surface: Surface) -> np.ndarray:
    """(V, 3) float64 image pixels, z towards the viewer: the vertices of the 3D face in its image.

    The projected face is a few pixels off the refined landmarks. It is moved to them, with a correction that decays
    with the distance from the landmark; landmarks that are probably hidden have no influence.
    """
    parameters = face.parameters
    identity, expression = parameters.identity.astype(np.float64), parameters.expression.astype(np.float64)
    shape = surface.mean.astype(np.float64)
    shape += np.einsum("i,ivc->vc", identity, surface.identity_basis)
    shape += np.einsum("e,evc->vc", expression, surface.expression_basis)
    at: np.ndarray = project(shape[None], parameters.pose[None].astype(np.float64))[0]
    visible = face.visibility > _MIN_VISIBILITY
    if visible.any():
        kernel = _kernel_of(face.model)
        # The 3D landmarks have the jawline convention: each one is a fixed point of the surface.
        deviation = (face.landmarks_jawline - face.landmarks_3d[:, :2])[visible].astype(np.float64)
        system = kernel.landmarks[np.ix_(visible, visible)] + 0.05 * np.eye(int(visible.sum()))
        at[:, :2] += kernel.vertices[:, visible] @ np.linalg.solve(system, deviation)
    return at


def millimeter(face: Face) -> float:
    """Image pixels per mm of the face."""
    return float(face.parameters.pose[SCALE])


def _kernel_of(model: FaceModel | None) -> _Kernel:
    return _packaged_kernel() if model is None else _kernel(model)


@lru_cache(maxsize=1)
def _packaged_kernel() -> _Kernel:
    return _kernel(packaged_model())


def _kernel(model: FaceModel) -> _Kernel:
    expression = np.zeros((1, NUM_EXPRESSION), np.float32)
    expression[0, model.expression_names.index("jawOpen")] = _JAW_OPEN
    identity = np.zeros((1, NUM_IDENTITY), np.float32)
    vertices = model.shape(identity, expression)[0]
    points = model.reduced(model.points["ibug68"]).shape(identity, expression)[0]
    return _Kernel(*(np.exp(-_distances(one, points) / _CORRECTION_REACH) for one in (points, vertices)))


def _distances(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    distances: np.ndarray = np.linalg.norm(a[:, None].astype(np.float64) - b[None], axis=2)
    return distances
