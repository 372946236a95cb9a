"""Box files: known positions of faces, used in place of a detector.

JSON: ``{"photo.jpg": [[x0, y0, x1, y1], ...], ...}``. CSV: the header ``image,x0,y0,x1,y1``, then one face per line;
release 0.1 called the first column ``photo``. The boxes are landmark boxes in image pixels (see `rdrface.crop`).
"""

import csv
import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt

from rdrface.errors import DataError
from rdrface.files import read_text

_IMAGE = "image"
_IMAGE_OF_0_1 = "photo"
"""Name of the column in files of release 0.1."""

_COLUMNS = ("x0", "y0", "x1", "y1")


MAX_COORDINATE = 1e6
"""Pixels: coordinates of boxes must be smaller than this."""

MIN_SIDE = 0.5
"""Pixels: sides of boxes must be larger than this."""


class BoxFile:
    """Face boxes by image.

    Args:
        boxes: path or file name of an image -> (n, 4) xyxy.
    """

    def __init__(self, boxes: Mapping[str, np.ndarray]) -> None:
        self._boxes = {Path(name).as_posix(): check_boxes(values) for name, values in boxes.items()}

    @classmethod
    def read(cls, path: Path | str) -> "BoxFile":
        """Read a JSON or CSV file of boxes.

        Raises:
            DataError: the file cannot be read, or has neither of the two formats.
        """
        path = Path(path)
        text = read_text(path, "box file")
        try:
            return cls(_from_json(text) if path.suffix.lower() == ".json" else _from_csv(text))
        except (ValueError, TypeError, KeyError) as error:
            raise DataError(
                f"{path} is not a box file: {error}. Expected JSON "
                '{"photo.jpg": [[x0, y0, x1, y1], ...]} or CSV with the columns image,x0,y0,x1,y1'
            ) from error

    def of(self, image: str) -> np.ndarray | None:
        """(n, 4) boxes of an image, looked up by its path, then by its file name; None if there is no entry."""
        path = Path(image)
        return self._boxes.get(path.as_posix(), self._boxes.get(path.name))


def check_boxes(boxes: npt.ArrayLike) -> np.ndarray:
    """Convert boxes to (n, 4) float64.

    Raises:
        ValueError: the boxes have the wrong shape, are not finite, or have no area.
    """
    given = np.asarray(boxes)
    if given.shape in ((0,), (0, 4)):
        return np.empty((0, 4))
    if given.dtype.kind not in "fiu":
        raise ValueError(f"boxes must be numbers, (n, 4) xyxy in image pixels; got dtype {given.dtype}")
    checked = given.astype(np.float64)
    if checked.shape == (4,):
        raise ValueError("boxes must have shape (n, 4), one row per face; got a single box: put it in a list")
    if checked.ndim != 2 or checked.shape[1] != 4:
        raise ValueError(f"boxes must have shape (n, 4), xyxy in image pixels; got {checked.shape}")
    # Faces store boxes in float32, which has no digits left for the area of a box this far away or this small.
    usable = (np.abs(checked) < MAX_COORDINATE).all(axis=1)
    usable &= (checked[:, 2:] - checked[:, :2] > MIN_SIDE).all(axis=1)
    if not usable.all():
        raise ValueError(
            f"boxes must be finite with x1 > x0 and y1 > y0 (xyxy order, image pixels); "
            f"got {checked[~usable][0].tolist()}"
        )
    return checked


def _from_json(text: str) -> dict[str, np.ndarray]:
    content = json.loads(text)
    if not isinstance(content, dict):
        raise ValueError(f"the top-level value must be an object; got {type(content).__name__}")
    return content


def _from_csv(text: str) -> dict[str, np.ndarray]:
    rows = csv.DictReader(text.splitlines())
    columns = set(rows.fieldnames or ())
    image = _IMAGE_OF_0_1 if _IMAGE_OF_0_1 in columns and _IMAGE not in columns else _IMAGE
    missing = {image, *_COLUMNS} - columns
    if missing:
        raise ValueError(f"missing columns: {', '.join(sorted(missing))}")
    boxes_of: dict[str, list[list[float]]] = {}
    for row in rows:
        boxes_of.setdefault(row[image], []).append([float(row[column]) for column in _COLUMNS])
    return {name: np.array(boxes) for name, boxes in boxes_of.items()}
