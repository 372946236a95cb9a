"""Points on a triangle mesh: outermost hits of rays, nearest points, positions."""

import numpy as np

from rdrface.morphable.model import SurfacePoints


def positions(vertices: np.ndarray, triangles: np.ndarray, points: SurfacePoints) -> np.ndarray:
    """(N, 3) positions of surface points on a mesh with `vertices` (V, 3) and `triangles` (F, 3)."""
    return np.einsum("ni,nic->nc", points.barycentric, vertices[triangles[points.triangle]])


def cast_outermost(
    vertices: np.ndarray, triangles: np.ndarray, origins: np.ndarray, directions: np.ndarray
) -> SurfacePoints:
    """Where rays leave a mesh for the last time: the outer surface, never a mouth sack or the inside of a lid.

    Args:
        vertices: (V, 3). triangles: (F, 3).
        origins, directions: (N, 3); hits behind the origin do not count.

    Raises:
        ValueError: a ray meets no triangle.
    """
    a = vertices[triangles[:, 0]]
    edge1, edge2 = vertices[triangles[:, 1]] - a, vertices[triangles[:, 2]] - a
    found, weights = [], []
    for origin, direction in zip(origins, directions, strict=True):
        # Moeller and Trumbore's intersection, one ray against all triangles.
        p = np.cross(direction, edge2)
        determinant = (edge1 * p).sum(1)
        with np.errstate(divide="ignore", invalid="ignore"):
            s = origin - a
            u = (s * p).sum(1) / determinant
            q = np.cross(s, edge1)
            v = (q @ direction) / determinant
            distance = (edge2 * q).sum(1) / determinant
            hit = (np.abs(determinant) > 1e-12) & (u >= -1e-9) & (v >= -1e-9) & (u + v <= 1 + 1e-9) & (distance > 0)
        if not hit.any():
            raise ValueError(f"a ray from {origin} along {direction} misses the mesh")
        best = int(np.argmax(np.where(hit, distance, -np.inf)))
        found.append(best)
        weights.append(_normalized(u[best], v[best]))
    return SurfacePoints(np.array(found, np.int32), np.array(weights, np.float32))


def nearest(vertices: np.ndarray, triangles: np.ndarray, wanted: np.ndarray, allowed: np.ndarray) -> SurfacePoints:
    """The surface points nearest to positions.

    Args:
        vertices: (V, 3). triangles: (F, 3).
        wanted: (N, 3) positions.
        allowed: (F,) bool, triangles that count (the outer surface).
    """
    index = np.flatnonzero(allowed)
    a, b, c = (vertices[triangles[index, i]] for i in range(3))
    found, weights = [], []
    for point in wanted:
        u, v = _closest_coordinates(a, b - a, c - a, point)
        at = a + u[:, None] * (b - a) + v[:, None] * (c - a)
        best = int(np.argmin(((at - point) ** 2).sum(1)))
        found.append(index[best])
        weights.append(_normalized(u[best], v[best]))
    return SurfacePoints(np.array(found, np.int32), np.array(weights, np.float32))


def nearest_in_the_middle(
    vertices: np.ndarray, triangles: np.ndarray, wanted: np.ndarray, allowed: np.ndarray
) -> SurfacePoints:
    """As `nearest`, on the edges in the plane x = 0 of a symmetric mesh only."""
    middle = np.abs(vertices[triangles, 0]) < 1e-9
    found, weights = [], []
    index = np.flatnonzero(allowed & (middle.sum(1) == 2))
    ends = np.argsort(~middle[index], axis=1, kind="stable")[:, :2]
    first = vertices[triangles[index, ends[:, 0]]]
    edge = vertices[triangles[index, ends[:, 1]]] - first
    for point in wanted:
        share = np.clip(((point - first) * edge).sum(1) / (edge * edge).sum(1), 0, 1)
        best = int(np.argmin(((first + share[:, None] * edge - point) ** 2).sum(1)))
        row = np.zeros(3)
        row[ends[best]] = 1 - share[best], share[best]
        found.append(index[best])
        weights.append(row)
    return SurfacePoints(np.array(found, np.int32), np.array(weights, np.float32))


def _closest_coordinates(
    a: np.ndarray, edge1: np.ndarray, edge2: np.ndarray, point: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Barycentric (u, v) of the point of each triangle nearest to `point`: inside, else the best on the three edges."""
    d = point - a
    e11, e12, e22 = (edge1 * edge1).sum(1), (edge1 * edge2).sum(1), (edge2 * edge2).sum(1)
    d1, d2 = (d * edge1).sum(1), (d * edge2).sum(1)
    determinant = np.maximum(e11 * e22 - e12 * e12, 1e-12)
    u, v = (e22 * d1 - e12 * d2) / determinant, (e11 * d2 - e12 * d1) / determinant
    inside = (u >= 0) & (v >= 0) & (u + v <= 1)
    t1 = np.clip(d1 / np.maximum(e11, 1e-12), 0, 1)
    t2 = np.clip(d2 / np.maximum(e22, 1e-12), 0, 1)
    span = np.maximum(e11 - 2 * e12 + e22, 1e-12)
    t3 = np.clip((d2 - d1 + e11 - e12) / span, 0, 1)
    zero = np.zeros_like(t1)
    candidates = [(t1, zero), (zero, t2), (1 - t3, t3)]
    distances = [((d - p[:, None] * edge1 - q[:, None] * edge2) ** 2).sum(1) for p, q in candidates]
    choice = np.argmin(distances, axis=0)
    edge_u, edge_v = np.choose(choice, [c[0] for c in candidates]), np.choose(choice, [c[1] for c in candidates])
    return np.where(inside, u, edge_u), np.where(inside, v, edge_v)


def _normalized(u: float, v: float) -> np.ndarray:
    weights = np.clip([1 - u - v, u, v], 0, 1)
    return weights / weights.sum()


def mirror_points(points: SurfacePoints, triangles: np.ndarray, mirror: np.ndarray) -> SurfacePoints:
    """The same points on the other side of the face; `mirror` (V,) pairs the vertices of `triangles` (F, 3)."""
    number = {tuple(row): i for i, row in enumerate(np.sort(triangles, 1).tolist())}
    corners = mirror[triangles[points.triangle]]
    other = np.array([number[tuple(sorted(row))] for row in corners.tolist()], np.int32)
    place = (triangles[other][:, :, None] == corners[:, None, :]).argmax(2)
    return SurfacePoints(other, np.take_along_axis(points.barycentric, place, 1))
