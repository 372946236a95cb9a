"""Contact sheets: many crops with their points in one picture, for looking at labels, fits and augmentation."""

from collections.abc import Sequence

import cv2
import numpy as np

from rdrface.datasets.records import OCCLUDED, SELF_OCCLUDED, UNKNOWN, VISIBLE

STATE_COLORS = {UNKNOWN: (255, 220, 0), VISIBLE: (0, 230, 60), OCCLUDED: (255, 60, 60), SELF_OCCLUDED: (60, 140, 255)}
"""RGB of a point by its state: yellow unknown, green visible, red occluded, blue self-occluded."""


def contact_sheet(
    crops: np.ndarray,
    points: np.ndarray | None = None,
    states: np.ndarray | None = None,
    titles: Sequence[str] | None = None,
    columns: int = 8,
    cell: int = 192,
    numbers: bool = False,
) -> np.ndarray:
    """Crops side by side, with points drawn.

    Args:
        crops: (B, H, W, 3) uint8, or (B, 3, N, N) float32 0..255.
        points: (B, P, 2) crop frame (-1..1 are the crop's edges); NaN is not drawn.
        states: (B, P) colors by `STATE_COLORS`; without it points 0-16 are yellow, the others green.
        titles: B short texts, drawn in the cell's corner.
        columns: cells per row.
        cell: side of a cell in pixels; crops are enlarged or shrunk to it.
        numbers: write each point's index beside it.

    Returns:
        (rows * cell, columns * cell, 3) uint8 RGB; unused cells are gray.

    Raises:
        ValueError: no crops, or numbers of crops, points, states and titles that differ.
    """
    pictures = _to_pictures(np.asarray(crops))
    for name, value in (("points", points), ("states", states), ("titles", titles)):
        if value is not None and len(value) != len(pictures):
            raise ValueError(f"{len(pictures)} crops, but {len(value)} {name}")
    columns = min(columns, len(pictures))
    rows = -(-len(pictures) // columns)
    sheet = np.full((rows * cell, columns * cell, 3), 128, np.uint8)
    for i, picture in enumerate(pictures):
        way = cv2.INTER_AREA if picture.shape[0] > cell else cv2.INTER_LINEAR
        tile = cv2.resize(np.ascontiguousarray(picture), (cell, cell), interpolation=way)
        if points is not None:
            _draw_points(tile, points[i], None if states is None else states[i], numbers)
        if titles is not None:
            cv2.putText(tile, titles[i], (3, 12), cv2.FONT_HERSHEY_SIMPLEX, 0.4, (0, 0, 0), 3, cv2.LINE_AA)
            cv2.putText(tile, titles[i], (3, 12), cv2.FONT_HERSHEY_SIMPLEX, 0.4, (255, 255, 255), 1, cv2.LINE_AA)
        row, column = divmod(i, columns)
        sheet[row * cell : (row + 1) * cell, column * cell : (column + 1) * cell] = tile
    return sheet


def _to_pictures(crops: np.ndarray) -> np.ndarray:
    if crops.ndim != 4 or len(crops) == 0 or (crops.shape[1] != 3 and crops.shape[3] != 3):
        raise ValueError(f"crops must be (B, H, W, 3) uint8 or (B, 3, N, N) float32 with B > 0, got {crops.shape}")
    if crops.shape[3] != 3:
        crops = crops.transpose(0, 2, 3, 1)
    return crops if crops.dtype == np.uint8 else np.rint(crops).clip(0, 255).astype(np.uint8)


def _draw_points(tile: np.ndarray, points: np.ndarray, states: np.ndarray | None, numbers: bool) -> None:
    # Drawn in 1/16 pixels (shift=4), so that errors of half a pixel can be seen.
    cell = tile.shape[0]
    pixels = ((points + 1) * cell - 1) / 2
    for j, (x, y) in enumerate(pixels):
        if not (np.isfinite(x) and np.isfinite(y) and abs(x) < 4 * cell and abs(y) < 4 * cell):
            continue
        if states is not None:
            color = STATE_COLORS[int(states[j])]
        else:
            color = STATE_COLORS[UNKNOWN] if j < 17 else STATE_COLORS[VISIBLE]
        place = (round(float(x) * 16), round(float(y) * 16))
        cv2.circle(tile, place, 24, color, -1, cv2.LINE_AA, shift=4)
        if numbers:
            cv2.putText(tile, str(j), (round(float(x)) + 3, round(float(y))), cv2.FONT_HERSHEY_SIMPLEX, 0.3, color, 1)
