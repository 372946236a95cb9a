"""Head poses for sets without poses, from 3D faces that `rdrface fit` fitted to the set's annotations."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from rdrface.datasets.records import FaceRecords
from rdrface.errors import DataError
from rdrface.morphable.params import POSE, ROTATION


def with_fitted_poses(annotations: FaceRecords, path: Path) -> FaceRecords:
    """The same faces with the head angles of their fitted 3D faces, so that errors can be reported by yaw.

    The fit uses annotations only, never predictions, so the yaw bins are the same for every method. The angles are
    those of P: its yaw measures from which side the head is seen, and does not change with a rotation of the image.

    Args:
        annotations: N faces; any angles that they have are replaced.
        path: records with Q, written by ``rdrface fit SET DIR --split test -o FILE``. A face is identified by the file
            name and folder of its image and by the mean of its points. Faces without a fit get NaN.

    Raises:
        DataError: the file is not a file of records, has no fits, or has fits of none of these faces.
    """
    records = FaceRecords.load(path)
    if records.Q is None:
        raise DataError(f"{path} contains no fitted faces; create it with `rdrface fit`")
    known = {
        _key(str(image), points): i for i, (image, points) in enumerate(zip(records.image, records.points, strict=True))
    }
    angles = np.full((len(annotations), 3), np.nan)
    for i, (image, points) in enumerate(zip(annotations.image, annotations.points, strict=True)):
        row = known.get(_key(str(image), points))
        if row is not None:
            angles[i] = np.degrees(records.Q[row, POSE][ROTATION].astype(np.float64))
    if np.isnan(angles).all():
        raise DataError(
            f"{path} contains fits of other faces: none of its {len(records)} faces is in this set; fit this set with "
            "`rdrface fit`"
        )
    return replace(annotations, angles=angles)


def _key(image: str, points: np.ndarray) -> tuple[tuple[str, ...], tuple[float, float]]:
    # The mean of the points distinguishes the faces of one image. Rounding to a tenth of a pixel makes it independent
    # of the precision of files.
    center = np.nanmean(np.asarray(points, np.float64), axis=0).round(1)
    return Path(image).parts[-3:], (float(center[0]), float(center[1]))
