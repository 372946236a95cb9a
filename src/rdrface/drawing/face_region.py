"""The part of the face model that is drawn: the face without scalp, ears, neck, eyes and the inside of the mouth.

The mesh of the face model ends in a jagged line at the nape and the neck, which an overlay should not show. The region
is defined by distances on the mean face, not by a list of triangles, so its border is a smooth line across triangles.
`Face.mesh` and exported files contain all triangles.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from rdrface.face import packaged_model
from rdrface.geometry.mesh import triangle_normals
from rdrface.geometry.rasterize import rasterize
from rdrface.landmarks import CHIN
from rdrface.morphable.model import FaceModel
from rdrface.morphable.surface import positions

_BEHIND_JAWLINE = 10.0
"""mm between the ends of the jawline, in front of the ears, and the border behind them."""

_BELOW_JAW = 8.0
"""mm between the line from the chin to the angle of the jaw and the border below it."""

_BESIDE_TEMPLES = 6.0
"""mm that the arc of the hairline is wider than the face on each side."""

_ROUNDING = 10.0
"""mm: larger values round the corners between two parts of the border more."""

_EARS = (0, 1, 2, 14, 15, 16)
"""Landmarks in front of the ears."""

_JAW_ANGLES = (4, 12)
_BROWS = (19, 24)
_NOSE_BASE = 33

_HIDDEN_DEPTH = 3.0
"""mm behind the visible surface at which a vertex counts as hidden."""

_HEAD_AXIS = -70.0
"""z in mm of the vertical axis around which the meridians of the grid run."""


@dataclass(frozen=True)
class FaceRegion:
    """The face region of a face model. All positions are in mm on the mean face.

    Attributes:
        mean: (V, 3) float32, the vertices of the mean face.
        triangles: (F, 3) int, the triangles that are at least partly inside the region.
        grid: (V, 2) float32 mm, coordinates of a grid on the face: to the right around the head, and up.
        ears: z of the border in front of the ears.
        chin: (3,) a point of the border below the jaw.
        up: (3,) unit normal of the border below the jaw, towards the face.
        hairline: y of the highest point of the border.
        hairline_radius: radius of the border's arc over the forehead, seen from the front.
    """

    mean: np.ndarray
    triangles: np.ndarray
    grid: np.ndarray
    ears: float
    chin: np.ndarray
    up: np.ndarray
    hairline: float
    hairline_radius: float

    @classmethod
    def of(cls, model: FaceModel) -> "FaceRegion":
        """Find the region of a face model from the 68 landmarks of its mean face.

        The border is a frontal plane in front of the ears, a plane along the lower jaw, and the hairline, which is as
        far above the brows as the base of the nose is below them (the rule of thirds of the face).
        """
        landmarks = positions(model.mean, model.triangles, model.points["ibug68"]).astype(np.float64)
        brows, nose = landmarks[list(_BROWS), 1].mean(), landmarks[_NOSE_BASE]
        jaw = landmarks[list(_JAW_ANGLES)].mean(axis=0) - landmarks[CHIN]
        up = np.array([0.0, -jaw[2], jaw[1]]) / np.hypot(jaw[1], jaw[2])
        # Arc lengths at the radius of the nose, not degrees: the grid is about square in front.
        radius = nose[2] - _HEAD_AXIS
        around = radius * np.arctan2(model.mean[:, 0], model.mean[:, 2] - _HEAD_AXIS)
        region = cls(
            mean=model.mean,
            triangles=model.triangles,
            grid=np.stack([around, model.mean[:, 1] - nose[1]], axis=1).astype(np.float32),
            ears=float(landmarks[list(_EARS), 2].mean() - _BEHIND_JAWLINE),
            chin=landmarks[CHIN] - _BELOW_JAW * up,
            up=up,
            hairline=float(2 * brows - nose[1]),
            hairline_radius=float(np.abs(landmarks[list(_EARS), 0]).max() + _BESIDE_TEMPLES),
        )
        inside = region.inside(model.mean)
        left_out = _eyeballs(model) | (_hidden_from_front(model.mean, model.triangles) & (inside > 0))
        # A triangle can cross the border although its corners are outside.
        shown = (inside > -_ROUNDING)[model.triangles].any(axis=1) & ~left_out[model.triangles].any(axis=1)
        return cls(**{**vars(region), "triangles": model.triangles[shown]})

    def inside(self, points: np.ndarray) -> np.ndarray:
        """Distance of points (N, 3) on the mean face to the border, (N,) mm; negative outside the region."""
        above = np.maximum(points[:, 1] - (self.hairline - self.hairline_radius), 0)
        borders = (
            points[:, 2] - np.float32(self.ears),
            (points - self.chin.astype(np.float32)) @ self.up.astype(np.float32),
            np.float32(self.hairline_radius) - np.hypot(points[:, 0], above),
        )
        # Smooth minimum: equal to the minimum far from the corners. At most 40, so that exp does not underflow.
        total = sum(np.exp(-np.minimum(border, 40 * _ROUNDING) / np.float32(_ROUNDING)) for border in borders)
        distance: np.ndarray = -np.float32(_ROUNDING) * np.log(total)
        return distance


def _eyeballs(model: FaceModel) -> np.ndarray:
    """(V,) bool: the vertices connected to the pupils. The eyes in the image stay uncovered."""
    if "eye_centers" not in model.points:
        return np.zeros(len(model.mean), bool)
    pupils = model.triangles[model.points["eye_centers"].triangle].ravel()
    return connected(model.triangles, pupils, len(model.mean))


def connected(triangles: np.ndarray, start: np.ndarray, count: int) -> np.ndarray:
    """Vertices that are connected to others by edges of the mesh.

    Args:
        triangles: (F, 3) int, indices of vertices.
        start: (N,) int, indices of vertices.
        count: number of vertices.

    Returns:
        (count,) bool, including those of `start`.
    """
    inside = np.zeros(count, bool)
    inside[start] = True
    while True:
        grown = inside.copy()
        grown[triangles[inside[triangles].any(axis=1)]] = True
        if (grown == inside).all():
            return inside
        inside = grown


def _hidden_from_front(vertices: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """(V,) bool: the vertices that the mean face hides in frontal view: mouth cavity, eye sockets, nostrils, ears."""
    low, high = vertices.min(axis=0), vertices.max(axis=0)
    at = np.stack([vertices[:, 0] - low[0], high[1] - vertices[:, 1], vertices[:, 2]], axis=1)
    width, height = (int(extent) + 2 for extent in (high - low)[:2])
    corners = at[triangles]
    raster = rasterize(corners[triangle_normals(corners)[:, 2] < 0], (width, height))
    depth = np.pad(raster.depth.reshape(height, width), 1, mode="edge")
    # The farthest of 3 x 3 pixels: on a slope, the surface does not hide itself.
    farthest = np.lib.stride_tricks.sliding_window_view(depth, (3, 3)).min(axis=(2, 3))
    column, row = np.rint(at[:, :2]).astype(int).T
    hidden: np.ndarray = vertices[:, 2] < farthest[row, column] - _HIDDEN_DEPTH
    return hidden


@lru_cache(maxsize=1)
def packaged_region() -> FaceRegion:
    """The region of the packaged face model, found once per process."""
    return FaceRegion.of(packaged_model())
