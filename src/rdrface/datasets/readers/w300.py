"""300-W (Sagonas et al., 2013): AFW, HELEN, LFPW, iBUG and the 300-W test photos with 68 points."""

from pathlib import Path

import numpy as np

from rdrface.datasets.readers.pts import folder, image_beside, read_pts
from rdrface.datasets.records import UNKNOWN, FaceRecords, known_box
from rdrface.errors import DataError

_TEST_PARTS = ("testset", "ibug", "01_Indoor", "02_Outdoor")


def read_w300(root: str | Path) -> FaceRecords:
    """Read every `.pts` under `root` (afw, helen/trainset, lfpw/testset, ibug, ...) with the photo beside it.

    The files count pixels from 1; the records count from 0. The contour follows the visible outline. The set places
    occluded points too and does not say which they are: all states are unknown.

    Args:
        root: folder of 300-W as distributed, or one of its parts.

    Returns:
        Records with source "300w/<folder>", split 'test' for testset folders, ibug, 01_Indoor and 02_Outdoor.

    Raises:
        DataError: no annotations, a photo is missing, or an annotation is damaged; the message names it.
    """
    base = folder(root, "the 300-W folder, with afw/, helen/, lfpw/, ibug/ or some of them in it")
    files = sorted(base.rglob("*.pts"))
    if not files:
        raise DataError(f"{base} and its folders hold no .pts files; wanted 300-W's photos and annotations")
    points = np.stack([read_pts(file) for file in files]).astype(np.float32) - 1
    parts = [file.parent.relative_to(base).as_posix() for file in files]
    # With `root` already one of the parts (".../helen/trainset") the folder's own name still tells the split.
    tested = [any(name in _TEST_PARTS for name in (*file.parent.parts[-2:],)) for file in files]
    return FaceRecords(
        image=np.array([str(image_beside(file)) for file in files]),
        points=points,
        state=np.full((len(files), 68), UNKNOWN, np.int8),
        contour=np.full(len(files), "outline"),
        box=np.stack([known_box(face, file) for face, file in zip(points, files, strict=True)]),
        source=np.array([f"300w/{base.name if part == '.' else part}" for part in parts]),
        is_test=np.array(tested),
    )
