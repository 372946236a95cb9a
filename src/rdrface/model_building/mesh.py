"""Cut the base mesh to the face, triangulate it the same way on both sides, and number its vertices."""

from dataclasses import dataclass

import numpy as np

from rdrface.model_building.source import SourceMesh

NECK = (5.93, 0.20)
"""Lower edge: kept where y > NECK[0] + NECK[1] * (0.9 - z), decimetres; 20-30 mm under the chin, lower at the front."""

BACK = 0.24
"""Rear edge: kept where z > BACK, just behind the ears, decimetres."""


@dataclass(frozen=True)
class FaceMesh:
    """Topology of the face model.

    Attributes:
        kept: (V,) int64, index of each vertex in the base mesh, ascending.
        triangles: (F, 3) int64, counterclockwise from outside.
        mirror: (V,) int64, the vertex on the other side.
    """

    kept: np.ndarray
    triangles: np.ndarray
    mirror: np.ndarray


def cut_face(source: SourceMesh, shape: np.ndarray) -> FaceMesh:
    """Keep face, ears, forehead, eyeballs and upper neck of the base mesh.

    Args:
        source: the base mesh.
        shape: (19158, 3) an average adult on the base mesh, decimetres; decides where to cut and which diagonal
            splits a quad.
    """
    centers = shape[source.quads].mean(1)
    keep = (centers[:, 2] > BACK) & (centers[:, 1] > NECK[0] + NECK[1] * (0.9 - centers[:, 2]))
    # The eyeballs lie in the middle of what is kept; arms and body lie below the cut.
    quads = source.quads[keep]
    left = quads[shape[quads].mean(1)[:, 0] > 0]
    first = np.linalg.norm(shape[left[:, 0]] - shape[left[:, 2]], axis=1)
    second = np.linalg.norm(shape[left[:, 1]] - shape[left[:, 3]], axis=1)
    short = (first <= second)[:, None]
    halves = np.where(short, left[:, [0, 1, 2]], left[:, [0, 1, 3]]), np.where(short, left[:, [0, 2, 3]], left[:, 1:])
    one_side = np.stack(halves, 1).reshape(-1, 3)
    # A mirrored triangle is read backwards to stay counterclockwise from outside.
    triangles = np.concatenate([one_side, source.mirror[one_side[:, ::-1]]])
    kept = np.unique(triangles)
    number = np.full(len(source.vertices), -1)
    number[kept] = np.arange(len(kept))
    return FaceMesh(kept, number[triangles], number[source.mirror[kept]])


def vertex_areas(shape: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """(V,) a third of the area of the triangles around each vertex; `shape` (V, 3), `triangles` (F, 3)."""
    a, b, c = (shape[triangles[:, i]] for i in range(3))
    area = np.linalg.norm(np.cross(b - a, c - a), axis=1) / 2
    out = np.zeros(len(shape))
    for i in range(3):
        np.add.at(out, triangles[:, i], area / 3)
    return out
