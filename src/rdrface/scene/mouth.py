"""The inside of the mouth of exported faces: the walls of the model's mouth cavity are folded into two rows of teeth.

The mouth cavity of the face model has no teeth: it starts with a wall behind the upper lip that goes up, and one behind
the lower lip that goes down. Farther inside, these walls are folded back: the upper wall turns at the gums, descends as
the front of the teeth, and rises behind them. The upper teeth do not move and the lower teeth move with the jaw, so an
open mouth shows teeth of constant size and a dark cavity between them. The rest of the cavity is less deep than the
model's, so that it remains inside the face region.
"""

from dataclasses import dataclass

import numpy as np

from rdrface.geometry.mesh import directed_edges
from rdrface.morphable.model import FaceModel

_DEPTH = 0.35
"""Depth of the mouth cavity, as a fraction of the model's, which is 90 mm."""

_JAW = ("jawForward", "jawLeft", "jawOpen", "jawRight")
"""Blendshapes that move the lower teeth."""

_LOWER = -9.0
"""y in mm of the movement by jawOpen beyond which a vertex belongs to the lower wall."""

_WALL = -6.0
"""z in mm of the mean face behind which there are no teeth."""

_WIDTH = 21.0, 27.0
"""Distances in mm from the middle between which the rows of teeth fade out."""

_UPPER_ROWS = ((-26.0, -22.0), (-21.0, -17.0), (-16.0, -12.0))
_LOWER_ROWS = ((-39.0, -36.3), (-43.0, -40.5), (-50.0, -45.0))
"""y in mm of the mean face of the vertices of each row: gums, edge of the teeth, back of the teeth."""

_UPPER_EDGE, _UPPER_BACK = (-33.2, -2.0), (-26.0, -5.0)
_LOWER_EDGE, _LOWER_BACK = (-29.5, -5.0), (-38.0, -8.0)
"""y in mm of the edge and of the back of the teeth, and z relative to the gums: behind closed lips, and the lower teeth
behind the upper ones."""

GUMS, EDGE, BACK = 1, 2, 3
"""Rows of vertices of the teeth."""


@dataclass(frozen=True)
class Mouth:
    """The inside of the mouth.

    Attributes:
        cavity: (K,) int, vertices of the mouth cavity.
        lips: (L,) int, vertices around it.
        membrane: (K, L) float32, weights of a membrane between the lips.
        share: (K, 1) float32, 1 where a vertex keeps its distance from the membrane, `_DEPTH` deep inside.
        row: (V,) int, `GUMS`, `EDGE` or `BACK` for the vertices of the teeth, 0 elsewhere.
        is_upper: (V,) bool, the upper wall.
        teeth: (V, 3) float32 mm, mean positions of the vertices of the teeth.
        weight: (V, 1) float32, 1 on the teeth, falling to 0 at the corners of the mouth.
    """

    cavity: np.ndarray
    lips: np.ndarray
    membrane: np.ndarray
    share: np.ndarray
    row: np.ndarray
    is_upper: np.ndarray
    teeth: np.ndarray
    weight: np.ndarray

    @classmethod
    def of(cls, model: FaceModel, mouth_cavity: np.ndarray) -> "Mouth":
        """The mouth of a face model with the mesh of the packaged one.

        Args:
            model: the face model.
            mouth_cavity: (V,) bool.
        """
        cavity, lips, membrane = _membrane(model.triangles, mouth_cavity)
        row, is_upper = _rows(model, mouth_cavity)
        mean = model.mean.astype(np.float32)
        teeth = mean.copy()
        for upper, edge, back in ((True, _UPPER_EDGE, _UPPER_BACK), (False, _LOWER_EDGE, _LOWER_BACK)):
            gums = np.flatnonzero((row == GUMS) & (is_upper == upper))
            gums = gums[np.argsort(mean[gums, 0])]
            for number, (y, z) in ((EDGE, edge), (BACK, back)):
                part = np.flatnonzero((row == number) & (is_upper == upper))
                teeth[part, 1] = y
                teeth[part, 2] = z + np.interp(mean[part, 0], mean[gums, 0], mean[gums, 2])
        from_middle = (np.abs(mean[:, :1]) - _WIDTH[0]) / (_WIDTH[1] - _WIDTH[0])
        weight = np.where(row[:, None] > 0, 1 - from_middle.clip(0, 1), 0).astype(np.float32)
        # Between the lips and the gums, the model's own walls.
        outer = np.where(is_upper, mean[:, 1] < _UPPER_ROWS[0][0], mean[:, 1] > _LOWER_ROWS[0][1])
        outer &= mean[:, 2] > _WALL
        share = np.where(outer, 1, _DEPTH)[cavity, None].astype(np.float32)
        return cls(cavity, lips, membrane, share, row, is_upper, teeth, weight)

    def moved(self, values: np.ndarray) -> np.ndarray:
        """Mean or bases (..., V, 3) with a cavity that is less deep; linear."""
        moved = values.copy()
        flat = np.einsum("kl,...lc->...kc", self.membrane, values[..., self.lips, :], optimize=True)
        moved[..., self.cavity, :] = flat + self.share * (values[..., self.cavity, :] - flat)
        # Teeth have the shape of the model's walls.
        return np.asarray(moved + self.weight * (values - moved), values.dtype)

    def mean(self, model: FaceModel) -> np.ndarray:
        """(V, 3) float32 mm, the mean face with teeth."""
        moved = self.moved(model.mean)
        return np.asarray(moved + self.weight * (self.teeth - moved), np.float32)

    def expression_basis(self, model: FaceModel) -> np.ndarray:
        """(46, V, 3) float32 mm; the lower teeth move with their gums, and only with the jaw."""
        moved = self.moved(model.expression_basis)
        rigid = np.zeros_like(moved)
        lower = np.flatnonzero((self.row > 0) & ~self.is_upper)
        gums = lower[self.row[lower] == GUMS]
        gums = gums[np.argsort(model.mean[gums, 0])]
        x = model.mean[:, 0]
        for number in (model.expression_names.index(name) for name in _JAW):
            for axis in range(3):
                of_gums = model.expression_basis[number, gums, axis]
                rigid[number, lower, axis] = np.interp(x[lower], x[gums], of_gums)
        return np.asarray(moved + self.weight * (rigid - moved), np.float32)


def _rows(model: FaceModel, mouth_cavity: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(V,) int rows of the teeth; (V,) bool upper wall."""
    is_upper = model.expression_basis[model.expression_names.index("jawOpen"), :, 1] > _LOWER
    row = np.zeros(len(model.mean), int)
    for upper, rows in ((True, _UPPER_ROWS), (False, _LOWER_ROWS)):
        for number, (low, high) in zip((GUMS, EDGE, BACK), rows, strict=True):
            y = model.mean[:, 1]
            part = (y > low) & (y < high) & (model.mean[:, 2] > _WALL) & (is_upper == upper)
            row[part & mouth_cavity & (np.abs(model.mean[:, 0]) < _WIDTH[1])] = number
    return row, is_upper


def _membrane(triangles: np.ndarray, mouth_cavity: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    edges = directed_edges(triangles)
    edges = np.unique(np.concatenate([edges, edges[:, ::-1]]), axis=0)
    edges = edges[mouth_cavity[edges[:, 0]]]
    cavity = np.flatnonzero(mouth_cavity)
    lips = np.setdiff1d(edges[:, 1], cavity)
    number = np.full(len(mouth_cavity), -1)
    number[cavity], number[lips] = np.arange(len(cavity)), np.arange(len(lips))
    # Each vertex of the membrane is the mean of its neighbors; the lips are fixed.
    laplacian = np.diag(np.bincount(number[edges[:, 0]], minlength=len(cavity)).astype(np.float64))
    coupling = np.zeros((len(cavity), len(lips)))
    is_inner = mouth_cavity[edges[:, 1]]
    laplacian[number[edges[is_inner, 0]], number[edges[is_inner, 1]]] -= 1
    coupling[number[edges[~is_inner, 0]], number[edges[~is_inner, 1]]] = 1
    return cavity, lips, np.linalg.solve(laplacian, coupling).astype(np.float32)
