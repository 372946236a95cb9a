"""A constant by which the labels of a set lie beside the place that the photo shows.

Half a pixel is soon made: by counting pixels from 1, by calling the corner of a pixel or its center (0, 0), by a tool
that resized the photo. A network that was trained with mirrored photos cannot learn a shift to one side, which is how
it is found: predict on the photo and on its mirror image, average, and compare with the labels.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from rdrface.evaluation.metrics.errors import mean_known
from rdrface.geometry.boxes import bounding_boxes
from rdrface.image import read_image
from rdrface.landmarks import INNER, MIRROR, NUM_LANDMARKS

_MAD_TO_SD = 1.4826
"""Standard deviation of a normal distribution over its median absolute deviation."""

_MEDIAN_TO_MEAN = float(np.sqrt(np.pi / 2))
"""Standard error of a normal sample's median over that of its mean."""


@dataclass(frozen=True)
class Shift:
    """Where labels lie beside predictions.

    Attributes:
        offset: (2,) median over the faces of label - prediction: x to the right, y down; NaN without faces.
        error: (2,) its standard error, from the faces' median absolute deviation.
        faces: how many were counted.
    """

    offset: np.ndarray
    error: np.ndarray
    faces: int


def shifts(labels: np.ndarray, predicted: np.ndarray, counted: np.ndarray | None = None) -> np.ndarray:
    """Mean of label - prediction of the inner points, per face.

    The 17 contour points are left out: along their line nothing says where they belong.

    Args:
        labels: (N, 68, 2) pixels, NaN where there is no position.
        predicted: (N, 68, 2) pixels, NaN for a face that was not found.
        counted: (N, 68) bool, points to count; all with a position by default.

    Returns:
        (N, 2) pixels; NaN for a face without a counted point.
    """
    off = np.asarray(labels, np.float64) - np.asarray(predicted, np.float64)
    used = np.isfinite(off).all(-1) & np.isin(np.arange(NUM_LANDMARKS), INNER)
    if counted is not None:
        used &= counted
    return mean_known(np.where(used[..., None], off, np.nan), 1)


def summary(per_face: np.ndarray) -> Shift:
    """The median over faces of `shifts` (N, 2), and how well it is known. NaN faces are not counted."""
    known = per_face[np.isfinite(per_face).all(1)]
    if not len(known):
        return Shift(np.full(2, np.nan), np.full(2, np.nan), 0)
    middle = np.median(known, axis=0)
    spread = _MAD_TO_SD * np.median(np.abs(known - middle), axis=0)
    return Shift(middle, _MEDIAN_TO_MEAN * spread / np.sqrt(len(known)), len(known))


def balanced_landmarks(aligner: Any, image: Any, boxes: np.ndarray, rounds: int = 2) -> np.ndarray:
    """Landmarks that favor neither side: the average of those of the photo and of its mirror image.

    Boxes made of labels lie where the labels lie, and a network takes some of that over: the crop's middle is where it
    expects a face. The second round looks in the boxes of the first round's landmarks.

    Args:
        aligner: `rdrface.Aligner`, or anything with its `align`.
        image: photo, see `rdrface.image.read_image`.
        boxes: (n, 4) landmark boxes in it.
        rounds: how often to align.

    Returns:
        (n, 68, 2) photo pixels.

    Raises:
        ImageError: the photo cannot be read.
    """
    photo = read_image(image)
    mirrored = np.ascontiguousarray(photo[:, ::-1])
    last = photo.shape[1] - 1
    for _ in range(rounds):
        turned = np.stack([last - boxes[:, 2], boxes[:, 1], last - boxes[:, 0], boxes[:, 3]], axis=1)
        plain = np.stack([face.landmarks for face in aligner.align(photo, boxes)]).astype(np.float64)
        other = np.stack([face.landmarks for face in aligner.align(mirrored, turned)]).astype(np.float64)[:, MIRROR]
        other[..., 0] = last - other[..., 0]
        landmarks = (plain + other) / 2
        boxes = bounding_boxes(landmarks)
    return landmarks
