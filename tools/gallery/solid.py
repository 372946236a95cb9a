"""The textured 3D face with each of the 46 expressions."""

import numpy as np
from PIL import Image

from draw_scene import view
from gallery.photo import Photo
from gallery.sheet import TILE, Tile, sheet, tile_width
from rdrface.scene import FaceShape, face_texture

_COLUMNS = 6
_TEXT = 17
_SHOWN = (0.68, 0.97)
"""Width and height of the part of a view that a tile shows, shares of its side."""


def expressions(photo: Photo, width: int) -> Image.Image:
    """The neutral face, each of the 46 expressions at its full strength, and the expression of the photo."""
    shape, texture = FaceShape.of(photo.face), face_texture(photo.face, photo.image)
    states = {"neutral": np.zeros(len(shape.names), np.float32)}
    states |= dict(zip(shape.names, np.eye(len(shape.names), dtype=np.float32), strict=True))
    states["the photo's"] = photo.face.parameters.expression
    tiles = [Tile(_tile(shape, texture, state, tile_width(_COLUMNS, width)), name) for name, state in states.items()]
    return sheet([tiles[i : i + _COLUMNS] for i in range(0, len(tiles), _COLUMNS)], width, text=_TEXT)


def _tile(shape: FaceShape, texture: np.ndarray, expression: np.ndarray, width: int) -> np.ndarray:
    side = round(width / _SHOWN[0])
    left = (side - width) // 2
    drawn = view(shape, texture, expression, 0, side, TILE)[: round(_SHOWN[1] * side), left : left + width]
    return np.ascontiguousarray(drawn)
