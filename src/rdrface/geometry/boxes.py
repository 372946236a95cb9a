"""Functions on face boxes: xyxy, in any unit."""

import numpy as np


def bounding_boxes(points: np.ndarray) -> np.ndarray:
    """(B, N, 2) points, NaN where unknown -> (B, 4) xyxy: the smallest boxes around the known points."""
    # The reductions ignore NaN, as nanmin and nanmax do, and take a quarter of their time for a single face.
    return np.concatenate([np.fmin.reduce(points, axis=1), np.fmax.reduce(points, axis=1)], axis=-1)


def image_edges(width: int, height: int) -> np.ndarray:
    """(4,) float64 xyxy, the edges of an image of `width` x `height` pixels. (0, 0) is the first pixel's center."""
    return np.array([-0.5, -0.5, width - 0.5, height - 0.5])


def box_size(boxes: np.ndarray) -> np.ndarray:
    """(..., 4) xyxy -> (...) sqrt(width * height), the usual normalizer of landmark errors."""
    size: np.ndarray = np.sqrt((boxes[..., 2] - boxes[..., 0]) * (boxes[..., 3] - boxes[..., 1]))
    return size


def box_iou(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """(n, 4) and (m, 4) xyxy -> (n, m) intersection over union."""
    shared, area_first, area_second = _intersections(first, second)
    iou: np.ndarray = shared / np.maximum(area_first + area_second - shared, 1e-9)
    return iou


def containment(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """(n, 4) and (m, 4) xyxy -> (n, m) part of the smaller box that the other one covers, 0 to 1."""
    shared, area_first, area_second = _intersections(first, second)
    part: np.ndarray = shared / np.maximum(np.minimum(area_first, area_second), 1e-9)
    return part


def _intersections(first: np.ndarray, second: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Areas of (n, m) intersections, and of the boxes: (n, 1) and (1, m)."""
    (x0, y0, x1, y1), (u0, v0, u1, v1) = first.T[:, :, None], second.T[:, None]
    width = (np.minimum(x1, u1) - np.maximum(x0, u0)).clip(min=0)
    shared = width * (np.minimum(y1, v1) - np.maximum(y0, v0)).clip(min=0)
    area_first, area_second = ((boxes[:, 2:] - boxes[:, :2]).clip(min=0).prod(axis=1) for boxes in (first, second))
    return shared, area_first[:, None], area_second[None]


def mirrored_boxes(boxes: np.ndarray, width: int) -> np.ndarray:
    """(n, 4) xyxy pixels in an image of `width` pixels -> the same boxes in its mirror image."""
    last = width - 1
    return np.stack([last - boxes[:, 2], boxes[:, 1], last - boxes[:, 0], boxes[:, 3]], axis=1)


_FEW = 64
"""Number of boxes up to which all pairs are compared at once, which is faster."""


def nms(boxes: np.ndarray, scores: np.ndarray, threshold: float) -> np.ndarray:
    """Non-maximum suppression.

    Args:
        boxes: (n, 4) xyxy.
        scores: (n,); of boxes with equal scores, the first has precedence.
        threshold: of two boxes with a larger intersection over union, the one with the lower score is dropped.

    Returns:
        (k,) int64 indices of the boxes to keep, in order of decreasing score.
    """
    remaining = np.argsort(-np.asarray(scores), kind="stable")
    if len(remaining) < 2:
        return remaining
    kept: list[int] = []
    if len(remaining) <= _FEW:
        overlaps = (box_iou(boxes, boxes) > threshold).tolist()
        for index in remaining.tolist():
            if not any(overlaps[index][other] for other in kept):
                kept.append(index)
        return np.array(kept, dtype=np.int64)
    while len(remaining):
        best, remaining = remaining[0], remaining[1:]
        kept.append(best)
        remaining = remaining[box_iou(boxes[best, None], boxes[remaining])[0] <= threshold]
    return np.array(kept, dtype=np.int64)
