"""Head poses for sets that bring none, from records that `rdrface fit` made of the set's own labels."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from rdrface.datasets.annotations import Annotations
from rdrface.datasets.records import FaceRecords
from rdrface.errors import DataError
from rdrface.morphable.params import POSE, ROTATION


def with_fitted_poses(annotations: Annotations, path: Path) -> Annotations:
    """The same faces with the angles of their fitted 3D faces, so that they can be put into bins by yaw.

    The fit sees the labels only, never a prediction: the bins are the same for every method.

    Args:
        annotations: N faces; their own angles, if any, are replaced.
        path: records with Q (`rdrface fit SET DIR --split test -o FILE`). A face is known by its photo's file name and
            folder, and by its points where a photo has several. Faces without a fit get NaN.

    Raises:
        DataError: the file is no records file, holds no fits, or none for these faces.
    """
    records = FaceRecords.load(path)
    if records.Q is None:
        raise DataError(f"{path} holds no fitted faces; make it with rdrface fit")
    known = {
        _key(str(image), points): i for i, (image, points) in enumerate(zip(records.image, records.points, strict=True))
    }
    angles = np.full((len(annotations), 3), np.nan)
    for i, (image, points) in enumerate(zip(annotations.image, annotations.points, strict=True)):
        row = known.get(_key(str(image), points))
        if row is not None:
            angles[i] = np.degrees(records.Q[row, POSE][ROTATION].astype(np.float64))
    if np.isnan(angles).all():
        raise DataError(f"{path} holds fits of other faces: none of its {len(records)} is one of this set")
    return replace(annotations, angles=angles)


def _key(image: str, points: np.ndarray) -> tuple[tuple[str, ...], tuple[float, float]]:
    # The middle of the points tells faces of one photo apart; a tenth of a pixel survives float32 and files.
    middle = np.nanmean(np.asarray(points, np.float64), axis=0).round(1)
    return Path(image).parts[-3:], (float(middle[0]), float(middle[1]))
