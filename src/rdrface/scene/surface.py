"""The exported part of the head mesh: cut along a smooth border, with teeth in the mouth."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, get_args

import numpy as np

from rdrface.face import packaged_model
from rdrface.morphable.model import FaceModel
from rdrface.scene.layout import layout_of
from rdrface.scene.mouth import Mouth

Region = Literal["face", "head"]
"""Part of the mesh: the face in front of the ears, or the head with ears, forehead and the upper neck."""

_SNAP = 0.5
"""mm: a vertex closer to the border becomes a vertex of the border, which avoids slivers."""


@dataclass(frozen=True)
class Surface:
    """The exported part of a face model.

    Attributes:
        ends: (N, 2) int, vertices of the face model at the ends of the edge on which each exported vertex is.
        share: (N, 1) float32, position on that edge, 0 at its first end.
        triangles: (T, 3) int32, indices of exported vertices, counterclockwise as seen from outside.
        uv: (N, 2) float32, see `TextureLayout.uv`.
        mean: (V, 3) float32 mm, the mean face with the mouth of `rdrface.scene.mouth`.
        identity_basis: (50, V, 3) float32 mm.
        expression_basis: (46, V, 3) float32 mm.
    """

    ends: np.ndarray
    share: np.ndarray
    triangles: np.ndarray
    uv: np.ndarray
    mean: np.ndarray
    identity_basis: np.ndarray
    expression_basis: np.ndarray

    @classmethod
    def of(cls, model: FaceModel, region: Region) -> "Surface":
        """Cut a face model along the border of a region.

        Raises:
            ValueError: there is no such region, or the mesh is not that of the packaged face model.
        """
        if region not in get_args(Region):
            raise ValueError(f"region must be one of {', '.join(get_args(Region))}; got {region!r}")
        layout = layout_of(model)
        inside = layout.inside_face if region == "face" else layout.inside_head
        ends, share, triangles = _cut(model.triangles, inside)
        mouth = Mouth.of(model, layout.mouth_cavity)
        return cls(
            ends=ends,
            share=share,
            triangles=triangles,
            uv=_between(layout.uv, ends, share),
            mean=mouth.mean(model),
            identity_basis=mouth.moved(model.identity_basis),
            expression_basis=mouth.expression_basis(model),
        )

    def exported(self, values: np.ndarray) -> np.ndarray:
        """Values (..., V, C) of the vertices of the face model at the exported vertices, (..., N, C)."""
        return _between(values, self.ends, self.share)


@lru_cache(maxsize=2)
def packaged_surface(region: Region) -> Surface:
    """The exported part of the packaged face model."""
    return Surface.of(packaged_model(), region)


def surface_of(model: FaceModel | None, region: Region) -> Surface:
    """The exported part of a face model; None is the packaged one.

    Raises:
        ValueError: see `Surface.of`.
    """
    return packaged_surface(region) if model is None else Surface.of(model, region)


def _between(values: np.ndarray, ends: np.ndarray, share: np.ndarray) -> np.ndarray:
    first, second = values[..., ends[:, 0], :], values[..., ends[:, 1], :]
    return np.asarray(first + share * (second - first), np.float32)


def _cut(triangles: np.ndarray, inside: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Cut a mesh along the line where `inside` (V,) is 0: (N, 2) ends, (N, 1) shares, (T, 3) triangles."""
    distance = np.where(np.abs(inside) < _SNAP, 0, inside)
    kept = triangles[(distance[triangles] >= 0).all(axis=1) & (distance[triangles] > 0).any(axis=1)]
    crossing = triangles[(distance[triangles] > 0).any(axis=1) & (distance[triangles] < 0).any(axis=1)]
    number: dict[tuple[int, int], int] = {}

    def vertex(a: int, b: int) -> int:
        return number.setdefault((min(a, b), max(a, b)), len(number))

    faces = [[vertex(one, one) for one in row] for row in kept.tolist()]
    for row in crossing.tolist():
        # The part of the triangle inside the border, a triangle or a quadrangle (Sutherland and Hodgman).
        polygon = []
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
