"""Reading images, and views of them: with a black border, or a square around a box.

Recorders run in the environments of their methods, so this file needs NumPy and Pillow only.
"""

from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageOps


def read_rgb(path: str) -> np.ndarray:
    """(H, W, 3) uint8 RGB, EXIF orientation applied."""
    with Image.open(path) as image:
        return np.array(ImageOps.exif_transpose(image).convert("RGB"))


@dataclass(frozen=True)
class View:
    """An image with a border, or a part of an image, resized.

    Attributes:
        pixels: (h, w, 3) uint8 RGB.
        scale: view pixels per image pixel.
        corner: (2,) position, in image pixels, of the outer corner of the view's first pixel. The outer corner of the
            image's own first pixel is (-0.5, -0.5).
    """

    pixels: np.ndarray
    scale: float
    corner: np.ndarray

    def to_image(self, points: np.ndarray) -> np.ndarray:
        """(..., 2) view pixels -> image pixels; in both, the center of the first pixel is (0, 0)."""
        return (np.asarray(points, np.float64) + 0.5) / self.scale + self.corner

    def to_view(self, points: np.ndarray) -> np.ndarray:
        """The inverse of `to_image`."""
        return (np.asarray(points, np.float64) - self.corner) * self.scale - 0.5


def bordered(image: np.ndarray, border: float, square: bool = False, enlarge: float = 1.0) -> View:
    """The image with a black border.

    Args:
        image: (H, W, 3) uint8.
        border: width of the border on every side, as a share of the image's shorter side.
        square: widen the border so that the view is a square.
        enlarge: factor by which the bordered image is enlarged.
    """
    height, width = image.shape[:2]
    add = round(border * min(height, width))
    side = max(height, width)
    x, y = (add + (side - width) // 2, add + (side - height) // 2) if square else (add, add)
    shape = (side + 2 * add, side + 2 * add) if square else (height + 2 * add, width + 2 * add)
    pixels = np.zeros((*shape, 3), np.uint8)
    pixels[y : y + height, x : x + width] = image
    view = View(pixels, 1.0, np.array([-x, -y]) - 0.5)
    return _resized(view, enlarge)


def around(image: np.ndarray, box: list[float], times: float, side: int) -> View:
    """The square around a box; black outside the image.

    Args:
        image: (H, W, 3) uint8.
        box: xyxy image pixels.
        times: side of the square divided by the longer side of the box.
        side: side of the view in pixels.
    """
    x0, y0, x1, y1 = box
    half = max(x1 - x0, y1 - y0) * times / 2
    corner = np.floor([(x0 + x1) / 2 - half, (y0 + y1) / 2 - half]).astype(int)
    length = max(round(2 * half), 1)
    crop = Image.fromarray(image).crop((*corner.tolist(), *(corner + length).tolist()))
    return _resized(View(np.array(crop), 1.0, corner - 0.5), side / length)


def _resized(view: View, factor: float) -> View:
    height, width = view.pixels.shape[:2]
    size = (round(width * factor), round(height * factor))
    if size == (width, height):
        return view
    # Pillow's BILINEAR averages when it shrinks, which avoids aliasing. One factor serves both axes: in a view that is
    # not square, the last row or column may be off by half a view pixel.
    pixels = np.array(Image.fromarray(view.pixels).resize(size, Image.Resampling.BILINEAR))
    return View(pixels, size[0] / width, view.corner)
