"""The axes of the head, as three lines beside the face that end in discs with the letters x, y and z."""

import numpy as np

from rdrface.drawing.landmarks import HALO
from rdrface.drawing.strokes import blend, coverage, strokes
from rdrface.drawing.text import draw_text
from rdrface.face import Face

AXES = {"x": (255, 104, 104), "y": (120, 226, 112), "z": (106, 168, 255)}
"""Axis -> RGB. x points to the right of the image when the face looks at the viewer, y up, z out of the face."""

_MIN_LENGTH = 13.0  # pixels
_MIN_DISC = 4.5  # pixels; smaller letters than in such a disc cannot be read


def draw_axes(canvas: np.ndarray, face: Face, opacity: float, boxes: np.ndarray) -> None:
    """Draw the axes beside `face.bounds`, on a contiguous (H, W, 3) uint8 canvas.

    The length of an axis in the drawing is its length in the projection: an axis that points at the viewer is a dot.

    Args:
        canvas: RGB; changed in place.
        face: a face whose landmarks are finite.
        opacity: 0..1.
        boxes: (N, 4) xyxy, image pixels, of faces that the axes should not cover.
    """
    rotation = face.pose.rotation.astype(np.float64)
    limit = np.array(canvas.shape[1::-1], np.float64)
    box = face.bounds.astype(np.float64)
    if not np.isfinite(rotation).all():
        return
    length = min(max(0.15 * face.size, _MIN_LENGTH), max(limit) / 8)
    disc = max(0.23 * length, _MIN_DISC)
    line = max(0.06 * length, 0.8)
    halo = max(0.04 * length, 0.7)
    origin = _origin(box, length + disc + halo, limit, boxes)

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
        draw_text(canvas, name, (end[0], end[1]), round(1.75 * disc), HALO, opacity)


def _origin(box: np.ndarray, reach: float, limit: np.ndarray, boxes: np.ndarray) -> np.ndarray:
    """The best of several places beside the box and at its lower corners: inside the image, and not on a face."""
    x0, y0, x1, y1 = box
    gap = 1.35 * reach
    places = np.array([(x, y) for y in (y1 - reach, y0 + reach, y1 + gap) for x in (x1 + gap, x0 - gap)])
    inside = places.clip(reach, np.maximum(limit - reach, reach))
    moved = np.abs(inside - places).sum(axis=1) / reach
    nearest = inside[:, None].clip(boxes[:, :2], boxes[:, 2:])
    covers = (np.abs(inside[:, None] - nearest).max(axis=2) < reach).sum(axis=1)
    return np.asarray(inside[np.argmin(moved + covers)])
