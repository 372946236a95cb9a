"""The textured 3D face from several sides, and with each of the 46 expressions."""

import numpy as np
from PIL import Image

from draw_scene import view
from gallery.photo import Photo
from gallery.sheet import TILE, Tile, sheet, tile_width
from rdrface.scene import FaceShape, face_texture

_YAWS = (-80, -40, 0, 40, 80)
_STATES = {"jawOpen": ("jawOpen",), "smile": ("eyeBlinkLeft", "eyeBlinkRight", "mouthSmileLeft", "mouthSmileRight")}
_COLUMNS = 6
_TEXT = 18
_SHOWN = (0.68, 0.97)
"""Width and height of the part of a view that a tile shows, shares of its side."""


def sides(photo: Photo, width: int) -> Image.Image:
    """The 3D face with the expression of the photo, an open mouth, and a smile with closed eyes, from several sides."""
    shape, texture = FaceShape.of(photo.face), face_texture(photo.face, photo.image)
    rows = {"as in the photo": photo.face.parameters.expression}
    for title, moved in _STATES.items():
        rows[title] = np.array([0.8 * (name in moved) for name in shape.names], np.float32)
    side = tile_width(len(_YAWS), width)
    return sheet(
        [
            [
                Tile(view(shape, texture, state, yaw, side, TILE), f"{title}, {yaw}°" if yaw == 0 else f"{yaw}°")
                for yaw in _YAWS
            ]
            for title, state in rows.items()
        ],
        width,
    )


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
