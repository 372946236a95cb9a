"""Images of a synthetic face that is painted with a color for each vertex."""

import numpy as np

from rdrface.face import Face
from rdrface.geometry.mesh import triangle_normals
from rdrface.geometry.rasterize import rasterize


def painted(face: Face, colors: np.ndarray, side: int, background: tuple[int, int, int]) -> np.ndarray:
    """(side, side, 3) uint8 image of `face.mesh()` with vertex colors (V, 3), without shading."""
    mesh = face.mesh()
    corners = mesh.vertices[mesh.triangles]
    front = triangle_normals(corners)[:, 2] < 0
    raster = rasterize(corners[front], side)
    image = raster.interpolate(colors[mesh.triangles][front].astype(np.float32))
    image[raster.triangle < 0] = background
    return np.rint(image).clip(0, 255).astype(np.uint8).reshape(side, side, 3)
