"""The exported part of the head mesh: cut along a smooth border, with teeth in the mouth."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, get_args

import numpy as np

from rdrface.face import packaged_model
from rdrface.geometry.mesh import cut_mesh
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
        ends, share, triangles = cut_mesh(model.triangles, np.where(np.abs(inside) < _SNAP, 0, inside))
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
