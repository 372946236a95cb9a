"""Normals, mirroring and flat shading of triangle meshes."""

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
