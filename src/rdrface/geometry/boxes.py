"""Functions on face boxes: xyxy, in any unit."""

from collections.abc import Sequence

import cv2
import numpy as np


def bounding_boxes(points: np.ndarray) -> np.ndarray:
    """(B, N, 2) points, NaN where unknown -> (B, 4) xyxy: the smallest boxes around the known points."""
    return np.concatenate([np.nanmin(points, axis=1), np.nanmax(points, axis=1)], axis=-1)


def box_size(boxes: np.ndarray) -> np.ndarray:
    """(..., 4) xyxy -> (...) sqrt(width * height), the usual normalizer of landmark errors."""
    size: np.ndarray = np.sqrt((boxes[..., 2:] - boxes[..., :2]).prod(axis=-1))
    return size


def box_iou(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """(n, 4) and (m, 4) xyxy -> (n, m) intersection over union."""
    low = np.maximum(first[:, None, :2], second[None, :, :2])
    high = np.minimum(first[:, None, 2:], second[None, :, 2:])
    shared = (high - low).clip(min=0).prod(axis=2)
    area_first, area_second = ((boxes[:, 2:] - boxes[:, :2]).clip(min=0).prod(axis=1) for boxes in (first, second))
    iou: np.ndarray = shared / np.maximum(area_first[:, None] + area_second[None] - shared, 1e-9)
    return iou


def mirrored_boxes(boxes: np.ndarray, width: int) -> np.ndarray:
    """(n, 4) xyxy pixels in an image of `width` pixels -> the same boxes in its mirror image."""
    last = width - 1
    return np.stack([last - boxes[:, 2], boxes[:, 1], last - boxes[:, 0], boxes[:, 3]], axis=1)


def nms(boxes: np.ndarray, scores: np.ndarray, threshold: float) -> np.ndarray:
    """Non-maximum suppression, with OpenCV.

    Args:
        boxes: (n, 4) xyxy.
        scores: (n,), positive.
        threshold: of two boxes with a larger intersection over union, the one with the lower score is dropped.

    Returns:
        (k,) int64 indices of the boxes to keep, in order of decreasing score.
    """
    xywh = np.concatenate([boxes[:, :2], boxes[:, 2:] - boxes[:, :2]], axis=1)
    kept: Sequence[int] = cv2.dnn.NMSBoxes(xywh.tolist(), scores.tolist(), 0.0, threshold)
    return np.array(kept, dtype=np.int64)
