"""Images with custom landmarks: any number L of points with any meaning, in a .pts file next to each image.

The format is iBUG's: ``n_points: L`` in the header, then one ``x y`` per line between ``{`` and ``}``. As in 300-W the
files count pixels from 1, so the center of the top-left pixel is (1, 1); `read_custom_points` takes ``origin=0`` for
files that count from 0. A point without a position is written ``-1 -1`` or ``nan nan``. All files must have the same L
and the same order of points. One face per file; copy an image with two annotated faces under a second name.
"""

from collections import Counter
from pathlib import Path

import numpy as np

from rdrface.datasets.readers.images import images_beside
from rdrface.datasets.readers.pts import folder, pts_numbers
from rdrface.datasets.records import UNKNOWN, FaceRecords
from rdrface.errors import DataError

ABSENT = -1.0
"""Value of both coordinates in the file for a point without a position."""

MIN_POINTS = 2
"""Minimum number of points with a position per face."""


def read_custom_points(root: str | Path, origin: int = 1) -> FaceRecords:
    """Read all .pts files under a folder and the images next to them.

    Args:
        root: the folder; its subfolders are read too.
        origin: coordinate of the center of the top-left pixel in the files, 1 (300-W and most tools) or 0.

    Returns:
        Records with P = L points, source "custom", no test part, and NaN boxes (custom points may be anywhere on the
        head, so they do not define the box of the 68).

    Raises:
        DataError: there are no files, images are missing, a file is damaged, files differ in L, all points of a face
            are at the same place, or a point has no position in any file; the message contains the path or the point.
        ValueError: `origin` is neither 0 nor 1.
    """
    if origin not in (0, 1):
        raise ValueError(f"origin must be 0 or 1, the coordinate of the first pixel in the files; got {origin}")
    base = folder(root, "images, each with a .pts file of the same name next to it")
    files = sorted(base.rglob("*.pts"))
    if not files:
        raise DataError(
            f"{base} and its subfolders contain no .pts files; expected images, each with a .pts file of the same name "
            "next to it"
        )
    faces = [_read(file) for file in files]
    common = Counter(len(face) for face in faces).most_common(1)[0][0]
    for file, face in zip(files, faces, strict=True):
        if len(face) != common:
            raise DataError(
                f"{file} has {len(face)} points, but most files of {base} have {common}. All files must have the same "
                "points in the same order; write a missing point as -1 -1. Correct or remove the file"
            )
        known = int(np.isfinite(face).all(1).sum())
        if known < MIN_POINTS:
            raise DataError(
                f"{file} has {known} of {common} points with a position; expected at least {MIN_POINTS}: add "
                "points, or remove the file"
            )
        x, y = np.nanmin(face, axis=0)
        if (np.nanmax(face, axis=0) == (x, y)).all():
            raise DataError(
                f"{file}: all {known} points are at {x:g}, {y:g}; expected points at different places. Correct or "
                "remove the file"
            )
    points = (np.stack(faces) - origin).astype(np.float32)
    missing = np.flatnonzero(~np.isfinite(points).all(2).any(0))
    if len(missing):
        raise DataError(
            f"point {missing[0] + 1} of {common} has no position in any file of {base}; remove it from all files"
        )
    return FaceRecords(
        image=images_beside(files),
        points=points,
        state=np.full(points.shape[:2], UNKNOWN, np.int8),
        box=np.full((len(files), 4), np.nan),
        source=np.full(len(files), "custom"),
        is_test=np.zeros(len(files), bool),
    )


def _read(path: Path) -> np.ndarray:
    """(L, 2) float64 points of a file, NaN where there is no position; L is not known in advance."""
    values = pts_numbers(path)
    if values.size == 0 or values.size % 2:
        raise DataError(f"{path} contains {values.size} numbers between '{{' and '}}', expected an x and a y per point")
    if np.isinf(values).any():
        raise DataError(f"{path} contains an infinite number; write a point without a position as -1 -1 or nan nan")
    points = values.reshape(-1, 2)
    absent = (points == ABSENT).all(1) | np.isnan(points).any(1)
    return np.where(absent[:, None], np.nan, points)
