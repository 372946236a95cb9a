"""A montage of many faces, of which the detector must find every one by itself."""

import numpy as np
from PIL import Image, ImageOps

import rdrface
from draw_overlay import rendered
from gallery.moving import turned_face
from gallery.photo import Photo
from gallery.sheet import Tile, sheet, tile_width
from rdrface.morphable.model import FaceModel

_WHITE, _BEHIND = 250, (214, 210, 208)
"""Level of the background of renderings, and RGB that replaces it, that of the photo's background."""

_SHOWN = 314
"""Side of the part of a rendering that is shown, pixels."""

_SEEDS = (1, 4, 7, 9, 12, 15)
"""Of the random people."""


def people(photo: Photo, width: int) -> Image.Image:
    """Faces of several sizes, poses and people in one image, with what `Aligner.detect` finds in it."""
    image = montage(photo, tile_width(1, width))
    faces = rdrface.load().detect(image)
    return sheet([[Tile(rdrface.draw(image, faces), f"{len(faces)} faces found in one image")]], width)


def montage(photo: Photo, width: int) -> np.ndarray:
    """(H, width, 3) image: four large portraits, and eight of half their size below."""
    large, model = width // 4, FaceModel.load()

    def astronaut(yaw: float = 0.0, mirrored: bool = False, rotation: float = 0.0) -> Image.Image:
        image = Image.fromarray(turned_face(photo, yaw, large)[0])
        image = ImageOps.mirror(image) if mirrored else image
        return image.rotate(rotation, Image.Resampling.BICUBIC, fillcolor=tuple(photo.image[20, 350].tolist()))

    def model_face(yaw: float, seed: int) -> Image.Image:
        return _model_face(model, yaw, seed)

    first = [astronaut(), model_face(30, 4), astronaut(50, mirrored=True), model_face(-60, 7)]
    second = [model_face(0, 1), astronaut(80), astronaut(rotation=90), model_face(75, 9)]
    second += [astronaut(25), model_face(-30, 12), astronaut(mirrored=True, rotation=-40), model_face(10, 3)]
    rows = [_row(images, size) for images, size in ((first, large), (second, large // 2))]
    return np.concatenate([row[:, : 4 * large // 8 * 8] for row in rows])


def model(photo: Photo, width: int) -> Image.Image:
    """Random people of the face model, from the front and turned."""
    face_model, side = FaceModel.load(), tile_width(len(_SEEDS), width)
    rows = [
        [
            Tile(np.asarray(_model_face(face_model, yaw, seed).resize((side, side), Image.Resampling.LANCZOS)))
            for seed in _SEEDS
        ]
        for yaw in (0.0, 50.0)
    ]
    return sheet(rows, width)


def _model_face(model: FaceModel, yaw: float, seed: int) -> Image.Image:
    """A random person with yaw in degrees, in the middle of the image."""
    pixels, face = rendered(model, abs(yaw), seed)
    pixels = np.where((pixels > _WHITE).all(axis=2, keepdims=True), _BEHIND, pixels).astype(np.uint8)
    space = len(pixels) - _SHOWN
    left = int(np.clip((face.bounds[0] + face.bounds[2] - _SHOWN) / 2, 0, space))
    image = Image.fromarray(pixels[space:, left : left + _SHOWN])
    return ImageOps.mirror(image) if yaw < 0 else image


def _row(images: list[Image.Image], side: int) -> np.ndarray:
    return np.concatenate([np.asarray(one.resize((side, side), Image.Resampling.LANCZOS)) for one in images], axis=1)
