"""Points on the surface of a triangle mesh: positions, outermost hits of rays, nearest points, mirror images."""

import numpy as np

from rdrface.morphable.model import SurfacePoints


def positions(vertices: np.ndarray, triangles: np.ndarray, points: SurfacePoints) -> np.ndarray:
    """(N, 3) positions of surface points on the mesh of `vertices` (V, 3) and `triangles` (F, 3)."""
    at: np.ndarray = np.einsum("ni,nic->nc", points.barycentric, vertices[triangles[points.triangle]])
    return at


def cast_outermost(
    vertices: np.ndarray, triangles: np.ndarray, origins: np.ndarray, directions: np.ndarray
) -> SurfacePoints:
    """Last intersection of each ray with the mesh: on the outer surface, never inside the mouth or behind a lid.

    Args:
        vertices: (V, 3).
        triangles: (F, 3) int.
        origins, directions: (N, 3) of the rays; intersections behind the origin do not count.

    Raises:
        ValueError: a ray does not hit a triangle.
    """
    a = vertices[triangles[:, 0]]
    edge1, edge2 = vertices[triangles[:, 1]] - a, vertices[triangles[:, 2]] - a
    found, weights = [], []
    for origin, direction in zip(origins, directions, strict=True):
        # Intersection of Moeller and Trumbore, one ray with all triangles.
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
            raise ValueError(f"the ray from {origin} along {direction} misses the mesh")
        best = int(np.argmax(np.where(hit, distance, -np.inf)))
        found.append(best)
        weights.append(_normalized(u[best], v[best]))
    return SurfacePoints(np.array(found, np.int32), np.array(weights, np.float32))


def nearest(vertices: np.ndarray, triangles: np.ndarray, targets: np.ndarray, allowed: np.ndarray) -> SurfacePoints:
    """Nearest surface point of each position.

    Args:
        vertices: (V, 3).
        triangles: (F, 3) int.
        targets: (N, 3) positions.
        allowed: (F,) bool, triangles to search, e.g. those of the outer surface.
    """
    index = np.flatnonzero(allowed)
    a, b, c = (vertices[triangles[index, i]] for i in range(3))
    found, weights = [], []
    for point in targets:
        u, v = _closest_coordinates(a, b - a, c - a, point)
        at = a + u[:, None] * (b - a) + v[:, None] * (c - a)
        best = int(np.argmin(((at - point) ** 2).sum(1)))
        found.append(index[best])
        weights.append(_normalized(u[best], v[best]))
    return SurfacePoints(np.array(found, np.int32), np.array(weights, np.float32))


def nearest_on_midline(
    vertices: np.ndarray, triangles: np.ndarray, targets: np.ndarray, allowed: np.ndarray
) -> SurfacePoints:
    """Nearest points on the edges of a symmetric mesh in the plane x = 0, to targets (n, 3) mm; see `nearest`."""
    middle = np.abs(vertices[triangles, 0]) < 1e-9
    found, weights = [], []
    index = np.flatnonzero(allowed & (middle.sum(1) == 2))
    ends = np.argsort(~middle[index], axis=1, kind="stable")[:, :2]
    first = vertices[triangles[index, ends[:, 0]]]
    edge = vertices[triangles[index, ends[:, 1]]] - first
    for point in targets:
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
    """Barycentric (u, v) of the point of each triangle nearest to `point`: in its interior or on one of its edges."""
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
    normalized: np.ndarray = weights / weights.sum()
    return normalized


def mirror_points(points: SurfacePoints, triangles: np.ndarray, mirror: np.ndarray) -> SurfacePoints:
    """Mirror images of surface points; `mirror` (V,) is the mirror image of each vertex of `triangles` (F, 3)."""
    number = {tuple(row): i for i, row in enumerate(np.sort(triangles, 1).tolist())}
    corners = mirror[triangles[points.triangle]]
    other = np.array([number[tuple(sorted(row))] for row in corners.tolist()], np.int32)
    order = (triangles[other][:, :, None] == corners[:, None, :]).argmax(2)
    return SurfacePoints(other, np.take_along_axis(points.barycentric, order, 1))
