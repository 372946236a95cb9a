"""Visibility of points of a face: whether the surface faces the viewer and whether the head itself hides it."""

import numpy as np
from array_api_compat import array_namespace

from rdrface.geometry.camera import ROTATION
from rdrface.geometry.rotation import Array, rotation_matrix

_TINY = 1e-12


def facing(normals: Array, pose: Array) -> Array:
    """Cosine of the angle between the surface normal and the direction to the viewer; differentiable.

    Args:
        normals: (B, N, 3) outward normals in the model frame, of any length.
        pose: (B, 7) P; only pitch and yaw have an effect.

    Returns:
        (B, N) z of the rotated unit normal: 1 towards the viewer, 0 on the silhouette, -1 away from the viewer.
    """
    xp = array_namespace(normals, pose)
    towards = rotation_matrix(pose[:, ROTATION])[:, 2, :]
    length = xp.sqrt(xp.sum(normals * normals, axis=-1) + _TINY)
    return xp.sum(normals * towards[:, None, :], axis=-1) / length


def occluded_by_mesh(
    points: np.ndarray, vertices: np.ndarray, triangles: np.ndarray, pose: np.ndarray, bias: float = 3.0
) -> np.ndarray:
    """Test exactly whether a triangle of the mesh is in front of a point. The viewer looks along z. NumPy only.

    Args:
        points: (B, N, 3) mm, model frame; usually on the surface.
        vertices: (B, V, 3) mm, model frame.
        triangles: (F, 3) int, indices of vertices.
        pose: (B, 7) P; only pitch and yaw have an effect.
        bias: mm by which a triangle must be nearer to the viewer to count. A bias of a few millimeters is needed,
            because points are on the surface, landmarks are at edges, and lips and eyelids touch each other.

    Returns:
        (B, N) bool, True where a triangle is in front of the point.
    """
    points, vertices = np.asarray(points, np.float32), np.asarray(vertices, np.float32)
    angles = np.array(pose, dtype=np.float32)[:, :3]
    angles[:, 2] = 0  # roll does not change which part is in front
    rotation = rotation_matrix(angles).swapaxes(-1, -2)
    hidden = np.zeros(points.shape[:2], dtype=bool)
    for i in range(len(points)):
        hidden[i] = _behind(points[i] @ rotation[i], vertices[i] @ rotation[i], triangles, bias)
    return hidden


def _behind(points: np.ndarray, vertices: np.ndarray, triangles: np.ndarray, bias: float) -> np.ndarray:
    """(N,) bool: a triangle is in front of the point; points (N, 3) and vertices (V, 3) are rotated to the view."""
    a, b, c = (vertices[triangles[:, i]] for i in range(3))
    # The surface that hides a point always faces the viewer.
    facing = (b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1]) > (b[:, 1] - a[:, 1]) * (c[:, 0] - a[:, 0])
    a, b, c = a[facing], b[facing], c[facing]
    # Pairwise minima: a reduction over an axis of three elements is several times slower.
    low = np.minimum(np.minimum(a, b), c)[:, :2]
    high = np.maximum(np.maximum(a, b), c)
    high, front = high[:, :2], high[:, 2]
    corners = np.stack((a, b, c), axis=1)
    # With the triangles sorted by their left edge, those that can cover a point are in a short range.
    order = np.argsort(low[:, 0])
    left = low[order, 0]
    widest = float((high[:, 0] - low[:, 0]).max(initial=0))
    first = np.searchsorted(left, points[:, 0] - widest)
    last = np.searchsorted(left, points[:, 0], side="right")
    count = last - first
    point = np.repeat(np.arange(len(points)), count)
    within = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
    triangle = order[np.repeat(first, count) + within]
    x, y, z = points[point].T
    near = (high[triangle, 0] >= x) & (low[triangle, 1] <= y) & (high[triangle, 1] >= y) & (front[triangle] > z + bias)
    point, triangle = point[near], triangle[near]
    hidden = np.zeros(len(points), dtype=bool)
    hidden[point[_covers(points[point], corners[triangle], bias)]] = True
    return hidden


def _covers(points: np.ndarray, corners: np.ndarray, bias: float) -> np.ndarray:
    """(K,) bool: point k (K, 3) is inside the outline of triangle k (K, 3, 3) and more than `bias` behind its plane."""
    a, b, c = corners[:, 0], corners[:, 1], corners[:, 2]
    ab, ac, ap = b - a, c - a, points - a
    area = ab[:, 0] * ac[:, 1] - ab[:, 1] * ac[:, 0]
    safe = np.where(np.abs(area) < _TINY, 1.0, area)
    u = (ap[:, 0] * ac[:, 1] - ap[:, 1] * ac[:, 0]) / safe
    v = (ab[:, 0] * ap[:, 1] - ab[:, 1] * ap[:, 0]) / safe
    inside = (u >= 0) & (v >= 0) & (u + v <= 1) & (np.abs(area) >= _TINY)
    covered: np.ndarray = inside & (u * ab[:, 2] + v * ac[:, 2] - ap[:, 2] > bias)
    return covered
