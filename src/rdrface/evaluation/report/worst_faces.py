"""A contact sheet of the faces that a method places worst: what the numbers of a table look like."""

from functools import partial
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from rdrface.crop import CropFrame, cut
from rdrface.datasets.contact_sheet import contact_sheet
from rdrface.datasets.records import FaceRecords
from rdrface.errors import RdrError
from rdrface.evaluation.predictions.predictions import Predictions
from rdrface.image import read_image

FACES = 24
COLUMNS = 6
CELL = 280
"""Pixels, side of a face's picture."""

ANNOTATED, PREDICTED = (240, 228, 66), (86, 180, 233)
"""RGB: Okabe and Ito's yellow and sky blue, told apart by everyone and seen on skin of any color."""

_DARK, _LIGHT = (20, 20, 20), (245, 245, 245)
_MISSED = (213, 94, 0)
_BAND = 17
"""Pixels, height of a cell's title."""

_HEADING = 36
"""Pixels, height of the line above the faces."""

_TITLE = 34
"""Letters that fit into a cell's width."""

_SHIFT = 4
"""OpenCV takes fixed-point coordinates with this many binary digits."""


def draw_worst(
    annotations: FaceRecords,
    predictions: Predictions,
    errors: np.ndarray,
    path: Path,
    name: str,
    unit: str = "%",
    faces: int = FACES,
) -> Path | None:
    """Write the faces that were not found, then those of the largest error, as a JPEG.

    Annotated points are yellow, those of the principal output blue, a line between the two of each landmark; faces not
    found have a frame. Those take no more than half of the sheet while there are faces with an error. Photos that
    cannot be read are left out.

    Args:
        annotations: N faces; crops are cut around their boxes.
        predictions: for them, in the same order.
        errors: (N,) of the principal output, NaN where a face has none.
        path: of the JPEG.
        name: of the set and the output.
        unit: of the errors.
        faces: how many at most.

    Returns:
        `path`, or None when there is no face to show.
    """
    found = predictions.found
    missed = np.flatnonzero(~found)
    ranked = np.argsort(-np.where(found, errors, np.nan), kind="stable")[: int(np.isfinite(errors[found]).sum())]
    tiles: list[np.ndarray] = []
    titles: list[str] = []
    # Not found first; what they leave over, or half, is for the worst of the others.
    for order, room in ((missed, max(faces // 2, faces - len(ranked))), (ranked, faces)):
        for i in order.tolist():
            if len(tiles) >= room:
                break
            tile = _tile(annotations, predictions, i)
            if tile is not None:
                tiles.append(tile)
                titles.append(_title(f"{errors[i]:.2f}" if found[i] else "NOT FOUND", str(annotations.image[i])))
    if not tiles:
        return None
    sheet = contact_sheet(np.stack(tiles), titles=titles, columns=COLUMNS, cell=CELL)
    shown = f"{name}: the {len(tiles)} worst of {len(found):,} faces, error in {unit}"
    if len(missed):
        shown += f"; {len(missed):,} not found"
    Image.fromarray(_under_heading(shown, sheet)).save(path, quality=90)
    return path


def _tile(annotations: FaceRecords, predictions: Predictions, i: int) -> np.ndarray | None:
    try:
        photo = read_image(annotations.open_image(str(annotations.image[i])))
    except RdrError:
        return None
    frame = CropFrame.from_boxes(annotations.box[i : i + 1])
    tile = np.ascontiguousarray(np.rint(cut(photo, frame, CELL)[0].transpose(1, 2, 0)).clip(0, 255).astype(np.uint8))
    # Crop frame -> pixels of the tile, whose first has its center at 0.
    annotated, predicted = (
        ((frame.to_crop(points[i : i + 1])[0] + 1) * CELL - 1) / 2
        for points in (annotations.points, predictions.landmarks)
    )
    for start, end in zip(annotated, predicted, strict=True):
        if _drawable(start) and _drawable(end):
            cv2.line(tile, _fixed(start), _fixed(end), _LIGHT, 1, cv2.LINE_AA, shift=_SHIFT)
    for points, color in ((annotated, ANNOTATED), (predicted, PREDICTED)):
        for point in filter(_drawable, points):
            _dot(tile, point, color)
    # Under the title, which is to be read on any photo.
    tile[:_BAND] = tile[:_BAND] // 4
    if not predictions.found[i]:
        cv2.rectangle(tile, (1, 1), (CELL - 2, CELL - 2), _MISSED, 4)
    return tile


def _dot(picture: np.ndarray, point: np.ndarray, color: tuple[int, int, int]) -> None:
    for radius, shade in ((2.8, _DARK), (1.9, color)):
        cv2.circle(picture, _fixed(point), round(radius * 2**_SHIFT), shade, -1, cv2.LINE_AA, shift=_SHIFT)


def _drawable(point: np.ndarray) -> bool:
    # Far outside there is nothing to see, and fixed-point numbers would overflow.
    return bool(np.isfinite(point).all() and (np.abs(point) < 20 * CELL).all())


def _fixed(point: np.ndarray) -> tuple[int, int]:
    x, y = (round(float(value) * 2**_SHIFT) for value in point)
    return x, y


def _title(error: str, image: str) -> str:
    # The end of a file's name is what tells faces apart.
    name, room = image.replace("\\", "/").rsplit("/", 1)[-1], _TITLE - len(error) - 2
    return f"{error}  {name if len(name) <= room else '...' + name[3 - room :]}"


def _under_heading(text: str, sheet: np.ndarray) -> np.ndarray:
    # As wide as a full row, however few faces there are: the heading wants the room.
    width = COLUMNS * CELL
    page = np.full((_HEADING + len(sheet), width, 3), 255, np.uint8)
    page[_HEADING:, : sheet.shape[1]] = sheet
    write = partial(cv2.putText, fontFace=cv2.FONT_HERSHEY_SIMPLEX, color=_DARK, thickness=1, lineType=cv2.LINE_AA)
    write(page, text, (8, 23), fontScale=0.55)
    for x, color, label in ((width - 260, ANNOTATED, "annotated"), (width - 130, PREDICTED, "predicted")):
        cv2.circle(page, (x, 18), 7, _DARK, -1, cv2.LINE_AA)
        cv2.circle(page, (x, 18), 6, color, -1, cv2.LINE_AA)
        write(page, label, (x + 13, 23), fontScale=0.55)
    return page
