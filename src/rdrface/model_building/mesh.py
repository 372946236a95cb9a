"""Cutting the face out of the base mesh, and triangulating it symmetrically."""

from dataclasses import dataclass

import numpy as np

from rdrface.geometry.mesh import triangle_normals
from rdrface.model_building.source import SourceMesh

NECK = (5.93, 0.20)
"""Lower boundary in decimeters: y > NECK[0] + NECK[1] * (0.9 - z) is kept. It is 20-30 mm below the chin, and lower at
the front."""

BACK = 0.24
"""Rear boundary in decimeters, just behind the ears: z > BACK is kept."""


@dataclass(frozen=True)
class FaceMesh:
    """Topology of the face model.

    Attributes:
        kept: (V,) int64, index of each vertex in the base mesh, ascending.
        triangles: (F, 3) int64, counterclockwise seen from outside.
        mirror: (V,) int64, index of the mirrored vertex.
    """

    kept: np.ndarray
    triangles: np.ndarray
    mirror: np.ndarray


def cut_face(source: SourceMesh, shape: np.ndarray) -> FaceMesh:
    """Cut face, ears, forehead, eyeballs and upper neck out of the base mesh.

    Args:
        source: base mesh.
        shape: (19158, 3) average adult on the base mesh, decimeters; it determines where the mesh is cut and which
            diagonal splits a quad.
    """
    centers = shape[source.quads].mean(1)
    # The eyeballs are inside the kept region; arms and body are below it.
    keep = (centers[:, 2] > BACK) & (centers[:, 1] > NECK[0] + NECK[1] * (0.9 - centers[:, 2]))
    quads = source.quads[keep]
    left = quads[shape[quads].mean(1)[:, 0] > 0]
    first = np.linalg.norm(shape[left[:, 0]] - shape[left[:, 2]], axis=1)
    second = np.linalg.norm(shape[left[:, 1]] - shape[left[:, 3]], axis=1)
    short = (first <= second)[:, None]
    halves = np.where(short, left[:, [0, 1, 2]], left[:, [0, 1, 3]]), np.where(short, left[:, [0, 2, 3]], left[:, 1:])
    one_side = np.stack(halves, 1).reshape(-1, 3)
    # The vertices of a mirrored triangle are reversed to keep it counterclockwise seen from outside.
    triangles = np.concatenate([one_side, source.mirror[one_side[:, ::-1]]])
    kept = np.unique(triangles)
    number = np.full(len(source.vertices), -1)
    number[kept] = np.arange(len(kept))
    return FaceMesh(kept, number[triangles], number[source.mirror[kept]])


def vertex_areas(shape: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """Area of each vertex: a third of the area of its triangles.

    Args:
        shape: (V, 3) vertices.
        triangles: (F, 3) vertex indices.

    Returns:
        (V,) float64, squared unit of `shape`.
    """
    area = np.linalg.norm(triangle_normals(shape[triangles]), axis=1) / 2
    out = np.zeros(len(shape))
    for i in range(3):
        np.add.at(out, triangles[:, i], area / 3)
    return out
