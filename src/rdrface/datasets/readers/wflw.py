"""WFLW (Wu et al., Look at Boundary, CVPR 2018): faces from WIDER FACE with 98 points and six attributes."""

from pathlib import Path

import numpy as np

from rdrface.datasets.readers.images import require_images
from rdrface.datasets.readers.pts import folder
from rdrface.datasets.records import UNKNOWN, FaceRecords, known_box
from rdrface.errors import DataError
from rdrface.files import read_text
from rdrface.morphable.schemes import NUM_WFLW98

ATTRIBUTES = ("pose", "expression", "illumination", "make-up", "occlusion", "blur")
"""Attributes in the order of the columns; 1 means a large pose, an exaggerated expression, extreme illumination,
make-up, an occlusion or a blurred image."""

_RECTANGLE = 4
_NUMBERS = 2 * NUM_WFLW98 + _RECTANGLE + len(ATTRIBUTES)


def read_wflw(root: str | Path, split: str = "test") -> FaceRecords:
    """Read one part of WFLW.

    Unverified: tested on small files in the published format only.

    ``WFLW_annotations/list_98pt_rect_attr_train_test/list_98pt_rect_attr_<split>.txt`` has one line per face: 98 times
    x y, four numbers of a detector's rectangle, six attributes of 0 or 1, and the image's path under ``WFLW_images``.
    Coordinates are unchanged (whether the dataset counts pixels from 0 or 1 is not published). The contour follows the
    visible outline. Occluded points have positions too and are not marked, so all states are unknown.

    Args:
        root: folder with WFLW_images and WFLW_annotations.
        split: 'test' (2,500 faces) or 'train' (7,500).

    Returns:
        Records with P = 98 and source "wflw/<split>/<attributes>", e.g. "wflw/test/pose+blur", see `attributes`. `box`
        is that of the 98 points, which extend from the brows to the chin and from ear to ear, like the 68.

    Raises:
        DataError: a file or images are missing, or a line is damaged; the message contains the path.
        ValueError: `split` is neither 'train' nor 'test'.
    """
    if split not in ("train", "test"):
        raise ValueError(f"split must be 'train' or 'test', got {split!r}")
    base = folder(root, "the WFLW folder, with WFLW_images/ and WFLW_annotations/ in it")
    images = folder(base / "WFLW_images", "WFLW's images, from WFLW_images.tar.gz")
    path = base / "WFLW_annotations" / "list_98pt_rect_attr_train_test" / f"list_98pt_rect_attr_{split}.txt"
    lines = read_text(path, "annotation file (from WFLW_annotations.tar.gz)").splitlines()
    rows = [(f"{path}, line {i + 1}", line) for i, line in enumerate(lines) if line.strip()]
    if not rows:
        raise DataError(f"{path} lists no faces")
    numbers = np.stack([_numbers(line, where) for where, line in rows])
    points = numbers[:, : 2 * NUM_WFLW98].reshape(-1, NUM_WFLW98, 2)
    flags = numbers[:, -len(ATTRIBUTES) :] == 1
    paths = [images / line.split(maxsplit=_NUMBERS)[-1].strip() for _, line in rows]
    absent = [f"{where} ({image})" for (where, _), image in zip(rows, paths, strict=True) if not image.is_file()]
    require_images(absent, len(rows))
    return FaceRecords(
        image=np.array([str(image) for image in paths]),
        points=points,
        state=np.full(points.shape[:2], UNKNOWN, np.int8),
        box=np.stack([known_box(face, where) for face, (where, _) in zip(points, rows, strict=True)]),
        source=np.array([f"wflw/{split}/{'+'.join(np.array(ATTRIBUTES)[row])}".rstrip("/") for row in flags]),
        is_test=np.full(len(rows), split == "test"),
    )


def attributes(source: np.ndarray) -> np.ndarray:
    """(N, 6) bool, one column per entry of `ATTRIBUTES`, from the sources (N,) of `read_wflw`."""
    flags = [set(name.split("/")[2].split("+")) if name.count("/") == 2 else set() for name in source.tolist()]
    return np.array([[name in present for name in ATTRIBUTES] for present in flags], bool).reshape(
        len(flags), len(ATTRIBUTES)
    )


def _numbers(line: str, where: str) -> np.ndarray:
    fields = line.split(maxsplit=_NUMBERS)
    if len(fields) != _NUMBERS + 1:
        raise DataError(
            f"{where} has {len(line.split())} entries, expected {_NUMBERS + 1}: 98 times x y, a rectangle (4), "
            f"attributes ({len(ATTRIBUTES)}), the image's path"
        )
    try:
        values = np.array(fields[:_NUMBERS], np.float64)
    except ValueError as error:
        raise DataError(f"{where} must contain only numbers before the image's path: {error}") from error
    if not np.isfinite(values).all():
        raise DataError(f"{where} contains a number that is not finite")
    if not np.isin(values[-len(ATTRIBUTES) :], (0, 1)).all():
        raise DataError(f"{where} has an attribute other than 0 or 1: {values[-len(ATTRIBUTES) :].tolist()}")
    return values
