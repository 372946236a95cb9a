"""The .pts text format of iBUG, MERL-RAV, FG-NET and others."""

from pathlib import Path

import numpy as np

from rdrface.errors import DataError
from rdrface.files import read_text
from rdrface.landmarks import NUM_LANDMARKS


def read_pts(path: Path, count: int = NUM_LANDMARKS) -> np.ndarray:
    """Points of a .pts file, numbers unchanged.

    Args:
        path: the file, with the lines `version: 1`, `n_points: 68`, `{`, one `x y` per line, `}`.
        count: expected number of points.

    Returns:
        (count, 2) float64 in the file's own convention (pixels counted from 1 or from 0, signs included).

    Raises:
        DataError: the file is missing or damaged, or does not have `count` points.
    """
    values = pts_numbers(path)
    if values.size != 2 * count:
        raise DataError(f"{path} contains {values.size} numbers, expected {2 * count} ({count} points of x and y)")
    if not np.isfinite(values).all():
        raise DataError(f"{path} contains a number that is not finite")
    return values.reshape(count, 2)


def pts_numbers(path: Path) -> np.ndarray:
    """(n,) float64, all numbers between the braces of a .pts file; n is not checked.

    Raises:
        DataError: the file is missing or damaged.
    """
    text = read_text(path, ".pts annotation file")
    start, end = text.find("{"), text.find("}")
    if start < 0 or end < start:
        raise DataError(f"{path} is not a complete .pts file: the points must be between '{{' and '}}'")
    try:
        return np.array(text[start + 1 : end].split(), dtype=np.float64)
    except ValueError as error:
        raise DataError(f"{path} must contain only numbers between '{{' and '}}': {error}") from error


def folder(root: str | Path, meaning: str) -> Path:
    """Check that `root` is a folder, and return it as a Path.

    Args:
        root: path of the folder.
        meaning: expected content of the folder, for the error message.

    Raises:
        DataError: `root` is not a folder.
    """
    path = Path(root)
    if not path.is_dir():
        raise DataError(f"{path} is not a folder; expected {meaning}")
    return path
