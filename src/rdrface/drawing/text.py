"""Short labels, with the font that is part of Pillow."""

from functools import lru_cache

import numpy as np
from PIL import Image, ImageDraw, ImageFont

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont


@lru_cache(maxsize=32)
def _font(height: int) -> Font:
    return ImageFont.load_default(height)


def text_size(text: str, height: int) -> tuple[float, float]:
    """Width and height of the ink in pixels."""
    x0, y0, x1, y1 = _font(height).getbbox(text)
    return x1 - x0, y1 - y0


def draw_text(
    canvas: np.ndarray, text: str, center: tuple[float, float], height: int, color: tuple[int, int, int], opacity: float
) -> None:
    """Draw a line of text on a (H, W, 3) uint8 canvas; parts outside are cut off.

    Args:
        canvas: RGB; changed in place.
        text: the text.
        center: of the ink, image pixels.
        height: size of the font, pixels.
        color: RGB.
        opacity: 0..1.
    """
    x0, y0, x1, y1 = _font(height).getbbox(text)
    width, depth = int(np.ceil(x1 - x0)) + 2, int(np.ceil(y1 - y0)) + 2
    left, top = round(center[0] - (width - 1) / 2), round(center[1] - (depth - 1) / 2)
    mask = Image.new("L", (width, depth))
    ImageDraw.Draw(mask).text((1 - x0, 1 - y0), text, fill=255, font=_font(height))
    low = np.clip([left, top], 0, canvas.shape[1::-1])
    high = np.clip([left + width, top + depth], 0, canvas.shape[1::-1])
    ink = np.asarray(mask, np.float32)[low[1] - top : high[1] - top, low[0] - left : high[0] - left, None]
    part = canvas[low[1] : high[1], low[0] : high[0]]
    part[:] = np.rint(part + (np.array(color, np.float32) - part) * (ink * np.float32(opacity / 255))).astype(np.uint8)
