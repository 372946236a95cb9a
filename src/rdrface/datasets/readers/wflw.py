"""WFLW (Wu et al., Look at Boundary, CVPR 2018): 98 points and six attributes of faces from WIDER FACE."""

from pathlib import Path

import numpy as np

from rdrface.datasets.readers.pts import folder
from rdrface.datasets.records import UNKNOWN, FaceRecords, known_box
from rdrface.errors import DataError

POINTS = 98

ATTRIBUTES = ("pose", "expression", "illumination", "make-up", "occlusion", "blur")
"""What a face is hard for, in the order of the columns: 1 is a large pose, an exaggerated expression, extreme light,
make-up, an occlusion, a blurred photo."""

_RECTANGLE = 4
_NUMBERS = 2 * POINTS + _RECTANGLE + len(ATTRIBUTES)


def read_wflw(root: str | Path, split: str = "test") -> FaceRecords:
    """Read one part of WFLW as published.

    ``WFLW_annotations/list_98pt_rect_attr_train_test/list_98pt_rect_attr_<split>.txt`` has a line per face: 98 times x
    y, the four numbers of a detector's rectangle, six attributes of 0 or 1, and the photo's path under ``WFLW_images``.
    The points are taken as they stand (the set does not say whether it counts pixels from 0 or 1). The contour follows
    the visible outline. Hidden points are placed too and not marked: all states are unknown.

    Args:
        root: folder with WFLW_images and WFLW_annotations.
        split: 'test' (2,500 faces) or 'train' (7,500).

    Returns:
        98 points; box: of all of them, which reach from the brows to the chin and from ear to ear as the 68 do; source
        "wflw/<split>/<attributes>", e.g. "wflw/test/pose+blur", see `attributes`.

    Raises:
        DataError: a file or a photo is missing, or a line is damaged; the message names it.
        ValueError: unknown split.
    """
    if split not in ("train", "test"):
        raise ValueError(f"split must be 'train' or 'test', got {split!r}")
    base = folder(root, "the WFLW folder, with WFLW_images/ and WFLW_annotations/ in it")
    photos = folder(base / "WFLW_images", "WFLW's photos, from WFLW_images.tar.gz")
    path = base / "WFLW_annotations" / "list_98pt_rect_attr_train_test" / f"list_98pt_rect_attr_{split}.txt"
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError as error:
        raise DataError(f"no annotations at {path}; unpack WFLW_annotations.tar.gz into {base}") from error
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path} cannot be read as text: {error}") from error
    rows = [(f"{path}, line {i + 1}", line) for i, line in enumerate(lines) if line.strip()]
    if not rows:
        raise DataError(f"{path} holds no faces")
    numbers = np.stack([_numbers(line, where) for where, line in rows])
    points = numbers[:, : 2 * POINTS].reshape(-1, POINTS, 2)
    flags = numbers[:, -len(ATTRIBUTES) :] == 1
    return FaceRecords(
        image=np.array([_photo(line, where, photos) for where, line in rows]),
        points=points,
        state=np.full(points.shape[:2], UNKNOWN, np.int8),
        box=np.stack([known_box(face, Path(where)) for face, (where, _) in zip(points, rows, strict=True)]),
        source=np.array([f"wflw/{split}/{'+'.join(np.array(ATTRIBUTES)[row])}".rstrip("/") for row in flags]),
        is_test=np.full(len(rows), split == "test"),
    )


def attributes(source: np.ndarray) -> np.ndarray:
    """(N, 6) bool, one column for each of `ATTRIBUTES`, from the sources (N,) that `read_wflw` wrote."""
    named = [set(name.split("/")[2].split("+")) if name.count("/") == 2 else set() for name in source.tolist()]
    return np.array([[name in has for name in ATTRIBUTES] for has in named], bool).reshape(len(named), len(ATTRIBUTES))


def _numbers(line: str, where: str) -> np.ndarray:
    fields = line.split(maxsplit=_NUMBERS)
    if len(fields) != _NUMBERS + 1:
        raise DataError(
            f"{where} has {len(line.split())} entries, wanted {_NUMBERS + 1}: 98 times x y, a rectangle (4), "
            f"attributes ({len(ATTRIBUTES)}), the photo's path"
        )
    try:
        values = np.array(fields[:_NUMBERS], np.float64)
    except ValueError as error:
        raise DataError(f"{where} holds something other than numbers before the photo's path: {error}") from error
    if not np.isfinite(values).all():
        raise DataError(f"{where} holds a number that is not finite")
    if not np.isin(values[-len(ATTRIBUTES) :], (0, 1)).all():
        raise DataError(f"{where} has an attribute other than 0 and 1: {values[-len(ATTRIBUTES) :].tolist()}")
    return values


def _photo(line: str, where: str, photos: Path) -> str:
    path = photos / line.split(maxsplit=_NUMBERS)[-1].strip()
    if not path.is_file():
        raise DataError(f"{where}: no photo at {path}; unpack WFLW_images.tar.gz")
    return str(path)
