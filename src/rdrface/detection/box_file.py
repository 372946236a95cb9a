"""Box files: known positions of faces, used in place of a detector.

JSON: ``{"photo.jpg": [[x0, y0, x1, y1], ...], ...}``. CSV: the header ``image,x0,y0,x1,y1``, then one face per line;
release 0.1 called the first column ``photo``. The boxes are landmark boxes in image pixels (see `rdrface.crop`). The
JSON and CSV files that `rdrface detect` writes are box files too: the boxes of their faces are read.
"""

import csv
import io
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from rdrface.detection.box_checks import check_boxes
from rdrface.errors import BoxError, DataError
from rdrface.files import read_text, real_path

_IMAGE = ("image", "photo")
"""Name of the column, or of the entry, that contains the image: now, and in files of release 0.1."""

_COLUMNS = ("x0", "y0", "x1", "y1")

_OUTPUT_COLUMNS = ("box_x0", "box_y0", "box_x1", "box_y1")
"""Columns of the boxes in CSV files that rdrface writes; there, x0 and y0 are the position of a landmark."""

FACE, NO_FACE = "face", "no face"
"""Values of the column `status` in CSV files that rdrface writes, for images with a result."""

FAILED, NOT_PROCESSED, _RESULT_EXISTS = "failed", "not processed", "result exists"
"""Values of the column `status` for images without a result. The last one is not written any more."""


class BoxFile:
    """Face boxes by image.

    Args:
        boxes: path or file name of an image -> (n, 4) xyxy.

    Raises:
        ValueError: an image has two entries, or `check_boxes` refuses its boxes (`BoxError`).
    """

    def __init__(self, boxes: Mapping[str, npt.ArrayLike]) -> None:
        self._boxes: dict[str, np.ndarray] = {}
        for name, values in boxes.items():
            key = Path(name).as_posix()
            if key in self._boxes:
                raise ValueError(f"{key} has two entries; put all of its boxes into one")
            try:
                self._boxes[key] = check_boxes(values)
            except BoxError as error:
                raise BoxError(f"{key}: {error}") from error
        self._entry_of_file: dict[Path, str] | None = None

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
        except (ValueError, csv.Error) as error:
            raise DataError(
                f"{path} is not a box file: {error}. Expected JSON "
                '{"photo.jpg": [[x0, y0, x1, y1], ...]}, CSV with the columns image,x0,y0,x1,y1, or the JSON or CSV '
                "output of rdrface detect"
            ) from error

    def of(self, image: str) -> np.ndarray | None:
        """(n, 4) boxes of an image; None if there is no entry.

        The entry is looked up by the path as it is, then as the same file (relative entries are relative to the current
        folder), then by the file name.
        """
        key = self._key(image)
        return None if key is None else self._boxes[key]

    def check_images(self, images: Iterable[str]) -> list[str]:
        """Check that no two images have the same entry.

        Args:
            images: paths of all images of a run.

        Returns:
            The entries without an image.

        Raises:
            DataError: several images would be aligned with the boxes of the same entry.
        """
        image_of: dict[str, str] = {}
        for image in images:
            key = self._key(image)
            if key is None:
                continue
            if key in image_of:
                raise DataError(
                    f"the box file has one entry, {key}, for the images {image_of[key]} and {image}; name the images "
                    "with their folders in the box file"
                )
            image_of[key] = image
        return [key for key in self._boxes if key not in image_of]

    def _key(self, image: str) -> str | None:
        path = Path(image)
        if path.as_posix() in self._boxes:
            return path.as_posix()
        if self._entry_of_file is None:
            self._entry_of_file = {real_path(Path(key)): key for key in self._boxes}
        same = self._entry_of_file.get(real_path(path))
        return path.name if same is None and path.name in self._boxes else same


def _from_json(text: str) -> Mapping[str, npt.ArrayLike]:
    try:
        content = json.loads(text, object_pairs_hook=_without_duplicates)
    except json.JSONDecodeError as error:
        raise ValueError(f"no valid JSON at line {error.lineno}, column {error.colno}") from error
    except RecursionError as error:
        raise ValueError("the JSON is nested too deeply") from error
    if not isinstance(content, dict):
        raise ValueError(f"the file contains {_kind(content)}, not an object")
    if "rdrface" not in content:
        return content
    entries = content.get("images", content.get("photos"))
    return _from_output([content] if entries is None else entries)


def _without_duplicates(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    content = dict(pairs)
    if len(content) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise ValueError(f"{twice} has two entries; put all of its boxes into one")
    return content


def _from_output(entries: object) -> dict[str, npt.ArrayLike]:
    if not isinstance(entries, list):
        raise ValueError(f"'images' is {_kind(entries)}, not a list")
    boxes: dict[str, npt.ArrayLike] = {}
    for i, entry in enumerate(entries, start=1):
        if not isinstance(entry, dict):
            raise ValueError(f"entry {i} of 'images' is {_kind(entry)}, not an object")
        image = next((entry[key] for key in _IMAGE if key in entry), None)
        faces = entry.get("faces")
        if not isinstance(image, str) or not isinstance(faces, list):
            raise ValueError(f"entry {i} has no 'image' or no 'faces'")
        if not all(isinstance(face, dict) and "box" in face for face in faces):
            raise ValueError(f"a face of {image} has no 'box'")
        if image in boxes:
            raise ValueError(f"{image} has two entries; put all of its boxes into one")
        boxes[image] = [face["box"] for face in faces]
    return boxes


def _kind(value: object) -> str:
    """Name of the JSON type of a value, for messages."""
    if value is None:
        return "null"
    names = {bool: "a boolean", dict: "an object", list: "a list", str: "a string"}
    return names.get(type(value), "a number")


def _from_csv(text: str) -> dict[str, npt.ArrayLike]:
    # Not splitlines(): names of files may contain other characters that it takes as the end of a line.
    header = text.partition("\n")[0]
    rows = csv.DictReader(io.StringIO(text, newline=""), skipinitialspace=", " in header)
    rows.fieldnames = [name.strip() for name in rows.fieldnames or ()]
    columns = set(rows.fieldnames)
    image = _IMAGE[1] if _IMAGE[1] in columns and _IMAGE[0] not in columns else _IMAGE[0]
    box_columns = _OUTPUT_COLUMNS if columns.issuperset(_OUTPUT_COLUMNS) else _COLUMNS
    missing = {image, *box_columns} - columns
    if missing:
        for separator, name in ((";", "semicolons"), ("\t", "tabs")):
            if separator in header and "," not in header:
                raise ValueError(f"its columns are separated by {name}; save it with commas")
        raise ValueError(f"missing columns: {', '.join(sorted(missing))}")
    if box_columns == _COLUMNS and columns.issuperset(("x2", "y2")):
        raise ValueError(
            "x0, y0, x1, y1 are landmarks here, since there are x2 and y2 too; name boxes box_x0 ... box_y1"
        )
    boxes_of: dict[str, list[list[float]]] = {}
    required = [image, *box_columns, *({"status"} & columns)]
    for row in rows:
        if None in row:
            raise ValueError(f"line {rows.line_num} has more cells than the header")
        if any(row[column] is None for column in required):
            raise ValueError(f"line {rows.line_num} has fewer cells than the header")
        if not row[image]:
            raise ValueError(f"line {rows.line_num} has no name in {image}")
        status = (row.get("status") or FACE).strip()
        if status not in (FACE, NO_FACE, FAILED, NOT_PROCESSED, _RESULT_EXISTS):
            raise ValueError(f"line {rows.line_num} has the unknown status {status}; expected {FACE} or {NO_FACE}")
        if status in (FACE, NO_FACE):
            boxes_of.setdefault(row[image], [])
        if status == FACE:
            boxes_of[row[image]].append([_number(row, column, rows.line_num) for column in box_columns])
    return dict(boxes_of)


def _number(row: Mapping[str, str], column: str, line: int) -> float:
    try:
        value = float(row[column])
    except ValueError:
        value = math.nan
    if math.isnan(value):
        raise ValueError(f"line {line} has no number in {column}")
    return value
