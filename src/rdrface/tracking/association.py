"""Which detections are of faces that are followed, and which tracks follow the same face."""

import numpy as np

from rdrface.alignment.duplicates import MAX_CENTER_DISTANCE, MAX_DUPLICATE_DISTANCE, MAX_SIZE_RATIO
from rdrface.geometry.boxes import bounding_boxes, box_iou, box_size

OVERLAP = 0.2
"""Intersection over union of a detected box and the bounds of a followed face's landmarks above which the detection is
of that face."""


def is_known(boxes: np.ndarray, landmarks: np.ndarray) -> np.ndarray:
    """Which detections are of faces that are followed.

    Args:
        boxes: (n, 4) landmark boxes of the detections, xyxy image pixels.
        landmarks: (m, 68, 2) landmarks of the followed faces, image pixels.

    Returns:
        (n, m) bool.
    """
    if not len(landmarks) or not len(boxes):
        return np.zeros((len(boxes), len(landmarks)), bool)
    bounds = bounding_boxes(landmarks)
    overlaps = box_iou(boxes, bounds) > OVERLAP
    center = (boxes[:, None, :2] + boxes[:, None, 2:]) / 2
    inside = ((center > bounds[None, :, :2]) & (center < bounds[None, :, 2:])).all(axis=-1)
    similar = _similar(box_size(boxes)[:, None], box_size(bounds)[None])
    known: np.ndarray = overlaps | (inside & similar)
    return known


def converged(landmarks: np.ndarray) -> np.ndarray:
    """Tracks that have moved onto the face of an earlier track.

    Args:
        landmarks: (m, 68, 2) image pixels, the oldest track first.

    Returns:
        (m,) bool, True for a track that follows the same face as one before it.
    """
    dropped = np.zeros(len(landmarks), bool)
    if len(landmarks) < 2:
        return dropped
    sizes = box_size(bounding_boxes(landmarks))
    for i in range(1, len(landmarks)):
        kept = np.flatnonzero(~dropped[:i])
        difference = landmarks[kept] - landmarks[i]
        size = (sizes[kept] + sizes[i]) / 2
        distance = np.linalg.norm(difference, axis=-1).mean(axis=-1)
        between_centers = np.linalg.norm(difference.mean(axis=1), axis=-1)
        same = distance < MAX_DUPLICATE_DISTANCE * size
        same |= _similar(sizes[kept], sizes[i]) & (between_centers < MAX_CENTER_DISTANCE * size)
        dropped[i] = bool(same.any())
    return dropped


def _similar(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    similar: np.ndarray = np.maximum(first, second) < MAX_SIZE_RATIO * np.minimum(first, second)
    return similar
