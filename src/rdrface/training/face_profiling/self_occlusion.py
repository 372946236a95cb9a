"""Which landmarks an annotator would call hidden by the head itself, from a fitted face."""

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np

from rdrface.geometry.contour import points_on_lines, slide_contour_line
from rdrface.geometry.visibility import occluded_by_mesh
from rdrface.landmarks import MIRROR, NUM_LANDMARKS
from rdrface.morphable.landmark_model import shapes68
from rdrface.morphable.params import POSE, YAW
from rdrface.training.face_profiling.head_texture import Head

# fmt: off
HIDDEN_FROM: Mapping[int, float] = MappingProxyType({
    9: 52, 10: 51, 11: 49, 12: 51, 13: 50, 14: 51, 15: 50, 16: 41,
    21: 89, 22: 67, 23: 60, 24: 46, 25: 30, 26: 20, 34: 32, 35: 32,
    39: 60, 42: 33, 43: 58, 44: 54, 45: 36, 46: 52, 47: 53,
    52: 60, 53: 46, 54: 39, 55: 44, 56: 50, 63: 54, 64: 39, 65: 54,
})
# fmt: on
"""Landmark -> degrees of yaw (nose to the picture's right) from which most annotators of MERL-RAV's training part call
it self-occluded. They hide the far contour as a whole, and nostril and corners of eye and mouth before the nose covers
them, which the mesh alone would not tell."""

_COVERED = 10.0  # mm: what lies this far behind another part of the head is hidden, whatever the yaw (strong pitch)


def hidden_points(head: Head, q: np.ndarray, vertices: np.ndarray) -> np.ndarray:
    """(68,) bool: the head hides the point.

    Args:
        head: the prepared face model.
        q: (103,) float32 Q.
        vertices: (V, 3) float32 mm, model frame, of the same face.
    """
    yaw = float(np.rad2deg(q[POSE][YAW]))
    limit = np.full(NUM_LANDMARKS, np.inf)
    limit[list(HIDDEN_FROM)] = list(HIDDEN_FROM.values())
    turned = abs(yaw) > (limit if yaw > 0 else limit[MIRROR])
    points, lines, normals = shapes68(head.landmarks.buffers(), q[None])
    contour = points_on_lines(lines, slide_contour_line(lines, normals, q[None, POSE]))
    surface = np.concatenate([contour, points[:, 17:]], axis=1)
    return turned | occluded_by_mesh(surface, vertices[None], head.model.triangles, q[None, POSE], _COVERED)[0]
