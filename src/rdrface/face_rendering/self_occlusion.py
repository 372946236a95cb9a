"""Self-occluded landmarks of a fitted face, by the criteria of human annotators."""

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np

from rdrface.face_rendering.head import Head
from rdrface.geometry.contour import points_on_lines, slide_contour_line
from rdrface.geometry.visibility import occluded_by_mesh
from rdrface.landmarks import CONTOUR, MIRROR, NUM_LANDMARKS
from rdrface.morphable.landmark_model import shapes68
from rdrface.morphable.params import POSE, YAW

# fmt: off
SELF_OCCLUSION_YAW_DEG: Mapping[int, float] = MappingProxyType({
    9: 52, 10: 51, 11: 49, 12: 51, 13: 50, 14: 51, 15: 50, 16: 41,
    21: 89, 22: 67, 23: 60, 24: 46, 25: 30, 26: 20, 34: 32, 35: 32,
    39: 60, 42: 33, 43: 58, 44: 54, 45: 36, 46: 52, 47: 53,
    52: 60, 53: 46, 54: 39, 55: 44, 56: 50, 63: 54, 64: 39, 65: 54,
})
# fmt: on
"""Landmark -> yaw in degrees (nose towards the right of the image) above which most annotators of MERL-RAV's training
part mark the landmark as self-occluded. They mark the far contour as a whole, and they mark the nostril and the corners
of the eye and the mouth before the nose covers them, so the mesh alone is not sufficient."""

_COVERED_DEPTH = 10.0  # mm; a point this far behind another part of the head is hidden at any yaw, e.g. at large pitch


def self_occluded_landmarks(head: Head, q: np.ndarray, vertices: np.ndarray) -> np.ndarray:
    """Landmarks that annotators would mark as self-occluded.

    Args:
        head: the prepared face model.
        q: (103,) float32 Q.
        vertices: (V, 3) float32 mm, model frame, of the same face.

    Returns:
        (68,) bool.
    """
    yaw = float(np.rad2deg(q[POSE][YAW]))
    limit = np.full(NUM_LANDMARKS, np.inf)
    limit[list(SELF_OCCLUSION_YAW_DEG)] = list(SELF_OCCLUSION_YAW_DEG.values())
    beyond_limit = abs(yaw) > (limit if yaw > 0 else limit[MIRROR])
    points, lines, normals = shapes68(head.landmarks.buffers(), q[None])
    contour = points_on_lines(lines, slide_contour_line(lines, normals, q[None, POSE]))
    surface = np.concatenate([contour, points[:, len(CONTOUR) :]], axis=1)
    covered = occluded_by_mesh(surface, vertices[None], head.model.triangles, q[None, POSE], _COVERED_DEPTH)[0]
    hidden: np.ndarray = beyond_limit | covered
    return hidden
