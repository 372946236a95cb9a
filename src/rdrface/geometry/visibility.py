"""Which points of a face the viewer sees: does the surface face him, and does no other part of the head hide it."""

import numpy as np
from array_api_compat import array_namespace

from rdrface.geometry.camera import ROLL, ROTATION
from rdrface.geometry.rotation import Array, rotation_matrix

_TINY = 1e-12


def facing(normals: Array, pose: Array) -> Array:
    """How much the surface faces the viewer; differentiable.

    Args:
        normals: (B, N, 3) outward normals in the model frame, of any length.
        pose: (B, 7) P; only pitch and yaw play a part.

    Returns:
        (B, N) the z of the rotated unit normal: 1 towards the viewer, 0 at the rim, -1 away from him.
    """
    xp = array_namespace(normals, pose)
    towards = rotation_matrix(pose[:, ROTATION])[:, 2, :]
    length = xp.sqrt(xp.sum(normals * normals, axis=-1) + _TINY)
    return xp.sum(normals * towards[:, None, :], axis=-1) / length


def occluded_by_mesh(
    points: np.ndarray, vertices: np.ndarray, triangles: np.ndarray, pose: np.ndarray, bias: float = 3.0
) -> np.ndarray:
    """Exact test: is a triangle of the mesh in front of the point, as the viewer looks along z? NumPy only.

    Args:
        points: (B, N, 3) mm, model frame; usually on the surface.
        vertices: (B, V, 3) mm, model frame.
        triangles: (F, 3) int, indices of vertices.
        pose: (B, 7) P; only pitch and yaw play a part.
        bias: mm by which a triangle must be nearer to the viewer to count. Points lie on the surface, lips and lids
            touch each other and landmarks sit at rims, so a bias of some millimeters is needed.

    Returns:
        (B, N) bool, True where something is in front of the point.
    """
    points, vertices = np.asarray(points, np.float32), np.asarray(vertices, np.float32)
    angles = np.array(pose, dtype=np.float32)[:, ROTATION]
    angles[:, ROLL] = 0  # what is in front of what does not change as the picture turns
    rotation = rotation_matrix(angles).swapaxes(-1, -2)
    hidden = np.zeros(points.shape[:2], dtype=bool)
    for i in range(len(points)):
        hidden[i] = _behind(points[i] @ rotation[i], vertices[i] @ rotation[i], triangles, bias)
    return hidden


def _behind(points: np.ndarray, vertices: np.ndarray, triangles: np.ndarray, bias: float) -> np.ndarray:
    """(N, 3) points and (V, 3) vertices as the viewer sees them -> (N,) bool."""
    a, b, c = (vertices[triangles[:, i]] for i in range(3))
    # What hides a point is the surface in front of it, and that faces the viewer.
    facing = (b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1]) > (b[:, 1] - a[:, 1]) * (c[:, 0] - a[:, 0])
    a, b, c = a[facing], b[facing], c[facing]
    # By twos: a reduction over an axis of three elements is several times slower.
    low = np.minimum(np.minimum(a, b), c)[:, :2]
    high = np.maximum(np.maximum(a, b), c)
    high, front = high[:, :2], high[:, 2]
    corners = np.stack((a, b, c), axis=1)
    # Triangles sorted by their left edge: those that can reach a point lie in a short window of that order.
    order = np.argsort(low[:, 0])
    left = low[order, 0]
    widest = float((high[:, 0] - low[:, 0]).max(initial=0))
    first = np.searchsorted(left, points[:, 0] - widest)
    last = np.searchsorted(left, points[:, 0], side="right")
    count = last - first
    who = np.repeat(np.arange(len(points)), count)
    within = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
    which = order[np.repeat(first, count) + within]
    x, y, z = points[who].T
    near = (high[which, 0] >= x) & (low[which, 1] <= y) & (high[which, 1] >= y) & (front[which] > z + bias)
    who, which = who[near], which[near]
    hidden = np.zeros(len(points), dtype=bool)
    hidden[who[_covers(points[who], corners[which], bias)]] = True
    return hidden


def _covers(points: np.ndarray, corners: np.ndarray, bias: float) -> np.ndarray:
    """(K, 3) points, (K, 3, 3) triangles, pairwise -> (K,) bool: in the triangle's outline and behind its plane."""
    a, b, c = corners[:, 0], corners[:, 1], corners[:, 2]
    ab, ac, ap = b - a, c - a, points - a
    area = ab[:, 0] * ac[:, 1] - ab[:, 1] * ac[:, 0]
    safe = np.where(np.abs(area) < _TINY, 1.0, area)
    u = (ap[:, 0] * ac[:, 1] - ap[:, 1] * ac[:, 0]) / safe
    v = (ab[:, 0] * ap[:, 1] - ab[:, 1] * ap[:, 0]) / safe
    inside = (u >= 0) & (v >= 0) & (u + v <= 1) & (np.abs(area) >= _TINY)
    return inside & (u * ab[:, 2] + v * ac[:, 2] - ap[:, 2] > bias)
