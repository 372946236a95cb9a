"""Z-buffer in NumPy for meshes of many small triangles: the visible triangle of each pixel, and the position on it."""

from dataclasses import dataclass

import numpy as np

_SLIVER = 1e-6  # square pixels, twice the area: smaller triangles are not drawn
_EDGE = 1e-4  # barycentric tolerance, so that no pixel falls between two triangles


@dataclass(frozen=True)
class Raster:
    """Content of the pixels of an image, row by row.

    Attributes:
        triangle: (height * width,) int32, index of the front triangle, -1 where there is none.
        weights: (height * width, 3) float32, barycentric weights of its corners; undefined where there is none.
        depth: (height * width,) float32, depth of the triangle; -inf where there is none.
    """

    triangle: np.ndarray
    weights: np.ndarray
    depth: np.ndarray

    def interpolate(self, corners: np.ndarray) -> np.ndarray:
        """Interpolate values over the triangles.

        Args:
            corners: (F, 3, C) values at the corners of the triangles.

        Returns:
            (height * width, C); undefined where there is no triangle.
        """
        values: np.ndarray = np.einsum("pi,pic->pc", self.weights, corners[self.triangle])
        return values


def to_pixels(points: np.ndarray, size: int) -> np.ndarray:
    """Convert points from a frame whose edges are at -1 and 1 to pixels.

    Args:
        points: (..., 2) x and y, or (..., 3) with a depth.
        size: side of the image in pixels.

    Returns:
        float32 of the same shape. The center of the first pixel is at 0. A depth is scaled, not shifted.
    """
    pixels = np.asarray(points, np.float32) * (size / 2)
    pixels[..., :2] += (size - 1) / 2
    return pixels


def rasterize(corners: np.ndarray, size: int | tuple[int, int]) -> Raster:
    """Draw triangles with a z-buffer.

    All pixels of all bounding boxes are tested at once, so large triangles need much memory and time.

    Args:
        corners: (F, 3, 3) float32 pixels: x right, y down, depth towards the viewer. The order of a triangle's corners
            does not matter.
        size: width and height of the image in pixels, or the side of a square image.

    Returns:
        The frontmost triangle of each pixel.
    """
    corners = np.asarray(corners, np.float32)
    width, height = size if isinstance(size, tuple) else (size, size)
    limit = np.array([width, height], np.float32)
    low = np.ceil(corners[..., :2].min(axis=1)).clip(0, limit).astype(np.int32)
    high = np.floor(corners[..., :2].max(axis=1)).clip(-1, limit - 1).astype(np.int32)
    extent = high - low + 1
    planes, area = _planes(corners)
    drawn = np.flatnonzero((extent > 0).all(axis=1) & (np.abs(area) > _SLIVER))
    low, extent, planes = low[drawn], extent[drawn], planes[drawn]
    count = extent.prod(axis=1)
    owner = np.repeat(np.arange(len(drawn), dtype=np.int32), count)
    within = np.arange(count.sum(), dtype=np.int32) - np.repeat((np.cumsum(count) - count).astype(np.int32), count)
    row, column = np.divmod(within, extent[owner, 0])
    # Coordinates relative to the corner of the box are small, so float32 is exact enough.
    x, y = column.astype(np.float32), row.astype(np.float32)
    plane = planes[owner]
    v = plane[:, 0] * x + plane[:, 1] * y + plane[:, 2]
    w = plane[:, 3] * x + plane[:, 4] * y + plane[:, 5]
    inside = np.flatnonzero((v >= -_EDGE) & (w >= -_EDGE) & (v + w <= 1 + _EDGE))
    owner, v, w = owner[inside], v[inside], w[inside]
    pixel = (low[owner, 1] + row[inside]) * np.int32(width) + low[owner, 0] + column[inside]
    z = planes[owner, 6] + v * planes[owner, 7] + w * planes[owner, 8]

    depth = np.full(height * width, -np.inf, np.float32)
    np.maximum.at(depth, pixel, z)
    front = np.flatnonzero(z == depth[pixel])
    triangle = np.full(height * width, -1, np.int32)
    weights = np.zeros((height * width, 3), np.float32)
    # NumPy assigns in order, so of several triangles at the same depth the last one sets both arrays.
    triangle[pixel[front]] = drawn[owner[front]]
    weights[pixel[front]] = np.stack([1 - v[front] - w[front], v[front], w[front]], axis=1)
    return Raster(triangle, weights, depth)


def _planes(corners: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Linear functions of each triangle, relative to the first pixel of its bounding box.

    Returns:
        (F, 9): a, b, c of the second weight v = a x + b y + c, the same of the third weight w, then d, e, f of the
        depth d + e v + f w; (F,) twice the signed area.
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
