"""The part of the face model that the page shows: the face without scalp, ears and neck, cut along a smooth line.

The mesh of the face model ends in a jagged line. Here, triangles that cross the border of the face region are cut, so
the border is smooth. A sheet between the inner lips carries the teeth of the photo. The bases are linear, so each new
vertex has bases that are interpolated between vertices of the face model.
"""

from dataclasses import dataclass

import numpy as np

from rdrface.drawing.face_region import FaceRegion, connected
from rdrface.geometry.mesh import cut_mesh
from rdrface.morphable.model import FaceModel, SurfacePoints

SKIN, EYE, CAVITY, MOUTH = 0, 1, 2, 3
"""Parts of the surface: skin, eyeballs, what the skin hides from the front (inside of mouth, nostrils, eye sockets),
and the sheet between the lips."""

_BORDER = -4.0
"""mm inside the border of the face region at which the mesh is cut. Negative: the triangles of all landmarks remain."""

_BACK = -40.0
"""z in mm of the frontal plane behind which cavities are removed."""

_INNER_LIPS = ((60, 61, 62, 63, 64), (60, 67, 66, 65, 64))
"""Landmarks along the upper and the lower inner lip, from left to right."""

_SHEET_DEPTH = 4.0
"""mm between the inner lips and the sheet behind them."""

_SHEET_RIM = 3.0
"""mm by which the sheet extends behind the lips, so that no gap is seen between them and the sheet."""

_SHEET_UV = ((0.02, 0.01), (0.32, 0.07))
"""Corners of the sheet without its rim in the texture, below the face."""

_RIM_UV = 0.006
"""Width of the rim in the texture."""


@dataclass(frozen=True)
class FaceSurface:
    """A mesh whose vertices are points of the face model's surface.

    Attributes:
        corners: (V, 3) int32, vertices of the face model.
        weights: (V, 3) float32, their weights; each row sums to 1.
        offset: (V, 3) float32 mm, added to the mean.
        triangles: (F, 3) int32.
        mirror: (V,) int32, the mirror image of each vertex.
        uv: (V, 2) float32, 0..1; cylindrical projection of the mean face, u to the right of the image, v up.
        height: (V,) float32, 0..1, distance from the cylinder's axis: of two parts at one place of the texture, the
            higher one is outside.
        part: (V,) uint8, `SKIN`, `EYE`, `CAVITY` or `MOUTH`.
        landmarks: the 68 landmarks as points of this mesh, contour on the jawline.
    """

    corners: np.ndarray
    weights: np.ndarray
    offset: np.ndarray
    triangles: np.ndarray
    mirror: np.ndarray
    uv: np.ndarray
    height: np.ndarray
    part: np.ndarray
    landmarks: SurfacePoints

    @classmethod
    def of(cls, model: FaceModel) -> "FaceSurface":
        """Cut the mesh of a face model along the border of its face region, and add the sheet between the lips."""
        region = FaceRegion.of(model)
        part = _parts(model, region)
        inside = region.inside(model.mean) - _BORDER
        # The back of the mouth would be seen beside the jaw.
        inside = np.where(part == CAVITY, np.minimum(inside, model.mean[:, 2] - _BACK), inside)
        ends, share, triangles = cut_mesh(model.triangles, inside)
        numbers = {pair: i for i, pair in enumerate(map(tuple, ends.tolist()))}
        mirrored = np.sort(model.mirror_vertices[ends], axis=1).tolist()
        sheet = _sheet(model, first=len(ends))
        corners = np.concatenate([np.column_stack([ends, ends[:, 0]]), sheet.corners])
        weights = np.concatenate([np.hstack([1 - share, share, 0 * share]), sheet.weights]).astype(np.float32)
        offset = np.zeros((len(corners), 3), np.float32)
        offset[len(ends) :] = sheet.offset
        # A cut vertex is on the border, which is skin.
        parts = np.where(ends[:, 0] == ends[:, 1], part[ends[:, 0]], SKIN)
        mean = _mixed(model.mean, corners, weights)
        height = np.hypot(mean[:, 0], mean[:, 2] - mean[:, 2].min() + 20)
        uv = _square(_mixed(region.grid, corners, weights)[: len(ends)])
        return cls(
            corners=corners.astype(np.int32),
            weights=weights,
            offset=offset,
            triangles=np.concatenate([triangles, sheet.triangles]).astype(np.int32),
            mirror=np.concatenate([[numbers[tuple(pair)] for pair in mirrored], sheet.mirror]).astype(np.int32),
            uv=np.concatenate([uv, sheet.uv]).astype(np.float32),
            height=(height / height.max()).astype(np.float32),
            part=np.concatenate([parts, np.full(len(sheet.corners), MOUTH)]).astype(np.uint8),
            landmarks=_renumbered(model, model.points["ibug68"], numbers, triangles),
        )

    def values(self, of_model: np.ndarray) -> np.ndarray:
        """Values of the vertices (..., V, 3) from those of the face model's vertices (..., V', 3), without `offset`."""
        return _mixed(of_model, self.corners, self.weights)


@dataclass(frozen=True)
class _Sheet:
    corners: np.ndarray
    weights: np.ndarray
    offset: np.ndarray
    triangles: np.ndarray
    mirror: np.ndarray
    uv: np.ndarray


def _sheet(model: FaceModel, first: int) -> _Sheet:
    """The sheet between the lips and its rim behind them; the vertices have the numbers from `first`."""
    upper, lower = _INNER_LIPS
    loop = [*upper, *lower[-2:0:-1]]
    count = len(loop)
    points = model.points["ibug68"]
    number = {landmark: first + i for i, landmark in enumerate(loop)}
    (left, bottom), (right, top) = _SHEET_UV
    uv = {landmark: (left + (right - left) * i / 4, bottom) for i, landmark in enumerate(lower)}
    uv |= {landmark: (left + (right - left) * i / 4, top) for i, landmark in enumerate(upper)}
    uv[upper[0]], uv[upper[-1]] = (left, (bottom + top) / 2), (right, (bottom + top) / 2)
    # Directions from the mouth outwards, in the frontal plane.
    outwards = dict.fromkeys(upper, (0, 1)) | dict.fromkeys(lower, (0, -1))
    outwards[upper[0]], outwards[upper[-1]] = (-1, 0), (1, 0)
    rim = np.array([outwards[landmark] for landmark in loop])
    mirrored = dict(zip([*upper, *lower], [*upper[::-1], *lower[::-1]], strict=True))
    mirror = np.array([number[mirrored[landmark]] for landmark in loop])
    triangles = []
    for i in range(4):
        quad = [upper[i], lower[i], lower[i + 1], upper[i + 1]]
        # At the corners of the mouth, two of the four points are the same.
        triangles += [
            [number[k] for k in triple] for triple in (quad[:3], [quad[0], *quad[2:]]) if len(set(triple)) == 3
        ]
    for i in range(count):
        a, b = first + i, first + (i + 1) % count
        triangles += [[a, b, b + count], [a, b + count, a + count]]
    inner_uv = np.array([uv[landmark] for landmark in loop])
    offset = np.zeros((2 * count, 3), np.float32)
    offset[count:, :2] = _SHEET_RIM * rim
    offset[:, 2] = -_SHEET_DEPTH
    return _Sheet(
        corners=np.tile(model.triangles[points.triangle[loop]], (2, 1)),
        weights=np.tile(points.barycentric[loop], (2, 1)),
        offset=offset,
        triangles=np.array(triangles),
        mirror=np.concatenate([mirror, mirror + count]),
        uv=np.concatenate([inner_uv, inner_uv + _RIM_UV * rim]),
    )


def _parts(model: FaceModel, region: FaceRegion) -> np.ndarray:
    """(V,) uint8 part of each vertex of the face model; ears, scalp and neck are `CAVITY` too."""
    part = np.full(len(model.mean), CAVITY, np.uint8)
    part[region.triangles] = SKIN
    pupils = model.triangles[model.points["eye_centers"].triangle].ravel()
    part[connected(model.triangles, pupils, len(part))] = EYE
    return part


def _mixed(values: np.ndarray, corners: np.ndarray, weights: np.ndarray) -> np.ndarray:
    mixed: np.ndarray = sum(values[..., corners[:, i], :] * weights[:, i, None] for i in range(3))
    return mixed


def _square(grid: np.ndarray) -> np.ndarray:
    """Positions (V, 2) mm moved and scaled into the square 0..1, with a margin."""
    center, extent = (grid.max(axis=0) + grid.min(axis=0)) / 2, np.ptp(grid, axis=0).max() * 1.02
    square: np.ndarray = (grid - center) / extent + 0.5
    return square


def _renumbered(
    model: FaceModel, points: SurfacePoints, numbers: dict[tuple[int, ...], int], triangles: np.ndarray
) -> SurfacePoints:
    """Points of the face model as points of the cut mesh; their triangles must not be cut."""
    index = {tuple(row): i for i, row in enumerate(triangles.tolist())}
    corners = [[numbers[vertex, vertex] for vertex in row] for row in model.triangles[points.triangle].tolist()]
    return SurfacePoints(np.array([index[tuple(row)] for row in corners], np.int32), points.barycentric)
