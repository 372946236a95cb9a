"""A z-buffer for meshes of many small triangles in plain NumPy: which triangle each pixel shows, and where on it."""

from dataclasses import dataclass

import numpy as np

_SLIVER = 1e-6  # square pixels (twice the area): thinner triangles cover no pixel center worth having
_EDGE = 1e-4  # barycentric tolerance, so that no pixel falls between two triangles


@dataclass(frozen=True)
class Raster:
    """What the pixels of a size x size picture show.

    Attributes:
        triangle: (size * size,) int32, index of the triangle in front, -1 where there is none.
        weights: (size * size, 3) float32, barycentric weights of its corners; undefined where there is none.
        depth: (size * size,) float32, its depth; -inf where there is none.
    """

    triangle: np.ndarray
    weights: np.ndarray
    depth: np.ndarray

    def interpolate(self, corners: np.ndarray) -> np.ndarray:
        """(F, 3, C) values at the corners of the triangles -> (size * size, C); undefined where there is none."""
        return np.einsum("pi,pic->pc", self.weights, corners[self.triangle])


def to_pixels(points: np.ndarray, size: int) -> np.ndarray:
    """(..., 2 or 3) in a frame with edges at -1 and 1 -> pixels, the first at 0; a depth is only scaled."""
    pixels = np.asarray(points, np.float32) * (size / 2)
    pixels[..., :2] += (size - 1) / 2
    return pixels


def rasterize(corners: np.ndarray, size: int) -> Raster:
    """Draw triangles with a z-buffer. All pixels of all bounding boxes are tested at once, so large triangles are dear.

    Args:
        corners: (F, 3, 3) float32 pixels: x right, y down, depth towards the viewer. The order of a triangle's corners
            does not matter.
        size: side of the picture.

    Returns:
        The frontmost triangle of each pixel.
    """
    corners = np.asarray(corners, np.float32)
    low = np.ceil(corners[..., :2].min(axis=1)).clip(0, size).astype(np.int32)
    high = np.floor(corners[..., :2].max(axis=1)).clip(-1, size - 1).astype(np.int32)
    extent = high - low + 1
    planes, area = _planes(corners)
    drawn = np.flatnonzero((extent > 0).all(axis=1) & (np.abs(area) > _SLIVER))
    low, extent, planes = low[drawn], extent[drawn], planes[drawn]
    count = extent.prod(axis=1)
    who = np.repeat(np.arange(len(drawn), dtype=np.int32), count)
    within = np.arange(count.sum(), dtype=np.int32) - np.repeat((np.cumsum(count) - count).astype(np.int32), count)
    row, column = np.divmod(within, extent[who, 0])
    # Relative to the box's corner, small numbers keep float32 exact.
    x, y = column.astype(np.float32), row.astype(np.float32)
    at = planes[who]
    v = at[:, 0] * x + at[:, 1] * y + at[:, 2]
    w = at[:, 3] * x + at[:, 4] * y + at[:, 5]
    inside = np.flatnonzero((v >= -_EDGE) & (w >= -_EDGE) & (v + w <= 1 + _EDGE))
    who, v, w = who[inside], v[inside], w[inside]
    pixel = (low[who, 1] + row[inside]) * size + low[who, 0] + column[inside]
    z = planes[who, 6] + v * planes[who, 7] + w * planes[who, 8]

    depth = np.full(size * size, -np.inf, np.float32)
    np.maximum.at(depth, pixel, z)
    front = np.flatnonzero(z == depth[pixel])
    triangle = np.full(size * size, -1, np.int32)
    weights = np.zeros((size * size, 3), np.float32)
    # Of several triangles at the same depth the last is taken for both, as NumPy assigns in order.
    triangle[pixel[front]] = drawn[who[front]]
    weights[pixel[front]] = np.stack([1 - v[front] - w[front], v[front], w[front]], axis=1)
    return Raster(triangle, weights, depth)


def _planes(corners: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(F, 9): second and third weight as functions of the place from the box's first pixel, then depth; twice the area.

    Weight = a x + b y + c; depth = d + v e + w f.
    """
    a, b, c = corners[:, 0], corners[:, 1], corners[:, 2]
    ab, ac = b - a, c - a
    area = ab[:, 0] * ac[:, 1] - ab[:, 1] * ac[:, 0]
    safe = np.where(np.abs(area) > _SLIVER, area, 1)
    start = np.ceil(corners[..., :2].min(axis=1)).clip(0, None) - a[:, :2]
    vx, vy = ac[:, 1] / safe, -ac[:, 0] / safe
    wx, wy = -ab[:, 1] / safe, ab[:, 0] / safe
    v0 = vx * start[:, 0] + vy * start[:, 1]
    w0 = wx * start[:, 0] + wy * start[:, 1]
    return np.stack([vx, vy, v0, wx, wy, w0, a[:, 2], ab[:, 2], ac[:, 2]], axis=1), area
