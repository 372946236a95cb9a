"""The axes of the head, as a small cross beside the face."""

import numpy as np

from rdrface.drawing.landmarks import HALO
from rdrface.drawing.strokes import blend, coverage, strokes
from rdrface.drawing.text import draw_text
from rdrface.face import Face
from rdrface.geometry.boxes import bounding_boxes

AXES = {"x": (255, 104, 104), "y": (120, 226, 112), "z": (106, 168, 255)}
"""Axis -> RGB. x points to the right of the image when the face looks at the viewer, y up, z out of the face."""

_MIN_LENGTH = 13.0  # pixels
_MIN_LETTER = 8
"""Pixels: letters of a smaller font cannot be read, and are left out."""


def draw_axes(canvas: np.ndarray, face: Face, opacity: float) -> None:
    """Draw the axes at a corner of the box of `face.landmarks`, on a contiguous (H, W, 3) uint8 canvas.

    The length of an axis in the drawing is its length in the projection: an axis that points at the viewer is a dot.

    Args:
        canvas: RGB; changed in place.
        face: a face whose landmarks are finite.
        opacity: 0..1.
    """
    rotation = face.pose.rotation.astype(np.float64)
    limit = np.array(canvas.shape[1::-1], np.float64)
    box = bounding_boxes(face.landmarks[None])[0].astype(np.float64)
    outside = (box[:2] > limit).any() or (box[2:] < 0).any()
    if outside or not np.isfinite(rotation).all():
        return
    length = min(max(0.15 * face.size, _MIN_LENGTH), max(limit) / 8)
    disc = max(0.23 * length, 4.5)
    line = max(0.06 * length, 0.8)
    halo = max(0.04 * length, 0.7)
    origin = _origin(box, length + disc + halo, limit)

    def stroke(ends: np.ndarray, radius: float, color: tuple[int, int, int], alpha: float) -> None:
        blend(canvas, coverage(strokes(ends[:1], ends[1:], radius, color, alpha * opacity), canvas.shape))

    for i in np.argsort(rotation[2]):  # farthest end first
        name, color = list(AXES.items())[i]
        end = origin + rotation[:2, i] * (1, -1) * length
        shaft, head = np.stack([origin, end]), np.stack([end, end])
        stroke(shaft, line + halo, HALO, 0.5)
        stroke(shaft, line, color, 1.0)
        stroke(head, disc + halo, HALO, 0.7)
        stroke(head, disc, color, 1.0)
        letter = round(1.75 * disc)
        if letter >= _MIN_LETTER:
            draw_text(canvas, name, (end[0], end[1]), letter, HALO, opacity)


def _origin(box: np.ndarray, reach: float, limit: np.ndarray) -> np.ndarray:
    """The first place at a corner of the box that is inside the image, or else the nearest one that is."""
    gap = 0.35 * reach
    x0, y0, x1, y1 = box
    right, left = x1 + gap + reach, x0 - gap - reach
    corners = [np.array([x, y]) for y in (y1 - reach, y0 + reach) for x in (right, left)]
    inside = [np.clip(corner, reach, np.maximum(limit - reach, reach)) for corner in corners]
    moved = [float(np.abs(a - b).sum()) for a, b in zip(corners, inside, strict=True)]
    return inside[int(np.argmin(moved))]
