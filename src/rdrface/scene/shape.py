"""The exported face in millimeters: vertices, normals and the movements of the 46 blendshapes."""

from dataclasses import dataclass
from functools import cached_property
from typing import Literal, get_args

import numpy as np

from rdrface.face import Face, packaged_model
from rdrface.geometry.mesh import triangle_normals
from rdrface.geometry.rotation import rotation_matrix
from rdrface.morphable.model import FaceModel
from rdrface.morphable.params import ROTATION
from rdrface.scene.surface import Region, Surface, surface_of

FacePose = Literal["neutral", "expression", "posed"]
"""State in which a face is exported: without expression and upright; with the expression of the image, upright; or
with the expression and the rotation of the head."""


@dataclass(frozen=True, eq=False)
class FaceShape:
    """The exported face of a person. Frame: mm, x to the person's left, y up, z out of the face.

    Attributes:
        model: the face model.
        surface: the exported part of the mesh.
        identity: (50,) float32, identity coefficients.
    """

    model: FaceModel
    surface: Surface
    identity: np.ndarray

    @classmethod
    def of(cls, face: Face, region: Region = "face") -> "FaceShape":
        """The shape of a face.

        Raises:
            ValueError: there is no such region, or the mesh is not that of the packaged face model.
        """
        model = packaged_model() if face.model is None else face.model
        return cls(model, surface_of(face.model, region), face.parameters.identity)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the 46 blendshapes."""
        return self.model.expression_names

    @cached_property
    def neutral(self) -> np.ndarray:
        """(V, 3) float32, all vertices of the face model without expression."""
        moved = np.einsum("i,ivc->vc", self.identity, self.surface.identity_basis, optimize=True)
        return np.asarray(self.surface.mean + moved, np.float32)

    def vertices(self, expression: np.ndarray | None = None) -> np.ndarray:
        """(N, 3) float32 exported vertices, with expression coefficients (46,) or neutral."""
        return self.surface.exported(self._all(expression))

    def normals(self, expression: np.ndarray | None = None) -> np.ndarray:
        """(N, 3) float32 unit normals, smooth also at the border, because they depend on what was cut off too."""
        normals = self.surface.exported(_vertex_normals(self._all(expression), self.model.triangles))
        length = np.linalg.norm(normals, axis=1, keepdims=True)
        # A vertex without area has no normal of its own; a unit vector is required all the same.
        unit: np.ndarray = np.where(length > 1e-6, normals / np.maximum(length, 1e-6), np.array([0, 0, 1], np.float32))
        return unit.astype(np.float32)

    def movements(self) -> np.ndarray:
        """(46, N, 3) float32 mm: movement of the exported vertices by each blendshape at strength 1."""
        return self.surface.exported(self.surface.expression_basis)

    def normal_changes(self) -> np.ndarray:
        """(46, N, 3) float32: change of the normals by each blendshape at strength 1."""
        neutral = self.normals()
        strengths = np.eye(len(self.names), dtype=np.float32)
        return np.stack([self.normals(one) - neutral for one in strengths])

    def _all(self, expression: np.ndarray | None) -> np.ndarray:
        if expression is None:
            return self.neutral
        moved = np.einsum("e,evc->vc", expression, self.surface.expression_basis, optimize=True)
        return np.asarray(self.neutral + moved, np.float32)


def expression_of(face: Face, pose: FacePose) -> np.ndarray | None:
    """(46,) float32 expression coefficients of a face in this state, None without expression.

    Raises:
        ValueError: there is no such state.
    """
    if pose not in get_args(FacePose):
        raise ValueError(f"pose must be one of {', '.join(get_args(FacePose))}; got {pose!r}")
    return None if pose == "neutral" else face.parameters.expression


def rotation_of(face: Face) -> np.ndarray:
    """(3, 3) float64 rotation of the head."""
    rotation: np.ndarray = rotation_matrix(face.parameters.pose[ROTATION].astype(np.float64))
    return rotation


def _vertex_normals(vertices: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """(V, 3) area-weighted normals, not of unit length: `geometry.mesh.vertex_normals` is too slow for 46 shapes."""
    of_triangles = np.repeat(triangle_normals(vertices[triangles]), 3, axis=0)
    index = triangles.ravel()
    columns = [np.bincount(index, of_triangles[:, axis], len(vertices)) for axis in range(3)]
    normals = np.stack(columns, axis=1)
    length = np.linalg.norm(normals, axis=1, keepdims=True)
    unit: np.ndarray = (normals / np.maximum(length, 1e-12)).astype(np.float32)
    return unit
