"""Photos for clips: sharp, near-frontal faces with their fits."""

from pathlib import Path

import numpy as np

from rdrface.datasets.readers import read_set, read_w300
from rdrface.datasets.records import FaceRecords
from rdrface.errors import DataError
from rdrface.face_rendering.closed_eyes import closing_blink
from rdrface.fitting.fit import fit_records
from rdrface.geometry.boxes import bounding_boxes, box_size
from rdrface.geometry.eyes import OPEN_EYE, eye_aspect
from rdrface.morphable.model import FaceModel
from rdrface.morphable.params import PITCH, POSE, ROLL, YAW

MIN_FACE_SIZE = 120.0
"""Pixels; smaller faces would be enlarged."""

_MAX_ANGLES_DEG = {PITCH: 15.0, YAW: 15.0, ROLL: 20.0}
_MAX_RESIDUAL = 2.4  # percent of the face size; with larger residuals of the fit the rendered head is wrong
_CLOSING_BLINK = (0.8, 1.25)  # eyeBlink that closes the fitted eye; otherwise the fit of the eye is wrong
_TRIED = 6
"""Faces that are fitted for each photo that is needed."""


def read_photos(name: str, folder: Path) -> FaceRecords:
    """All annotated faces of a dataset that clips may be made from.

    Args:
        name: one of `rdrface.datasets.readers.SETS`.
        folder: folder of the dataset. All of 300-W is read, and the test part of every other dataset.

    Raises:
        DataError: the dataset cannot be read.
    """
    return read_w300(folder) if name == "300w" else read_set(name, folder, "test")


def choose_photos(records: FaceRecords, count: int, seed: int) -> FaceRecords:
    """Choose photos of near-frontal faces with open eyes, and fit the faces.

    Args:
        records: annotated faces with the 68 landmarks.
        count: number of photos.
        seed: seed of the random order in which the faces are tried.

    Returns:
        `count` fitted faces of different photos.

    Raises:
        DataError: there are too few suitable photos.
    """
    good = np.isfinite(records.points).all((1, 2))
    points = np.where(good[:, None, None], records.points, np.arange(136).reshape(68, 2))
    good &= box_size(bounding_boxes(points)) >= MIN_FACE_SIZE
    good &= (eye_aspect(points) > OPEN_EYE).all(axis=1)
    names, counts = np.unique(records.image, return_counts=True)
    good &= np.isin(records.image, names[counts == 1])
    order = np.random.default_rng(seed).permutation(np.flatnonzero(good))
    model, chosen = FaceModel.load(), []
    for first in range(0, len(order), _TRIED * count):
        fitted = fit_records(records.select(order[first : first + _TRIED * count]), model, progress=False)
        chosen.append(fitted.select(_well_fitted(fitted)))
        if sum(map(len, chosen)) >= count:
            return FaceRecords.concat(chosen).select(np.arange(count))
    raise DataError(
        f"clips need {count} photos of near-frontal faces with open eyes, of at least {MIN_FACE_SIZE:.0f} pixels and "
        f"with all 68 landmarks; found {sum(map(len, chosen))} among {len(records)} faces. Pass fewer --photos or "
        "another dataset"
    )


def _well_fitted(records: FaceRecords) -> np.ndarray:
    """(N,) bool."""
    assert records.Q is not None and records.residual is not None
    angles = np.abs(np.degrees(records.Q[:, POSE]))
    good: np.ndarray = records.residual <= _MAX_RESIDUAL
    for index, limit in _MAX_ANGLES_DEG.items():
        good &= angles[:, index] <= limit
    blink, (low, high) = closing_blink(records.Q), _CLOSING_BLINK
    good &= ((blink >= low) & (blink <= high)).all(axis=1)
    return good
