"""Texture coordinates of a fitted head in its image, for visible and hidden triangles."""

from dataclasses import dataclass

import numpy as np

from rdrface.face_rendering.background_mesh import rim_positions
from rdrface.face_rendering.head import JAW_OPEN, Head, vertex_visibility
from rdrface.geometry.contour import points_on_lines, slide_contour_line
from rdrface.landmarks import CONTOUR
from rdrface.morphable.landmark_model import shapes68
from rdrface.morphable.params import EXPRESSION, POSE

# Cosines. On steeper surfaces the texture is stretched too much, and a small error of the fit takes it from the
# background. The limit is higher for texture that is mirrored to the other side of the face.
_MIN_FACING = 0.2
_MIN_FACING_MIRRORED = 0.35
_RIM_DISTANCE = 12.0  # mm outside the outline of the head, mostly hair: becomes the back of the head
_SMOOTHING_ROUNDS = 60  # of the texture coordinates of hidden parts
_CORRECTION_REACH = 25.0  # mm over which the correction at a landmark decays to 1 / e


@dataclass(frozen=True)
class Texture:
    """Texture coordinates of a head, packed frame.

    Attributes:
        corners: (F, 3, 2) float32, of the corners of the triangles.
        rim: (K, 2) float32, of the vertices of the rim.
    """

    corners: np.ndarray
    rim: np.ndarray


def texture_of(head: Head, vertices: np.ndarray, positions: np.ndarray, valid: np.ndarray, pose: np.ndarray) -> Texture:
    """Texture coordinates of a head in its image.

    Hidden triangles use the texture of the mirrored triangle if that is visible. Otherwise their coordinates are
    interpolated smoothly from the surrounding triangles, so the texture there is stretched.

    Args:
        head: the prepared face model.
        vertices: (V, 3) float32 packed frame, the fitted head.
        positions: (V, 2) float32 packed frame, positions of the vertices in the image: the fitted ones plus
            `label_corrections`.
        valid: (4,) xyxy of the image, packed frame.
        pose: (7,) P of the head in the image.
    """
    triangles, mirror = head.model.triangles, head.model.mirror_vertices
    scale, roll = float(pose[6]), float(pose[2])
    facing, visible = vertex_visibility(vertices, triangles, scale)
    visible &= ((positions > valid[:2]) & (positions < valid[2:])).all(axis=1)
    textured = visible & (facing > _MIN_FACING)
    mirrorable = visible & (facing > _MIN_FACING_MIRRORED)
    hidden = (~visible | (facing < 0))[triangles].all(axis=1)
    mirrored = hidden & mirrorable[mirror][triangles].all(axis=1) & ~head.mouth_cavity[triangles].any(axis=1)
    rim = head.rim.vertices
    outside = rim_positions(head.rim, positions, roll, valid, _RIM_DISTANCE * scale)
    outside = np.where(visible[rim, None], positions[rim], outside)
    fixed, known = positions.copy(), textured.copy()
    fixed[rim], known[rim] = outside, True
    corners = _interpolate_unknown(fixed, known, head.neighbors)[triangles]
    corners[mirrored] = positions[mirror][triangles[mirrored]]
    return Texture(corners, outside)


def label_corrections(head: Head, q: np.ndarray, deviation: np.ndarray) -> np.ndarray:
    """Interpolate the deviation of the labels from the fitted landmarks over the head.

    Args:
        head: the prepared face model.
        q: (103,) float32 Q of the fit; defines where the visible contour is on the face.
        deviation: (68, 2) float32, annotated minus fitted position; NaN where there is no label.

    Returns:
        (V, 2) float32 deviation of every vertex: exact at the landmarks, decaying with the distance from them.
    """
    known = np.isfinite(deviation).all(axis=1)
    if not known.any():
        return np.zeros((len(head.open_shape), 2), np.float32)
    # Distances are measured on one face with an open mouth, where touching lips are apart.
    open_face = np.zeros((1, len(q)), np.float32)
    open_face[0, EXPRESSION.start + head.model.expression_names.index("jawOpen")] = JAW_OPEN
    points, lines, _ = shapes68(head.landmarks.buffers(), open_face)
    _, fitted_lines, normals = shapes68(head.landmarks.buffers(), q[None])
    contour = points_on_lines(lines, slide_contour_line(fitted_lines, normals, q[None, POSE]))
    at = np.concatenate([contour[0], points[0, len(CONTOUR) :]])[known]
    kernel = np.exp(-_distances(at, at) / _CORRECTION_REACH)
    weights = np.linalg.solve(kernel + 1e-3 * np.eye(len(at)), deviation[known])
    return (np.exp(-_distances(head.open_shape, at) / _CORRECTION_REACH) @ weights).astype(np.float32)


def _distances(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    square = (a * a).sum(1)[:, None] + (b * b).sum(1) - 2 * a @ b.T
    distances: np.ndarray = np.sqrt(np.maximum(square, 0))
    return distances


def _interpolate_unknown(positions: np.ndarray, known: np.ndarray, neighbors: np.ndarray) -> np.ndarray:
    """(V, 2) positions in which unknown ones are filled in from the known ones along the edges, then smoothed."""
    result, reached = np.where(known[:, None], positions, 0).astype(np.float32), known.copy()
    pending = np.flatnonzero(~known)
    while len(pending):
        weight = reached[neighbors[pending]].astype(np.float32)
        total = weight.sum(axis=1)
        new = total > 0
        if not new.any():
            break  # the rest is not connected to a known vertex: an eyeball behind a closed lid
        mean = np.einsum("vd,vdc->vc", weight[new], result[neighbors[pending[new]]]) / total[new, None]
        result[pending[new]] = mean
        reached[pending[new]] = True
        pending = pending[~new]
    smoothed = np.flatnonzero(reached & ~known)
    adjacent = neighbors[smoothed].T
    for _ in range(_SMOOTHING_ROUNDS):
        total = result[adjacent[0]]
        for one in adjacent[1:]:
            total += result[one]
        result[smoothed] = total / len(adjacent)
    return np.where(reached[:, None], result, positions)
