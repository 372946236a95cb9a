"""The number of a tracked face, above it."""

import numpy as np

from rdrface.drawing.landmarks import HALO
from rdrface.drawing.strokes import blend, coverage, strokes
from rdrface.drawing.text import draw_text, text_size
from rdrface.face import Face

_COLOR = (255, 255, 255)


def draw_number(canvas: np.ndarray, face: Face, number: int) -> None:
    """Write a number above a face, or at the edge of the image if the space above it is outside.

    Args:
        canvas: contiguous (H, W, 3) uint8 RGB; changed in place.
        face: a face; nothing is drawn if it is outside the image.
        number: the number.
    """
    limit = np.array(canvas.shape[1::-1], np.float64)
    x0, y0, x1, _ = face.bounds.astype(np.float64)
    if not (np.isfinite(face.bounds).all() and (face.bounds[:2] <= limit).all() and (face.bounds[2:] >= 0).all()):
        return
    height = round(min(max(0.09 * face.size, 12), max(max(limit) / 12, 12)))
    text = str(number)
    width, ink = text_size(text, height)
    half = np.array([max(width, ink) / 2 + 0.5 * height, ink / 2 + 0.4 * height])
    at = np.array([(x0 + x1) / 2, y0 - 0.3 * face.size - half[1]])
    at = np.clip(at, half, np.maximum(limit - half, half))
    ends = at + np.array([[half[1] - half[0], 0], [half[0] - half[1], 0]])
    blend(canvas, coverage(strokes(ends[:1], ends[1:], half[1], HALO, 0.6), canvas.shape))
    draw_text(canvas, text, (at[0], at[1]), height, _COLOR, 1.0)
