"""The 68 landmarks as colored lines, discs for visible points and rings for hidden ones."""

from itertools import pairwise

import numpy as np

from rdrface.drawing.strokes import Strokes, blend, coverage, strokes
from rdrface.face import Face
from rdrface.landmarks import CLOSED, GROUPS

COLORS = {
    "contour": (94, 214, 255),
    "left_brow": (255, 190, 70),
    "right_brow": (255, 190, 70),
    "nose_ridge": (126, 231, 135),
    "nose_base": (126, 231, 135),
    "left_eye": (122, 162, 255),
    "right_eye": (122, 162, 255),
    "outer_lip": (255, 105, 140),
    "inner_lip": (255, 160, 190),
}
"""Group of landmarks -> RGB."""

HALO = (12, 16, 26)
"""RGB around lines and points, which separates them from bright skin."""

_HIDDEN_LINE = 0.55
"""Opacity of the line between two points of which at least one is hidden, relative to a visible line."""


def draw_landmarks(canvas: np.ndarray, face: Face, opacity: float) -> None:
    """Draw `face.landmarks` on a contiguous (H, W, 3) uint8 canvas.

    Args:
        canvas: RGB; changed in place.
        face: a face whose landmarks are finite.
        opacity: 0..1.
    """
    at = face.landmarks.astype(np.float64)
    visible = face.visibility > 0.5
    # One percent of the face's size. Lines must not vanish on tiny faces nor fill an image that the face exceeds.
    unit = min(face.size / 100, max(canvas.shape[:2]) / 30)
    line = max(0.4 * unit, 0.42)
    halo = max(0.32 * unit, 0.55)
    disc = max(1.0 * unit, 0.95)
    ring = max(1.2 * unit, 1.6)
    width_of_ring = max(0.5 * unit, 0.8)

    first, second, line_color = _lines()
    shown = opacity * np.where(visible[first] & visible[second], 1.0, _HIDDEN_LINE)
    # The groups are in the order of the landmarks.
    color = np.array([COLORS[name] for name, indices in GROUPS.items() for _ in indices], np.float32)
    holes = coverage(strokes(at[~visible], at[~visible], ring - width_of_ring / 2, HALO), canvas.shape)

    def draw_lines(radius: float, color: np.ndarray | tuple[int, int, int], opacity: np.ndarray) -> None:
        lines = strokes(at[first], at[second], radius, color, opacity)
        blend(canvas, coverage(lines, canvas.shape).without(holes))

    def markers(extra: float, color: np.ndarray | tuple[int, int, int], opacity: float) -> Strokes:
        radius = np.where(visible, disc, ring) + extra
        hole = np.where(visible, -1.0, ring - width_of_ring - extra)
        return strokes(at, at, radius, color, opacity, hole)

    draw_lines(line + halo, HALO, 0.38 * shown)
    draw_lines(line, line_color, 0.9 * shown)
    blend(canvas, coverage(markers(0.8 * halo, HALO, 0.7 * opacity), canvas.shape))
    blend(canvas, coverage(markers(0.0, color, opacity), canvas.shape))


def _lines() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(M,) landmarks at the start of each line, (M,) at its end, (M, 3) its color."""
    first, second, color = [], [], []
    for name, indices in GROUPS.items():
        chain = [*indices, indices[0]] if name in CLOSED else list(indices)
        for a, b in pairwise(chain):
            first.append(a)
            second.append(b)
            color.append(COLORS[name])
    return np.array(first), np.array(second), np.array(color, np.float32)
