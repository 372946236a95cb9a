"""The web page on a desktop and on a phone, composed from the pictures of tools/draw_page.py."""

from pathlib import Path

import numpy as np
from PIL import Image

from gallery.photo import Photo
from gallery.sheet import Tile, framed

_IMAGES = Path(__file__).parents[2] / "docs" / "images"
_SCREENS = {"page_desktop.jpg": "desktop", "page_phone.jpg": "phone"}


def page(photo: Photo, width: int) -> Image.Image:
    """Both screens at the same height, side by side."""
    return framed([Tile(np.asarray(Image.open(_IMAGES / name)), title) for name, title in _SCREENS.items()], width)
