"""Detections in images turned by quarter turns, for photos that are stored sideways or upside down."""

import numpy as np

from rdrface.alignment.retries import wrapped
from rdrface.detection.protocol import Detections


def turned_back(detections: Detections, image_size: tuple[int, int], quarters: int) -> Detections:
    """Convert detections in a turned image to the image as it was.

    Args:
        detections: faces found in the image turned counterclockwise by quarter turns.
        image_size: height and width of the image before it was turned, pixels.
        quarters: number of quarter turns.
    """
    boxes, detector_boxes = detections.boxes, detections.detector_boxes
    height, width = image_size if quarters % 2 == 0 else image_size[::-1]
    for _ in range(quarters % 4):
        boxes, detector_boxes = (_clockwise(some, height) for some in (boxes, detector_boxes))
        height, width = width, height
    return Detections(boxes, detections.scores, detector_boxes, wrapped(detections.angles + 90 * quarters))


def quarters_of(angles: np.ndarray) -> int:
    """Number of counterclockwise quarter turns, 0..3, after which most of the faces with these angles are upright."""
    counts = np.bincount(np.rint(np.asarray(angles) / 90).astype(int) % 4, minlength=4)
    return int(counts.argmax())


def _clockwise(boxes: np.ndarray, height: int) -> np.ndarray:
    """Boxes (n, 4) xyxy in an image of this height -> the same boxes after a clockwise quarter turn of the image."""
    x0, y0, x1, y1 = boxes.T
    return np.stack([height - 1 - y1, x0, height - 1 - y0, x1], axis=1)
