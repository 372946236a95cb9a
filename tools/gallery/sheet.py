"""Layout of the pictures: rows of tiles with captions on a dark card, legible on white and on black pages."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, ImageFont

CARD = (30, 36, 48)
"""RGB behind the tiles."""

TILE = (44, 52, 66)
"""RGB of the background of tiles that show an object alone."""

TITLE, NOTE = (238, 241, 246), (166, 176, 192)
"""RGB of the first and of the second line of a caption."""

WIDTH = 1200
"""Pixels. Pages show the pictures at 600 to 900 pixels, so captions have 22 pixels."""

_MARGIN, _GAP, _RADIUS, _TEXT, _LINE = 20, 14, 9, 22, 29
"""Pixels at the full width: card's margin, space between tiles, their corners, height of the font, of a line."""


@dataclass(frozen=True)
class Tile:
    """An image with its caption.

    Attributes:
        image: (H, W, 3) uint8 RGB; all tiles of a sheet have the same shape.
        title, note: lines of the caption; empty lines take space only if another tile of the row has one.
    """

    image: np.ndarray
    title: str = ""
    note: str = ""


def tile_width(columns: int, width: int = WIDTH) -> int:
    """Width of a tile of a sheet with this number of columns, pixels."""
    unit = width / WIDTH
    return int((width - 2 * _MARGIN * unit - (columns - 1) * _GAP * unit) / columns)


def sheet(rows: Sequence[Sequence[Tile]], width: int = WIDTH, text: int = _TEXT) -> Image.Image:
    """The picture of some rows of tiles, which all have the same number of tiles.

    Args:
        rows: the tiles.
        width: of the picture, pixels.
        text: height of the font at the full width, pixels.
    """
    unit = width / WIDTH
    gap, line = round(_GAP * unit), round((_LINE + text - _TEXT) * unit)
    height, side = rows[0][0].image.shape[:2]
    columns = len(rows[0])
    lines = [max(bool(tile.title) + bool(tile.note) for tile in row) for row in rows]
    left = (width - columns * side - (columns - 1) * gap) // 2
    total = sum(height + count * line + (count > 0) * gap // 2 for count in lines) + (len(rows) - 1) * gap
    page = Image.new("RGB", (width, total + 2 * round(_MARGIN * unit)), CARD)
    mask = _rounded((side, height), max(1, round(_RADIUS * unit)))
    font = ImageFont.load_default(max(6, round(text * unit)))
    draw = ImageDraw.Draw(page)
    top = round(_MARGIN * unit)
    for row, count in zip(rows, lines, strict=True):
        for column, tile in enumerate(row):
            x = left + column * (side + gap)
            page.paste(Image.fromarray(tile.image), (x, top), mask)
            middle = x + side / 2
            for number, (content, color) in enumerate(((tile.title, TITLE), (tile.note, NOTE))):
                place = (middle, top + height + gap // 2 + number * line)
                draw.text(place, content, fill=color, font=font, anchor="ma")
        top += height + count * line + (count > 0) * gap // 2 + gap
    return page


def framed(tiles: Sequence[Tile], width: int = WIDTH) -> Image.Image:
    """The picture of one row of tiles of different shapes, which are scaled to the same height."""
    unit = width / WIDTH
    space = width - round(2 * _MARGIN * unit) - (len(tiles) - 1) * round(_GAP * unit)
    height = round(space / sum(tile.image.shape[1] / tile.image.shape[0] for tile in tiles))
    font = ImageFont.load_default(max(6, round(_TEXT * unit)))
    left = top = round(_MARGIN * unit)
    page = Image.new("RGB", (width, height + 2 * top + round((_LINE + _GAP / 2) * unit)), CARD)
    for tile in tiles:
        size = (round(height * tile.image.shape[1] / tile.image.shape[0]), height)
        image = Image.fromarray(tile.image).resize(size, Image.Resampling.LANCZOS)
        page.paste(image, (left, top), _rounded(size, max(1, round(_RADIUS * unit))))
        place = (left + size[0] / 2, top + height + round(_GAP * unit) // 2)
        ImageDraw.Draw(page).text(place, tile.title, fill=TITLE, font=font, anchor="ma")
        left += size[0] + round(_GAP * unit)
    return page


def degrees(angle: float) -> str:
    """A rounded angle without a negative zero."""
    return f"{round(angle)}°"


def _rounded(size: tuple[int, int], radius: int) -> Image.Image:
    """Opacity of a rectangle with round corners."""
    large = Image.new("L", (4 * size[0], 4 * size[1]))
    ImageDraw.Draw(large).rounded_rectangle((0, 0, large.width - 1, large.height - 1), 4 * radius, fill=255)
    return large.resize(size, Image.Resampling.LANCZOS)
