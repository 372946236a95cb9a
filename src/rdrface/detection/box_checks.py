"""Checks of the boxes that users pass: their shape, their unit, and whether they belong to the image."""

import numpy as np
import numpy.typing as npt

from rdrface.errors import BoxError

MAX_COORDINATE = 1e6
"""Pixels: coordinates of boxes must be smaller than this."""

MIN_SIDE = 0.5
"""Pixels: sides of boxes must be larger than this."""

_NORMALIZED = 1.5
"""Boxes with all coordinates below this are in units of the image's size. Faces at the border may exceed 1."""

_MAX_ASPECT = 4.0
"""Longer side / shorter side of a box; 1.6 at most in the annotations of MERL-RAV, 300-W and 300W-LP. With more, the
numbers are probably not x0, y0, x1, y1."""

_MIN_INSIDE = 0.1
"""Part of a box's area that must be inside the image; 0.63 at least in the annotations of MERL-RAV."""

_XYWH = "if they are x, y, width and height, pass x, y, x + width, y + height"


def check_boxes(boxes: npt.ArrayLike) -> np.ndarray:
    """Convert boxes to (n, 4) float64.

    Raises:
        BoxError: the boxes have the wrong shape, are not finite, have no area, or are in units of the image's size
            instead of pixels.
    """
    try:
        given = np.asarray(boxes)
    except ValueError as error:
        raise BoxError(
            "boxes must have shape (n, 4), xyxy in image pixels; got rows of different lengths, or other objects"
        ) from error
    if given.shape in ((0,), (0, 4)):
        return np.empty((0, 4))
    if given.dtype.kind not in "fiu":
        raise BoxError(f"boxes must be numbers, (n, 4) xyxy in image pixels; got dtype {given.dtype}")
    checked = given.astype(np.float64)
    if checked.shape == (4,):
        raise BoxError("boxes must have shape (n, 4), one row per face; got a single box: put it in a list")
    if checked.ndim != 2 or checked.shape[1] != 4:
        raise BoxError(f"boxes must have shape (n, 4), xyxy in image pixels; got {checked.shape}")
    normalized = (np.abs(checked) <= _NORMALIZED).all(axis=1)
    if normalized.any():
        raise BoxError(
            f"boxes must be in image pixels; got {_text(checked[normalized][0])}: if these are fractions of the "
            "image's size, multiply them by its width and height"
        )
    # Faces store boxes in float32, which has no digits left for the area of a box this far away or this small.
    usable = (np.abs(checked) < MAX_COORDINATE).all(axis=1)
    usable &= (checked[:, 2:] - checked[:, :2] > MIN_SIDE).all(axis=1)
    if not usable.all():
        raise BoxError(
            f"boxes must be finite with x1 > x0 and y1 > y0 (xyxy order, image pixels); got "
            f"{_text(checked[~usable][0])}: {_XYWH}"
        )
    return checked


def check_boxes_in_image(boxes: np.ndarray, width: int, height: int) -> None:
    """Check that boxes can be those of faces in an image of this size.

    Args:
        boxes: (n, 4) xyxy image pixels, from `check_boxes`.
        width: width of the image, pixels.
        height: height of the image, pixels.

    Raises:
        BoxError: less than a tenth of a box is inside the image, or a box is more than four times as long as wide.
    """
    sides = boxes[:, 2:] - boxes[:, :2]
    # Pixel centers have integer coordinates, so the image reaches from -0.5 to the number of pixels - 0.5.
    limit = np.array([width, height]) - 0.5
    inside = np.clip(boxes[:, 2:], -0.5, limit) - np.clip(boxes[:, :2], -0.5, limit)
    outside = inside.prod(axis=1) < _MIN_INSIDE * sides.prod(axis=1)
    if outside.any():
        raise BoxError(
            f"the box {_text(boxes[outside][0])} is outside the image of {width} x {height} pixels; boxes must be x0, "
            "y0, x1, y1 in pixels of this image after its EXIF rotation"
        )
    narrow = sides.max(axis=1) > _MAX_ASPECT * sides.min(axis=1)
    if narrow.any():
        raise BoxError(
            f"the box {_text(boxes[narrow][0])} is more than {_MAX_ASPECT:.0f} times as long as wide, so it is not the "
            f"box of a face (x0, y0, x1, y1): {_XYWH}"
        )


def _text(box: np.ndarray) -> str:
    return f"[{', '.join(f'{value:g}' for value in box.tolist())}]"
