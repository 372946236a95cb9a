"""Drawing of the expected error: a circle around each landmark, as large as the error that the network expects."""

import numpy as np
from PIL import Image, ImageDraw

from rdrface.face import Face

_SMOOTH = 3
"""The circles are drawn at this size and reduced."""

_LOW, _HIGH = 1.5, 7.0
"""Percent of the face size that have the first and the last color."""

_COLORS = np.array([(94, 222, 154), (255, 214, 92), (255, 92, 92)], float)


def draw_uncertainty(image: np.ndarray, face: Face) -> np.ndarray:
    """The image (H, W, 3) uint8 with a circle of the radius of the expected error around each landmark."""
    height, width = image.shape[:2]
    layer = Image.new("RGBA", (_SMOOTH * width, _SMOOTH * height))
    for (x, y), percent in zip(face.landmarks + 0.5, face.uncertainty, strict=True):
        color = tuple(color_of(percent))
        single = Image.new("RGBA", layer.size)
        draw = ImageDraw.Draw(single)
        radius = max(percent / 100 * face.size, 1.0)
        draw.ellipse(_around(x, y, radius), fill=(*color, 80), outline=(*color, 235), width=_SMOOTH)
        draw.ellipse(_around(x, y, 1.0), fill=(*color, 255))
        layer = Image.alpha_composite(layer, single)
    small = layer.resize((width, height), Image.Resampling.BOX)
    return np.asarray(Image.alpha_composite(Image.fromarray(image).convert("RGBA"), small).convert("RGB"))


def color_of(percent: float) -> list[int]:
    """RGB of an expected error: green, yellow, red."""
    at = np.clip((percent - _LOW) / (_HIGH - _LOW), 0, 1) * (len(_COLORS) - 1)
    return [round(float(np.interp(at, range(len(_COLORS)), channel))) for channel in _COLORS.T]


def _around(x: float, y: float, radius: float) -> tuple[float, float, float, float]:
    return tuple(_SMOOTH * value for value in (x - radius, y - radius, x + radius, y + radius))
