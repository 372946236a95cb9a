"""The .pts text format of iBUG, MERL-RAV and others, and the photo that lies beside an annotation."""

from pathlib import Path

import numpy as np

from rdrface.errors import DataError

IMAGE_SUFFIXES = (".jpg", ".png", ".jpeg", ".JPG", ".PNG", ".JPEG", ".bmp")


def read_pts(path: Path, count: int = 68) -> np.ndarray:
    """Numbers of a .pts file as they stand in it.

    Args:
        path: the file: `version: 1`, `n_points: 68`, `{`, one `x y` per line, `}`.
        count: how many points are wanted.

    Returns:
        (count, 2) float64, in the file's own convention (1-based or 0-based, signs included).

    Raises:
        DataError: missing, damaged, or with another number of points.
    """
    values = pts_numbers(path)
    if values.size != 2 * count:
        raise DataError(f"{path} holds {values.size} numbers, wanted {2 * count} ({count} points of x and y)")
    if not np.isfinite(values).all():
        raise DataError(f"{path} holds a number that is not finite")
    return values.reshape(count, 2)


def pts_numbers(path: Path) -> np.ndarray:
    """(n,) float64: whatever numbers stand between the braces of a .pts file, unchecked but for being numbers.

    Raises:
        DataError: missing, or damaged.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise DataError(f"no annotation file at {path}") from error
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path} cannot be read as a .pts text file: {error}") from error
    start, end = text.find("{"), text.find("}")
    if start < 0 or end < start:
        raise DataError(f"{path} is no .pts file, or is cut short: the points must stand between '{{' and '}}'")
    try:
        values = np.array(text[start + 1 : end].split(), dtype=np.float64)
    except ValueError as error:
        raise DataError(f"{path} holds something other than numbers between '{{' and '}}': {error}") from error
    return values


def image_beside(annotation: Path) -> Path:
    """The photo of the same name beside an annotation file.

    Raises:
        DataError: there is none.
    """
    for suffix in IMAGE_SUFFIXES:
        candidate = annotation.with_suffix(suffix)
        if candidate.is_file():
            return candidate
    raise DataError(f"no photo beside {annotation} (looked for {', '.join(IMAGE_SUFFIXES[:3])}); copy the photos there")


def folder(root: str | Path, meaning: str) -> Path:
    """`root` as a Path.

    Raises:
        DataError: it is no folder; the message says what `meaning` should lie there.
    """
    path = Path(root)
    if not path.is_dir():
        raise DataError(f"{path} is not a folder; wanted {meaning}")
    return path
