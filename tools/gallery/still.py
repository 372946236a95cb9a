"""Pictures of the photo as it is, partly covered, and degraded."""

from collections.abc import Callable

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

import rdrface
from gallery.circles import draw_uncertainty
from gallery.photo import Photo
from gallery.sheet import Tile, sheet, tile_width
from rdrface.face import Face

Change = Callable[[Image.Image], Image.Image]

_GRAY = (112, 110, 108)
_FACE = 1 / 1.9
"""Share of a close-up's side that the face takes."""


def landmarks(photo: Photo, width: int) -> Image.Image:
    """The photo, its landmarks, and its 3D face."""
    side = tile_width(3, width)
    image, face = photo.close_up(side)
    whole = np.asarray(Image.fromarray(photo.image).resize((side, side), Image.Resampling.LANCZOS))
    small = photo.aligner.detect(whole)
    row = [
        Tile(rdrface.draw(whole, small), "a face, found in a photo"),
        Tile(rdrface.draw(image, [face]), "68 landmarks"),
        Tile(rdrface.draw(image, [face], landmarks=False, mesh=True, axes=True), "3D face and axes of the head"),
    ]
    return sheet([row], width)


def hidden(photo: Photo, width: int) -> Image.Image:
    """Parts of the face covered by gray shapes: hidden points above, expected errors below."""
    changes: dict[str, Change] = {
        "nothing covered": lambda image: image,
        "eyes covered": lambda image: _bar(image, (0.16, 0.33, 0.84, 0.33), 0.12),
        "mouth covered": lambda image: _bar(image, (0.3, 0.66, 0.72, 0.58), 0.26),
        "half covered": lambda image: _bar(image, (0.76, 0.0, 0.76, 1.0), 0.5),
    }
    return _compared(photo, width, changes)


def degraded(photo: Photo, width: int) -> Image.Image:
    """Less and less detail: fewer pixels in the first row, blur in the second one."""
    side = tile_width(5, width)
    image, face = photo.close_up(side)
    sizes, blurs = (100, 40, 20, 12, 8), (0.0, 0.01, 0.025, 0.045, 0.07)
    rows = [
        [_measured(photo, image, face, f"{pixels} pixels", reduced(pixels)) for pixels in sizes],
        [
            _measured(photo, image, face, f"blur {100 * share:g} %" if share else "sharp", blurred(share))
            for share in blurs
        ],
    ]
    return sheet(rows, width)


def _compared(photo: Photo, width: int, changes: dict[str, Change]) -> Image.Image:
    """A column for each change: the landmarks, and below them their expected errors."""
    image, face = photo.close_up(tile_width(len(changes), width))
    above, below = [], []
    for title, change in changes.items():
        changed = np.asarray(change(Image.fromarray(image)))
        (found,) = photo.aligner.align(changed, face.box[None])
        number = int((found.visibility <= 0.5).sum())
        above.append(Tile(rdrface.draw(changed, [found]), title, f"{number} of 68 points hidden"))
        note = f"expected error {found.expected_error:.1f} %"
        below.append(Tile(draw_uncertainty(changed, found), note))
    return sheet([above, below], width)


def _measured(photo: Photo, image: np.ndarray, original: Face, title: str, change: Change) -> Tile:
    """The changed image with the expected errors, and how far the landmarks are from those of the original."""
    changed = np.asarray(change(Image.fromarray(image)))
    (face,) = photo.aligner.align(changed, original.box[None])
    moved = 100 * np.linalg.norm(face.landmarks - original.landmarks, axis=1).mean() / original.size
    return Tile(draw_uncertainty(changed, face), title, f"{face.expected_error:.1f} % (observed {moved:.1f})")


def reduced(pixels: int) -> Change:
    """Reduction to the resolution of a face of this size, enlarged again."""

    def change(image: Image.Image) -> Image.Image:
        size = max(4, round(pixels / _FACE))
        small = image.resize((size, size), Image.Resampling.BOX)
        return small.resize(image.size, Image.Resampling.BICUBIC)

    return change


def blurred(share: float) -> Change:
    """Gaussian blur; its standard deviation is this share of the face size."""
    return lambda image: image.filter(ImageFilter.GaussianBlur(share * _FACE * image.width))


def _bar(image: Image.Image, line: tuple[float, float, float, float], thickness: float) -> Image.Image:
    """A gray line with round ends in front of the image, from x0, y0 to x1, y1; lengths are shares of its side."""
    side, smooth = image.width, 3
    mask = Image.new("L", (smooth * side, smooth * side))
    draw = ImageDraw.Draw(mask)
    radius = thickness * side * smooth / 2
    x0, y0, x1, y1 = (value * side * smooth for value in line)
    draw.line((x0, y0, x1, y1), fill=255, width=round(2 * radius))
    for x, y in ((x0, y0), (x1, y1)):
        draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=255)
    covered = image.copy()
    covered.paste(_GRAY, mask=mask.resize(image.size, Image.Resampling.LANCZOS))
    return covered
