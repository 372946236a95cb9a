"""Lines with round ends, discs and rings, antialiased, in NumPy.

The coverage of a pixel is a function of its distance to the center line, so positions and widths need not be integers
and no supersampling is needed. Time and memory are proportional to the pixels that are drawn, not to the image.
"""

from dataclasses import dataclass

import numpy as np

_PIECE = 24.0
"""Maximum length of a segment in pixels: the bounding box of a long oblique segment is mostly empty."""

_FILLED = -1.0
"""`Strokes.hole` of lines and discs."""


@dataclass(frozen=True)
class Strokes:
    """N line segments with round ends. A segment of length 0 is a disc, or a ring if it has a hole.

    Attributes:
        start, end: (N, 2) float64 image pixels.
        radius: (N,) float64, half the width, pixels.
        hole: (N,) float64, pixels; positions nearer to the center line are not covered; negative: no hole.
        color: (N, 3) RGB, 0..255.
        opacity: (N,) 0..1.
    """

    start: np.ndarray
    end: np.ndarray
    radius: np.ndarray
    hole: np.ndarray
    color: np.ndarray
    opacity: np.ndarray

    def __len__(self) -> int:
        return len(self.start)

    def select(self, index: np.ndarray) -> "Strokes":
        """The strokes at `index`, integers or a mask."""
        return Strokes(*(getattr(self, name)[index] for name in ("start", "end", "radius", "hole", "color", "opacity")))


@dataclass(frozen=True)
class Coverage:
    """The pixels that strokes cover.

    Attributes:
        pixel: (K,) int64, ascending indices into the rows of the image, one after the other.
        alpha: (K,) float32, 0..1.
        color: (K, 3) float32 RGB, 0..255.
    """

    pixel: np.ndarray
    alpha: np.ndarray
    color: np.ndarray

    def without(self, other: "Coverage") -> "Coverage":
        """This coverage minus that of other strokes."""
        if not len(other.pixel):
            return self
        at = np.searchsorted(other.pixel, self.pixel).clip(0, len(other.pixel) - 1)
        removed = np.where(other.pixel[at] == self.pixel, other.alpha[at], 0)
        return Coverage(self.pixel, self.alpha * (1 - removed), self.color)


def strokes(
    start: np.ndarray,
    end: np.ndarray,
    radius: float | np.ndarray,
    color: np.ndarray | tuple[int, int, int],
    opacity: float | np.ndarray = 1.0,
    hole: float | np.ndarray = _FILLED,
) -> Strokes:
    """Strokes from (N, 2) positions and values that are broadcast to N; for the units see `Strokes`."""
    count = len(start)
    return Strokes(
        np.asarray(start, np.float64),
        np.asarray(end, np.float64),
        np.broadcast_to(np.asarray(radius, np.float64), count),
        np.broadcast_to(np.asarray(hole, np.float64), count),
        np.broadcast_to(np.asarray(color, np.float32), (count, 3)),
        np.broadcast_to(np.asarray(opacity, np.float32), count),
    )


def coverage(drawn: Strokes, shape: tuple[int, ...]) -> Coverage:
    """Rasterize strokes; where several cover a pixel, the one with the highest alpha counts.

    Args:
        drawn: strokes; parts outside the image are ignored.
        shape: height and width of the image, pixels.
    """
    height, width = shape[:2]
    drawn = _split(_clipped(drawn, width, height))
    reach = drawn.radius[:, None] + 0.5
    limit = np.array([width, height])
    low = np.ceil(np.minimum(drawn.start, drawn.end) - reach).clip(0, limit).astype(np.int64)
    high = np.floor(np.maximum(drawn.start, drawn.end) + reach).clip(-1, limit - 1).astype(np.int64)
    extent = high - low + 1
    kept = (extent > 0).all(axis=1)
    drawn, low, high, extent = drawn.select(kept), low[kept], high[kept], extent[kept]
    if not len(drawn):
        return Coverage(np.zeros(0, np.int64), np.zeros(0, np.float32), np.zeros((0, 3), np.float32))

    count = extent.prod(axis=1)
    owner = np.repeat(np.arange(len(drawn)), count)
    within = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
    row, column = np.divmod(within, extent[owner, 0])
    # Positions relative to the start of the segment are small, so float32 is exact enough.
    offset = (low - drawn.start).astype(np.float32)
    x = column.astype(np.float32) + offset[owner, 0]
    y = row.astype(np.float32) + offset[owner, 1]
    alpha = _alpha(drawn, owner, x, y)

    corner = low.min(axis=0)
    region = high.max(axis=0) - corner + 1
    at = (low[owner, 1] - corner[1] + row) * region[0] + low[owner, 0] - corner[0] + column
    touched = np.flatnonzero(alpha > 0)
    at, alpha, owner = at[touched], alpha[touched], owner[touched]
    strongest = np.zeros(region.prod(), np.float32)
    np.maximum.at(strongest, at, alpha)
    # The stroke and not its color: one number per pixel of the region instead of three.
    winner = np.zeros(len(strongest), np.int32)
    front = alpha == strongest[at]
    winner[at[front]] = owner[front]
    covered = np.flatnonzero(strongest > 0)
    region_row, region_column = np.divmod(covered, region[0])
    pixel = (corner[1] + region_row) * width + corner[0] + region_column
    return Coverage(pixel, strongest[covered], drawn.color[winner[covered]])


def blend(canvas: np.ndarray, covered: Coverage) -> None:
    """Blend a coverage into a contiguous (H, W, 3) uint8 canvas."""
    flat = canvas.reshape(-1, 3)
    before = flat[covered.pixel]
    flat[covered.pixel] = np.rint(before + (covered.color - before) * covered.alpha[:, None]).astype(np.uint8)


def _alpha(drawn: Strokes, owner: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """(K,) alpha of positions relative to the start of the segment `owner`."""
    along = (drawn.end - drawn.start).astype(np.float32)
    step = along / np.maximum((along * along).sum(axis=1, keepdims=True), 1e-12)
    share = (x * step[owner, 0] + y * step[owner, 1]).clip(0, 1)
    distance = np.hypot(x - share * along[owner, 0], y - share * along[owner, 1])
    inside = (drawn.radius.astype(np.float32)[owner] - distance + np.float32(0.5)).clip(0, 1)
    outside_hole = (distance - drawn.hole.astype(np.float32)[owner] + np.float32(0.5)).clip(0, 1)
    alpha: np.ndarray = inside * outside_hole * drawn.opacity[owner]
    return alpha


def _clipped(drawn: Strokes, width: int, height: int) -> Strokes:
    """Shorten segments that leave the image (Liang-Barsky). The round end stays outside of it."""
    along = drawn.end - drawn.start
    margin = drawn.radius[:, None] + 2
    with np.errstate(divide="ignore", invalid="ignore"):
        first = (-margin - drawn.start) / along
        last = (np.array([width, height]) + margin - drawn.start) / along
    first, last = np.minimum(first, last), np.maximum(first, last)
    parallel = along == 0
    enters = np.where(parallel, 0, first).max(axis=1).clip(0, 1)[:, None]
    leaves = np.where(parallel, 1, last).min(axis=1).clip(0, 1)[:, None]
    clipped = Strokes(
        drawn.start + enters * along,
        drawn.start + leaves * along,
        drawn.radius,
        drawn.hole,
        drawn.color,
        drawn.opacity,
    )
    return clipped.select((enters <= leaves)[:, 0])


def _split(drawn: Strokes) -> Strokes:
    """Divide segments into pieces of equal length, at most `_PIECE` or the width of the line."""
    along = drawn.end - drawn.start
    longest = np.maximum(_PIECE, 2 * drawn.radius)
    count = np.maximum(np.ceil(np.linalg.norm(along, axis=1) / longest), 1).astype(int)
    owner = np.repeat(np.arange(len(drawn)), count)
    number = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
    step = along[owner] / count[owner, None]
    start = drawn.start[owner] + number[:, None] * step
    pieces = drawn.select(owner)
    return Strokes(start, start + step, pieces.radius, pieces.hole, pieces.color, pieces.opacity)
