"""Colors of surface points in an image, and whether the surface is visible there."""

from dataclasses import dataclass

import numpy as np
from PIL import Image

from rdrface.geometry.mesh import triangle_normals
from rdrface.geometry.rasterize import rasterize

_BUFFER_SIDE = 640
"""Longer side of the z-buffer, pixels: about half a mm per pixel."""


@dataclass(frozen=True)
class PhotoColors:
    """An image, reduced to about the resolution of the texture, and the depth of the head in it.

    Attributes:
        image: (h, w, 3) float32 RGB.
        scale: pixels of the reduced image per pixel of the image.
        size: width and height of the image, pixels.
        depth: (rows, columns) float32, depth of the surface in image pixels, the nearest within the margin; -inf
            where there is none.
        nearest: the same without the margin.
        low: (2,) position of the first pixel of the depth in the image.
        step: pixels of the image per pixel of the depth.
        millimeter: image pixels per mm.
    """

    image: np.ndarray
    scale: float
    size: tuple[int, int]
    depth: np.ndarray
    nearest: np.ndarray
    low: np.ndarray
    step: float
    millimeter: float

    @classmethod
    def of(
        cls,
        image: np.ndarray,
        vertices: np.ndarray,
        triangles: np.ndarray,
        millimeter: float,
        density: float,
        margin: float,
    ) -> "PhotoColors":
        """Prepare an image.

        Args:
            image: (H, W, 3) uint8 RGB.
            vertices: (V, 3) image pixels, z towards the viewer.
            triangles: (F, 3) int.
            millimeter: image pixels per mm.
            density: pixels of the texture per mm.
            margin: image pixels around surfaces that hide others, and inside the outline of the head, where the image
                is not used.
        """
        height, width = image.shape[:2]
        scale = min(1.0, 1.5 * density / millimeter)
        reduced = Image.fromarray(image)
        if scale < 0.9:
            target = max(1, round(scale * width)), max(1, round(scale * height))
            reduced = reduced.resize(target, Image.Resampling.BOX, reducing_gap=None)
        low, high = vertices[:, :2].min(axis=0), vertices[:, :2].max(axis=0)
        step = float((high - low).max() / (_BUFFER_SIDE - 8))
        corners = vertices[triangles].astype(np.float64)
        corners = corners[triangle_normals(corners)[:, 2] < 0]
        corners[..., :2] = (corners[..., :2] - low) / step + 4
        columns, rows = (int(extent) + 9 for extent in (high - low) / step)
        depth = rasterize(corners, (columns, rows)).depth.reshape(rows, columns)
        return cls(
            image=np.asarray(reduced, np.float32),
            scale=reduced.width / width,
            size=(width, height),
            # A margin as wide as the head hides all of it.
            depth=_with_margin(depth, max(1, round(min(margin / step, _BUFFER_SIDE)))),
            nearest=depth,
            low=low - 4 * step,
            step=step,
            millimeter=millimeter,
        )

    def sample(self, points: np.ndarray, behind: np.ndarray, has_margin: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Colors at surface points.

        Args:
            points: (K, 3) image pixels, z towards the viewer.
            behind: (K,) mm behind the visible surface at which a point is hidden.
            has_margin: (K,) bool, points that are also hidden within the margin of the outline and of other surfaces.

        Returns:
            (K, 3) float32 RGB; (K,) bool, whether the surface is visible there and inside the image.
        """
        width, height = self.size
        is_inside = ((points[:, :2] >= 0) & (points[:, :2] <= [width - 1, height - 1])).all(axis=1)
        column, row = np.rint((points[:, :2] - self.low) / self.step).astype(int).T
        rows, columns = self.depth.shape
        at = row.clip(0, rows - 1), column.clip(0, columns - 1)
        nearest = np.where(has_margin, self.depth[at], self.nearest[at])
        is_shown = is_inside & (points[:, 2] > nearest - behind * self.millimeter) & np.isfinite(nearest)
        return self._bilinear(points[:, :2]), is_shown

    def _bilinear(self, points: np.ndarray) -> np.ndarray:
        height, width = self.image.shape[:2]
        at = (points + 0.5) * self.scale - 0.5
        x, y = at[:, 0].clip(0, width - 1), at[:, 1].clip(0, height - 1)
        column, row = np.minimum(x.astype(int), max(width - 2, 0)), np.minimum(y.astype(int), max(height - 2, 0))
        right, below = np.minimum(column + 1, width - 1), np.minimum(row + 1, height - 1)
        share_x, share_y = (x - column)[:, None], (y - row)[:, None]
        top = self.image[row, column] * (1 - share_x) + self.image[row, right] * share_x
        bottom = self.image[below, column] * (1 - share_x) + self.image[below, right] * share_x
        mixed: np.ndarray = top * (1 - share_y) + bottom * share_y
        return mixed.astype(np.float32)


def _with_margin(depth: np.ndarray, margin: int) -> np.ndarray:
    """The nearest depth within `margin` pixels; +inf within the margin of the outline, where nothing is visible."""
    outlined = np.where(np.isfinite(depth), depth, np.inf)
    for axis in (0, 1):
        padded = np.pad(outlined, [(margin, margin) if i == axis else (0, 0) for i in (0, 1)], mode="edge")
        windows = np.lib.stride_tricks.sliding_window_view(padded, 2 * margin + 1, axis=axis)
        outlined = windows.max(axis=-1)
    return outlined
