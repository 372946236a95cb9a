"""Normals, cutting, mirroring and flat shading of triangle meshes."""

import numpy as np


def triangle_normals(corners: np.ndarray) -> np.ndarray:
    """Normals of triangles. The length of a normal is twice the area of its triangle.

    Args:
        corners: (..., F, 3, 3) positions of the three corners, counterclockwise seen from outside when y points up.

    Returns:
        (..., F, 3). They point outwards if y points up, and inwards in image pixels, where y points down.
    """
    a, b, c = corners[..., 0, :], corners[..., 1, :], corners[..., 2, :]
    return np.cross(b - a, c - a)


def vertex_normals(vertices: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """Unit normals of vertices: the area-weighted mean of the normals of the adjacent triangles.

    Args:
        vertices: (V, 3).
        triangles: (F, 3) int, indices of vertices.

    Returns:
        (V, 3) float64, with the direction of `triangle_normals`; 0 for a vertex without triangles.
    """
    normals = np.zeros(vertices.shape, np.float64)
    of_triangles = triangle_normals(vertices[triangles])
    for i in range(3):
        np.add.at(normals, triangles[:, i], of_triangles)
    unit: np.ndarray = normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12)
    return unit


def directed_edges(triangles: np.ndarray) -> np.ndarray:
    """Edges of triangles (F, 3) in the direction of their corners, (3 F, 2) indices of vertices."""
    return triangles[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2)


def cut_mesh(triangles: np.ndarray, distance: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Cut a mesh along the line where the distance is 0, and keep the part where it is positive (Sutherland and
    Hodgman's clipping of each triangle).

    Args:
        triangles: (F, 3) int, indices of vertices.
        distance: (V,) distance of each vertex to the line, of any unit; negative on the part that is removed.

    Returns:
        ends: (N, 2) int, vertices at the ends of the edge on which each new vertex is, the smaller index first; equal
            for a vertex that is kept.
        share: (N, 1) float32, position on that edge, 0 at its first end.
        triangles: (T, 3) int32, indices of new vertices.
    """
    kept = triangles[(distance[triangles] >= 0).all(axis=1) & (distance[triangles] > 0).any(axis=1)]
    crossing = triangles[(distance[triangles] > 0).any(axis=1) & (distance[triangles] < 0).any(axis=1)]
    number: dict[tuple[int, int], int] = {}

    def vertex(a: int, b: int) -> int:
        return number.setdefault((min(a, b), max(a, b)), len(number))

    faces = [[vertex(one, one) for one in row] for row in kept.tolist()]
    for row in crossing.tolist():
        polygon = []  # the part of the triangle that is kept, a triangle or a quadrangle
        for a, b in zip(row, row[1:] + row[:1], strict=True):
            if distance[a] >= 0:
                polygon.append(vertex(a, a))
            if distance[a] * distance[b] < 0:
                polygon.append(vertex(a, b))
        faces += [[polygon[0], *polygon[i : i + 2]] for i in range(1, len(polygon) - 1)]
    ends = np.array(list(number))
    difference = distance[ends[:, 0]] - distance[ends[:, 1]]
    is_cut = ends[:, 0] != ends[:, 1]
    share = np.where(is_cut, distance[ends[:, 0]] / np.where(is_cut, difference, 1), 0)
    return ends, share[:, None].astype(np.float32), np.array(faces, np.int32)


def mirror_triangles(triangles: np.ndarray, mirror_vertices: np.ndarray) -> np.ndarray:
    """Index of the mirror image of each triangle.

    Args:
        triangles: (F, 3) int, indices of vertices.
        mirror_vertices: (V,) int, index of the mirror image of each vertex.

    Returns:
        (F,) int.

    Raises:
        KeyError: the mesh is not symmetric.
    """
    index = {tuple(row): i for i, row in enumerate(np.sort(triangles, 1).tolist())}
    return np.array([index[tuple(row)] for row in np.sort(mirror_vertices[triangles], 1).tolist()])


def front_triangles(corners: np.ndarray) -> np.ndarray:
    """Triangles that face the viewer, in the order in which a painter draws them.

    Args:
        corners: (F, 3, 3) image pixels: x right, y down, depth towards the viewer.

    Returns:
        (K,) int indices of triangles, farthest first.
    """
    facing = triangle_normals(corners)[:, 2] < 0
    far_to_near = np.argsort(corners[..., 2].mean(axis=1))
    return far_to_near[facing[far_to_near]]


def flat_shading(corners: np.ndarray, light: np.ndarray, ambient: float, diffuse: float) -> np.ndarray:
    """Brightness of triangles under one distant light (Lambert's law).

    Args:
        corners: (F, 3, 3) image pixels, as in `front_triangles`.
        light: (3,) direction towards the light, image axes, of any length.
        ambient: brightness of a surface that receives no direct light.
        diffuse: brightness that is added where the surface faces the light.

    Returns:
        (F,) from `ambient` to `ambient + diffuse`.
    """
    normals = triangle_normals(corners)
    # The negative length turns the normals outwards; the small constant keeps degenerate triangles finite.
    normals /= -np.linalg.norm(normals, axis=1, keepdims=True) + 1e-9
    shade: np.ndarray = ambient + diffuse * np.clip(normals @ (light / np.linalg.norm(light)), 0, 1)
    return shade
