"""Contact sheets: many crops with their points in one image, to inspect annotations, fits and augmentation."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from rdrface.datasets.records import OCCLUDED, SELF_OCCLUDED, UNKNOWN, VISIBLE
from rdrface.drawing.strokes import blend, coverage, strokes
from rdrface.errors import DataError
from rdrface.files import write_aside
from rdrface.geometry.rasterize import to_pixels
from rdrface.landmarks import NUM_CONTOUR

Color = tuple[int, int, int]

STATE_COLORS: dict[int, Color] = {
    UNKNOWN: (255, 220, 0),
    VISIBLE: (0, 230, 60),
    OCCLUDED: (255, 60, 60),
    SELF_OCCLUDED: (60, 140, 255),
}
"""RGB of a point by its state: yellow unknown, green visible, red occluded, blue self-occluded."""

SHEET_SUFFIXES = (".jpg", ".jpeg", ".png")
"""Suffixes of the files that `write_sheet` writes."""

_FAR = 20
"""Points farther outside than this many sides of the image are not drawn."""

_TITLE_SIZE, _NUMBER_SIZE = 12, 9
"""Font sizes, pixels."""


def contact_sheet(
    crops: np.ndarray,
    points: np.ndarray | None = None,
    states: np.ndarray | None = None,
    titles: Sequence[str] | None = None,
    columns: int = 8,
    cell: int = 192,
    numbers: bool = False,
) -> np.ndarray:
    """Place crops in a grid and draw their points.

    Args:
        crops: (B, H, W, 3) uint8, or (B, 3, N, N) float32 0..255.
        points: (B, P, 2) crop frame (crop edges at -1 and 1); NaN is not drawn.
        states: (B, P) states of the points, which select colors of `STATE_COLORS`; without them points 0-16 are yellow
            and the others green.
        titles: B short texts, drawn in the top-left corners of the cells.
        columns: cells per row.
        cell: side of a cell in pixels; crops are resized to it.
        numbers: also write the index of each point.

    Returns:
        (rows * cell, columns * cell, 3) uint8 RGB; unused cells are gray.

    Raises:
        ValueError: there are no crops, or the numbers of crops, points, states and titles differ.
    """
    images = _to_images(np.asarray(crops))
    for name, value in (("points", points), ("states", states), ("titles", titles)):
        if value is not None and len(value) != len(images):
            raise ValueError(f"{len(images)} crops, but {len(value)} {name}")
    columns = min(columns, len(images))
    rows = -(-len(images) // columns)
    sheet = np.full((rows * cell, columns * cell, 3), 128, np.uint8)
    for i, image in enumerate(images):
        tile = _resized(image, cell)
        if points is not None:
            _draw_landmarks(tile, points[i], None if states is None else states[i], numbers)
        if titles is not None:
            write_label(tile, (3, 1), titles[i], (255, 255, 255), _TITLE_SIZE, outline=(0, 0, 0))
        row, column = divmod(i, columns)
        sheet[row * cell : (row + 1) * cell, column * cell : (column + 1) * cell] = tile
    return sheet


def write_sheet(path: Path, sheet: np.ndarray) -> None:
    """Write a contact sheet.

    Args:
        path: image file, ``.jpg`` or ``.png``; an existing file is replaced once the new one is complete.
        sheet: (H, W, 3) uint8 RGB.

    Raises:
        DataError: the path has another suffix, or the file cannot be written.
    """
    if path.suffix.lower() not in SHEET_SUFFIXES:
        raise DataError(f"cannot write a contact sheet to {path}: its name must end in .jpg or .png")
    with write_aside(path) as partial:
        Image.fromarray(sheet).save(partial, quality=95)


def draw_dot(image: np.ndarray, point: np.ndarray, color: Color, radius: float = 1.5) -> None:
    """Draw a filled circle, with smooth edges; NaN and points far outside are skipped.

    Args:
        image: (H, W, 3) uint8, contiguous; changed in place.
        point: (2,) pixels.
        color: RGB.
        radius: pixels.
    """
    if _drawable(point, image):
        blend(image, coverage(strokes(point[None], point[None], radius, color), image.shape))


def draw_line(image: np.ndarray, points: np.ndarray, color: Color, closed: bool = False) -> None:
    """Draw a line through points, one pixel wide, with smooth edges; a line with NaN or a point far outside is skipped.

    Args:
        image: (H, W, 3) uint8, contiguous; changed in place.
        points: (n, 2) pixels.
        color: RGB.
        closed: also connect the last point with the first.
    """
    if all(_drawable(point, image) for point in points):
        start, end = points, np.roll(points, -1, axis=0)
        if not closed:
            start, end = start[:-1], end[:-1]
        blend(image, coverage(strokes(start, end, 0.5, color), image.shape))


def write_label(
    image: np.ndarray, corner: tuple[int, int], text: str, color: Color, size: float, outline: Color | None = None
) -> None:
    """Write text.

    Args:
        image: (H, W, 3) uint8, changed in place.
        corner: x and y of the top-left corner, pixels.
        text: characters that the font does not have become boxes.
        color: RGB.
        size: font size, pixels.
        outline: RGB of a line of one pixel around the characters.
    """
    drawn = Image.fromarray(image)
    font = ImageFont.load_default(size)
    ImageDraw.Draw(drawn).text(corner, text, color, font, stroke_width=0 if outline is None else 1, stroke_fill=outline)
    image[:] = np.asarray(drawn)


def _resized(image: np.ndarray, side: int) -> np.ndarray:
    resized = Image.fromarray(np.ascontiguousarray(image)).resize((side, side), Image.Resampling.BILINEAR)
    return np.array(resized)


def _to_images(crops: np.ndarray) -> np.ndarray:
    if crops.ndim != 4 or len(crops) == 0 or (crops.shape[1] != 3 and crops.shape[3] != 3):
        raise ValueError(f"crops must be (B, H, W, 3) uint8 or (B, 3, N, N) float32 with B > 0; got {crops.shape}")
    if crops.shape[3] != 3:
        crops = crops.transpose(0, 2, 3, 1)
    return crops if crops.dtype == np.uint8 else np.rint(crops).clip(0, 255).astype(np.uint8)


def _draw_landmarks(tile: np.ndarray, points: np.ndarray, states: np.ndarray | None, numbers: bool) -> None:
    for j, point in enumerate(to_pixels(points, tile.shape[0])):
        if not _drawable(point, tile):
            continue
        state = (UNKNOWN if j < NUM_CONTOUR else VISIBLE) if states is None else int(states[j])
        color = STATE_COLORS[state]
        draw_dot(tile, point, color)
        if numbers:
            corner = (round(float(point[0])) + 3, round(float(point[1])) - _NUMBER_SIZE)
            write_label(tile, corner, str(j), color, _NUMBER_SIZE)


def _drawable(point: np.ndarray, image: np.ndarray) -> bool:
    return bool(np.isfinite(point).all() and (np.abs(point) < _FAR * max(image.shape[:2])).all())
