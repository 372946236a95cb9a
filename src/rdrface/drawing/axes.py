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
_SCALES = (1.0, 0.8, 0.64, 0.5)  # sizes that are tried until there is a free place


def draw_axes(canvas: np.ndarray, face: Face, opacity: float, boxes: np.ndarray) -> None:
    """Draw the axes beside `face.bounds`, on a contiguous (H, W, 3) uint8 canvas.

    The length of an axis in the drawing is its length in the projection: an axis that points at the viewer is a dot.
    Where space is limited, the axes are smaller. Nothing is drawn if there is no free place.

    Args:
        canvas: RGB; changed in place.
        face: a face whose landmarks are finite.
        opacity: 0..1.
        boxes: (N, 4) xyxy, image pixels, of all faces of the image. The axes cover none of them.
    """
    rotation = face.pose.rotation.astype(np.float64)
    limit = np.array(canvas.shape[1::-1], np.float64)
    box = face.bounds.astype(np.float64)
    if not np.isfinite(rotation).all():
        return
    full_length = min(max(0.15 * face.size, _MIN_LENGTH), max(limit) / 8)
    for scale in _SCALES:
        length = max(scale * full_length, min(full_length, _MIN_LENGTH))
        disc = max(0.23 * length, _MIN_DISC)
        line = max(0.06 * length, 0.8)
        halo = max(0.04 * length, 0.7)
        ends = rotation[:2].T * (1, -1) * length
        origin = _origin(box, length + disc + halo, ends, disc + halo + 1, limit, boxes)
        if origin is not None:
            break
    else:
        return

    def stroke(ends: np.ndarray, radius: float, color: tuple[int, int, int], alpha: float) -> None:
        blend(canvas, coverage(strokes(ends[:1], ends[1:], radius, color, alpha * opacity), canvas.shape))

    for i in np.argsort(rotation[2]):  # farthest end first
        name, color = list(AXES.items())[i]
        end = origin + ends[i]
        shaft, head = np.stack([origin, end]), np.stack([end, end])
        stroke(shaft, line + halo, HALO, 0.5)
        stroke(shaft, line, color, 1.0)
        stroke(head, disc + halo, HALO, 0.7)
        stroke(head, disc, color, 1.0)
        draw_text(canvas, name, (end[0], end[1]), round(1.75 * disc), HALO, opacity)


def _origin(
    box: np.ndarray, reach: float, ends: np.ndarray, margin: float, limit: np.ndarray, boxes: np.ndarray
) -> np.ndarray | None:
    """Position of the origin of the axes (2,): beside the box or at its lower corners, inside the image and on no face.

    Args:
        box: (4,) xyxy of the face, image pixels.
        reach: largest distance of a pixel of the axes from the origin, at any rotation.
        ends: (3, 2) ends of the axes relative to the origin.
        margin: free space that the origin and the ends need on each side, for discs and halos.
        limit: (2,) width and height of the image.
        boxes: (N, 4) xyxy of all faces.

    Returns:
        The position, or None if there is no free place.
    """
    x0, y0, x1, y1 = box
    gap = 1.35 * reach
    low, high = ends.min(axis=0).clip(max=0) - margin, ends.max(axis=0).clip(min=0) + margin
    if (high - low > limit - 1).any():
        return None
    places = np.array([(x, y) for y in (y1 - reach, y0 + reach, y1 + gap) for x in (x1 + gap, x0 - gap)])
    inside = places.clip(-low, limit - 1 - high)
    apart = (inside[:, None] + high <= boxes[:, :2]) | (inside[:, None] + low >= boxes[:, 2:])
    free = apart.any(axis=2).all(axis=1)
    if not free.any():
        return None
    moved = np.abs(inside - places).sum(axis=1)
    return np.asarray(inside[np.argmin(np.where(free, moved, np.inf))])
