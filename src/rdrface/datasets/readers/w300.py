"""300-W (Sagonas et al., 2013): AFW, HELEN, LFPW, iBUG and the 300-W test images with 68 points."""

from pathlib import Path

import numpy as np

from rdrface.datasets.readers.images import images_beside
from rdrface.datasets.readers.pts import folder, read_pts
from rdrface.datasets.records import UNKNOWN, FaceRecords, known_box
from rdrface.errors import DataError
from rdrface.landmarks import NUM_LANDMARKS

_MAX_NEGATIVE = 0.02
"""Share of points with two negative coordinates above which the files are not those of 300-W. In MERL-RAV's, negative
coordinates mark hidden points."""

_TEST_PARTS = ("testset", "ibug", "01_Indoor", "02_Outdoor")


def read_w300(root: str | Path) -> FaceRecords:
    """Read all `.pts` files under `root` (afw, helen/trainset, lfpw/testset, ibug, ...) and the images next to them.

    The files count pixels from 1, the records from 0. Points 0-16 follow the visible outline. Occluded points have
    positions too and are not marked, so all states are unknown.

    Args:
        root: folder of 300-W as distributed, or one of its parts.

    Returns:
        Records with source "300w/<folder>"; testset folders, ibug, 01_Indoor and 02_Outdoor are the test part.

    Raises:
        DataError: there are no annotations, they are those of MERL-RAV, images are missing, or an annotation is
            damaged; the message contains the path.
    """
    base = folder(root, "the 300-W folder, with afw/, helen/, lfpw/, ibug/ or some of them in it")
    files = sorted(base.rglob("*.pts"))
    if not files:
        raise DataError(f"{base} and its subfolders contain no .pts files; expected 300-W's images and annotations")
    points = np.stack([read_pts(file) for file in files]).astype(np.float32) - 1
    negative = np.asarray((points < -1).all(axis=-1))
    if negative.mean() > _MAX_NEGATIVE:
        example = files[int(negative.any(axis=1).argmax())]
        raise DataError(
            f"{base} is not 300-W: {100 * negative.mean():.0f} % of its points have two negative coordinates, for "
            f"example in {example}. If it is MERL-RAV, name the dataset merl-rav"
        )
    parts = [file.parent.relative_to(base).as_posix() for file in files]
    # The names of both folders above the file, because `root` may be one of the parts (".../helen/testset").
    is_test = [any(name in _TEST_PARTS for name in file.parent.parts[-2:]) for file in files]
    return FaceRecords(
        image=images_beside(files),
        points=points,
        state=np.full((len(files), NUM_LANDMARKS), UNKNOWN, np.int8),
        contour=np.full(len(files), "outline"),
        box=np.stack([known_box(face, file) for face, file in zip(points, files, strict=True)]),
        source=np.array([f"300w/{base.name if part == '.' else part}" for part in parts]),
        is_test=np.array(is_test),
    )
