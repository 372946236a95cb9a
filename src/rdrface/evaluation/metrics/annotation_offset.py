"""Constant offset between a dataset's annotations and the predictions for its images.

Half a pixel is easily introduced: by counting pixels from 1, by placing (0, 0) at the corner instead of the center of a
pixel, or by resizing the images. A network trained on mirrored images cannot learn a horizontal offset. The horizontal
offset of a dataset is therefore found by averaging the predictions on an image and on its mirror image, and comparing
the average with the annotations.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from rdrface.evaluation.metrics.errors import mean_known
from rdrface.geometry.boxes import bounding_boxes, mirrored_boxes
from rdrface.image import read_image
from rdrface.landmarks import INNER, MIRROR, NUM_LANDMARKS

_MAD_TO_STD = 1.4826
"""Ratio of the standard deviation to the median absolute deviation of a normal distribution."""

_MEDIAN_TO_MEAN = float(np.sqrt(np.pi / 2))
"""Ratio of the standard error of the median to that of the mean of a normal sample."""


@dataclass(frozen=True)
class AnnotationOffset:
    """Offset of a dataset's annotations, estimated from several faces.

    Attributes:
        offset: (2,) median over faces of annotation - prediction, x to the right, y down; NaN without faces.
        standard_error: (2,) standard error of `offset`, from the median absolute deviation of the faces.
        faces: number of faces used.
    """

    offset: np.ndarray
    standard_error: np.ndarray
    faces: int


def offsets_by_face(annotated: np.ndarray, predicted: np.ndarray, counted: np.ndarray | None = None) -> np.ndarray:
    """Mean of annotation - prediction over the inner points of each face.

    The 17 contour points are left out, because their position along the contour is not well defined.

    Args:
        annotated: (N, 68, 2) pixels; NaN for points without a position.
        predicted: (N, 68, 2) pixels; NaN for faces that were not found.
        counted: (N, 68) bool, the points to count; by default all points with a position.

    Returns:
        (N, 2) pixels; NaN for a face without a counted point.
    """
    difference = np.asarray(annotated, np.float64) - np.asarray(predicted, np.float64)
    used = np.isfinite(difference).all(-1) & np.isin(np.arange(NUM_LANDMARKS), INNER)
    if counted is not None:
        used &= counted
    return mean_known(np.where(used[..., None], difference, np.nan), 1)


def median_offset(per_face: np.ndarray) -> AnnotationOffset:
    """Median over faces and its standard error.

    Args:
        per_face: (N, 2) from `offsets_by_face`; faces with NaN are not used.
    """
    known = per_face[np.isfinite(per_face).all(1)]
    if not len(known):
        return AnnotationOffset(np.full(2, np.nan), np.full(2, np.nan), 0)
    median = np.median(known, axis=0)
    std = _MAD_TO_STD * np.median(np.abs(known - median), axis=0)
    return AnnotationOffset(median, _MEDIAN_TO_MEAN * std / np.sqrt(len(known)), len(known))


def mirror_averaged_landmarks(aligner: Any, image: Any, boxes: np.ndarray, rounds: int = 2) -> np.ndarray:
    """Average of the landmarks predicted on an image and on its mirror image.

    The average has no bias to the left or right. Boxes made from annotations have the annotations' own offset, and a
    network partly follows its box, since it expects the face in the middle of the crop. Each further round therefore
    uses the boxes of the landmarks found in the round before.

    Args:
        aligner: `rdrface.Aligner`, or any object with its `align` method.
        image: see `rdrface.image.read_image`.
        boxes: (n, 4) xyxy pixels, landmark boxes in the image.
        rounds: number of alignments, 1 or more.

    Returns:
        (n, 68, 2) float64 image pixels.

    Raises:
        ImageError: the image cannot be read.
    """
    pixels = read_image(image)
    mirrored = np.ascontiguousarray(pixels[:, ::-1])
    last = pixels.shape[1] - 1
    for _ in range(rounds):
        plain = np.stack([face.landmarks for face in aligner.align(pixels, boxes)]).astype(np.float64)
        faces = aligner.align(mirrored, mirrored_boxes(boxes, pixels.shape[1]))
        other = np.stack([face.landmarks for face in faces]).astype(np.float64)[:, MIRROR]
        other[..., 0] = last - other[..., 0]
        landmarks = (plain + other) / 2
        boxes = bounding_boxes(landmarks)
    return landmarks
