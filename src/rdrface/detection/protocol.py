"""The interface between the aligner and a face detector."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np


@dataclass(frozen=True)
class Detections:
    """Faces detected in one image, in order of decreasing score.

    Attributes:
        boxes: (n, 4) float64 landmark boxes, xyxy image pixels: the detector's estimate of the box of the 68 landmarks,
            see `rdrface.crop`. They may extend beyond the image.
        scores: (n,) float32, 0..1.
        detector_boxes: (n, 4) float64, the detector's own boxes.
    """

    boxes: np.ndarray
    scores: np.ndarray
    detector_boxes: np.ndarray

    @classmethod
    def empty(cls) -> "Detections":
        """No faces."""
        return cls(np.empty((0, 4)), np.empty(0, np.float32), np.empty((0, 4)))

    def __len__(self) -> int:
        return len(self.boxes)


class Detector(Protocol):
    """A face detector."""

    def detect(self, image: np.ndarray) -> Detections:
        """Detect the faces of an image (H, W, 3) uint8 RGB; for an image without faces return `Detections.empty()`."""
