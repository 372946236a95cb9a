"""Contact sheet of the faces with the largest errors of a method."""

from pathlib import Path

import numpy as np
from PIL import Image

from rdrface.crop import CropFrame, cut
from rdrface.datasets.contact_sheet import contact_sheet, draw_dot, draw_line, write_label
from rdrface.datasets.records import FaceRecords
from rdrface.errors import RdrError
from rdrface.evaluation.predictions.predictions import Predictions
from rdrface.files import write_aside
from rdrface.geometry.rasterize import to_pixels
from rdrface.image import read_image

FACES = 24
COLUMNS = 6
CELL = 280
"""Pixels, side of a face's cell."""

ANNOTATED, PREDICTED = (240, 228, 66), (86, 180, 233)
"""RGB: Okabe and Ito's yellow and sky blue, safe for color-blind readers and visible on any skin color."""

_DARK, _LIGHT = (20, 20, 20), (245, 245, 245)
_MISSED = (213, 94, 0)
_BAND = 17
"""Pixels, height of the dark band behind a cell's title."""

_FRAME = 4
"""Pixels, width of the frame of a face that was not found."""

_FONT_SIZE = 15
"""Pixels, font size of the heading."""

_HEADING = 36
"""Pixels, height of the heading above the faces."""

_TITLE = 34
"""Number of characters that fit into the width of a cell."""


def draw_worst(
    annotations: FaceRecords,
    predictions: Predictions,
    errors: np.ndarray,
    path: Path,
    name: str,
    unit: str = "%",
    faces: int = FACES,
) -> Path | None:
    """Write a JPEG of the faces that were not found, followed by the faces with the largest errors.

    Annotated points are yellow, points of the principal output blue, with a line between the two of each landmark.
    Faces that were not found have a frame; they take at most half of the sheet while there are faces with an error.
    Images that cannot be read are left out.

    Args:
        annotations: N faces; crops are cut around their boxes.
        predictions: of the same faces, in the same order.
        errors: (N,) errors of the principal output, NaN where a face has none.
        path: JPEG to write.
        name: name of the dataset and the output, for the heading.
        unit: unit of the errors.
        faces: maximum number of faces.

    Returns:
        `path`, or None when there is no face to show.
    """
    found = predictions.found
    missed = np.flatnonzero(~found)
    ranked = np.argsort(-np.where(found, errors, np.nan), kind="stable")[: int(np.isfinite(errors[found]).sum())]
    tiles: list[np.ndarray] = []
    titles: list[str] = []
    # Faces not found first, in at most half of the cells or in those that the other faces leave empty.
    for order, room in ((missed, max(faces // 2, faces - len(ranked))), (ranked, faces)):
        for i in order.tolist():
            if len(tiles) >= room:
                break
            tile = _tile(annotations, predictions, i)
            if tile is not None:
                tiles.append(tile)
                titles.append(_title(f"{errors[i]:.2f}" if found[i] else "not found", str(annotations.image[i])))
    if not tiles:
        return None
    sheet = contact_sheet(np.stack(tiles), titles=titles, columns=COLUMNS, cell=CELL)
    shown = f"{name}: {len(tiles)} worst of {len(found):,} faces, error in {unit}"
    if len(missed):
        shown += f"; {len(missed):,} not found"
    with write_aside(path) as partial:
        Image.fromarray(_under_heading(shown, sheet)).save(partial, quality=90)
    return path


def _tile(annotations: FaceRecords, predictions: Predictions, i: int) -> np.ndarray | None:
    try:
        image = read_image(annotations.open_image(str(annotations.image[i])))
    except RdrError:
        return None
    frame = CropFrame.from_boxes(annotations.box[i : i + 1])
    tile = np.ascontiguousarray(np.rint(cut(image, frame, CELL)[0].transpose(1, 2, 0)).clip(0, 255).astype(np.uint8))
    annotated, predicted = (
        # Infinite positions cannot be rotated into the crop; like unknown ones, they are not drawn.
        to_pixels(frame.to_crop(np.where(np.isfinite(points[i : i + 1]), points[i : i + 1], np.nan))[0], CELL)
        for points in (annotations.points, predictions.landmarks)
    )
    for start, end in zip(annotated, predicted, strict=True):
        draw_line(tile, np.stack([start, end]), _LIGHT)
    for points, color in ((annotated, ANNOTATED), (predicted, PREDICTED)):
        for point in points:
            for radius, shade in ((2.8, _DARK), (1.9, color)):
                draw_dot(tile, point, shade, radius)
    # Darkened, so that the title is readable on any image.
    tile[:_BAND] = tile[:_BAND] // 4
    if not predictions.found[i]:
        for edge in (tile[:_FRAME], tile[-_FRAME:], tile[:, :_FRAME], tile[:, -_FRAME:]):
            edge[:] = _MISSED
    return tile


def _title(error: str, image: str) -> str:
    # Long names are cut at the start, since names differ mostly at the end.
    name, room = image.replace("\\", "/").rsplit("/", 1)[-1], _TITLE - len(error) - 2
    return f"{error}  {name if len(name) <= room else '...' + name[3 - room :]}"


def _under_heading(text: str, sheet: np.ndarray) -> np.ndarray:
    # The page has the width of a full row even with fewer faces, so that the heading fits.
    width = COLUMNS * CELL
    page = np.full((_HEADING + len(sheet), width, 3), 255, np.uint8)
    page[_HEADING:, : sheet.shape[1]] = sheet
    write_label(page, (8, 9), text, _DARK, _FONT_SIZE)
    for x, color, label in ((width - 260, ANNOTATED, "annotated"), (width - 130, PREDICTED, "predicted")):
        for radius, shade in ((7.0, _DARK), (6.0, color)):
            draw_dot(page, np.array([x, 18.0]), shade, radius)
        write_label(page, (x + 13, 9), label, _DARK, _FONT_SIZE)
    return page
