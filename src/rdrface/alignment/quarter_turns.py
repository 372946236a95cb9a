"""Detection in images that are rotated by quarter turns, for photos that are stored sideways or upside down."""

from collections.abc import Sequence

import numpy as np

from rdrface.alignment.crop_alignment import face_angles
from rdrface.detection.protocol import Detections
from rdrface.geometry.rotation import wrap_degrees


def rotated_back(detections: Detections, image_size: tuple[int, int], quarter_turns: int) -> Detections:
    """Convert detections in a rotated image to the image before its rotation.

    Args:
        detections: n faces found in the image rotated counterclockwise by quarter turns.
        image_size: height and width of the image before its rotation, pixels.
        quarter_turns: number of quarter turns.

    Returns:
        The n faces in the same order.
    """
    boxes, detector_boxes = detections.boxes, detections.detector_boxes
    height, width = image_size if quarter_turns % 2 == 0 else image_size[::-1]
    for _ in range(quarter_turns % 4):
        boxes, detector_boxes = (_rotated_clockwise(some, height) for some in (boxes, detector_boxes))
        height, width = width, height
    return Detections(boxes, detections.scores, detector_boxes, wrap_degrees(detections.angles + 90 * quarter_turns))


def quarter_turns_of(landmarks: Sequence[np.ndarray]) -> int:
    """Number of counterclockwise quarter turns, 0..3, after which most faces of an image are upright.

    Args:
        landmarks: (68, 2) image pixels of each face, at least one.
    """
    nearest = np.rint(face_angles(np.array(landmarks)) / 90).astype(int) % 4
    return int(np.bincount(nearest, minlength=4).argmax())


def _rotated_clockwise(boxes: np.ndarray, height: int) -> np.ndarray:
    """Boxes (n, 4) xyxy in an image of this height -> the same boxes after a clockwise quarter turn of the image."""
    x0, y0, x1, y1 = boxes.T
    return np.stack([height - 1 - y1, x0, height - 1 - y0, x1], axis=1)
