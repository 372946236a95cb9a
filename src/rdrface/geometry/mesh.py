"""Normals and mirror images of triangle meshes."""

import numpy as np


def triangle_normals(corners: np.ndarray) -> np.ndarray:
    """Normals of triangles, as long as twice their area.

    Args:
        corners: (..., F, 3, 3) positions of the three corners, counterclockwise seen from outside when y points up. In
            image pixels, where y points down, the normals point inwards.

    Returns:
        (..., F, 3).
    """
    a, b, c = corners[..., 0, :], corners[..., 1, :], corners[..., 2, :]
    return np.cross(b - a, c - a)


def vertex_normals(vertices: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """(V, 3) unit normals of the vertices (V, 3): the mean of the adjacent triangles (F, 3), weighted by area."""
    normals = np.zeros(vertices.shape, np.float64)
    of_triangles = triangle_normals(vertices[triangles])
    for i in range(3):
        np.add.at(normals, triangles[:, i], of_triangles)
    return normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12)


def mirror_triangles(triangles: np.ndarray, mirror_vertices: np.ndarray) -> np.ndarray:
    """(F,) index of each triangle's mirror image; `mirror_vertices` (V,) is the vertex on the other side."""
    index = {tuple(row): i for i, row in enumerate(np.sort(triangles, 1).tolist())}
    return np.array([index[tuple(row)] for row in np.sort(mirror_vertices[triangles], 1).tolist()])
