"""Photos with somebody's own points: any number L of them, any meaning, a .pts file beside each photo.

The format is iBUG's: ``n_points: L`` in the head, then one ``x y`` per line between ``{`` and ``}``. As in 300-W the
files count pixels from 1, so the center of the top-left pixel is (1, 1); `read_custom_points` takes ``origin=0`` for
files that count from 0. A point without a position is written ``-1 -1`` or ``nan nan``. All files must have the same L
and the same order of points. One face per file; copy an image with two annotated faces under a second name.
"""

from collections import Counter
from pathlib import Path

import numpy as np

from rdrface.datasets.readers.pts import folder, image_beside, pts_numbers
from rdrface.datasets.records import UNKNOWN, FaceRecords
from rdrface.errors import DataError

ABSENT = -1.0
"""Both numbers of a point that has no position, as they stand in the file."""

FEWEST = 2
"""Points with a position that a face needs."""


def read_custom_points(root: str | Path, origin: int = 1) -> FaceRecords:
    """Read every .pts file under a folder, with the photo of the same name beside it.

    Args:
        root: the folder; its subfolders are read too.
        origin: what the files call the center of the top-left pixel, 1 (300-W and most tools) or 0.

    Raises:
        DataError: no files, a photo is missing, a file is damaged, files differ in L, or a point has a position in
            none of them; the message names the file or the point.
    """
    if origin not in (0, 1):
        raise ValueError(f"origin must be 0 or 1, the number the files give the first pixel; got {origin}")
    base = folder(root, "photos with a .pts file of the same name beside each")
    files = sorted(base.rglob("*.pts"))
    if not files:
        raise DataError(f"{base} and its folders hold no .pts files; wanted photos with a .pts file beside each")
    faces = [_read(file) for file in files]
    common = Counter(len(face) for face in faces).most_common(1)[0][0]
    for file, face in zip(files, faces, strict=True):
        if len(face) != common:
            raise DataError(
                f"{file} holds {len(face)} points, most files of {base} hold {common}: all must have the same points "
                "in the same order, a missing one written as -1 -1. Correct or remove the file"
            )
        known = int(np.isfinite(face).all(1).sum())
        if known < FEWEST:
            raise DataError(
                f"{file} gives a position to {known} of {common} points, wanted {FEWEST} or more; remove it"
            )
    points = (np.stack(faces) - origin).astype(np.float32)
    never = np.flatnonzero(~np.isfinite(points).all(2).any(0))
    if len(never):
        raise DataError(f"no file of {base} gives a position to point {never[0] + 1} of {common}; leave it out of all")
    return FaceRecords(
        image=np.array([str(image_beside(file)) for file in files]),
        points=points,
        state=np.full(points.shape[:2], UNKNOWN, np.int8),
        box=np.full((len(files), 4), np.nan),
        source=np.full(len(files), "custom"),
        is_test=np.zeros(len(files), bool),
    )


def _read(path: Path) -> np.ndarray:
    """(L, 2) float64 numbers of a file, NaN where there is no position: any L, where `read_pts` knows L beforehand."""
    values = pts_numbers(path)
    if values.size == 0 or values.size % 2:
        raise DataError(f"{path} holds {values.size} numbers between '{{' and '}}', wanted an x and a y per point")
    if np.isinf(values).any():
        raise DataError(f"{path} holds an infinite number; a point without a position is written -1 -1 or nan nan")
    points = values.reshape(-1, 2)
    gone = (points == ABSENT).all(1) | np.isnan(points).any(1)
    return np.where(gone[:, None], np.nan, points)
