"""What the aligner asks of a face detector."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np


@dataclass(frozen=True)
class Detections:
    """Faces found in one photo, the surest first.

    Attributes:
        boxes: (n, 4) float64 landmark boxes, xyxy photo pixels: what the detector expects the box of the 68 landmarks
            to be, as `rdrface.crop` wants it. They may reach beyond the photo.
        scores: (n,) float32, 0..1.
        detector_boxes: (n, 4) float64, the detector's own boxes.
    """

    boxes: np.ndarray
    scores: np.ndarray
    detector_boxes: np.ndarray

    @classmethod
    def none(cls) -> "Detections":
        """No face at all."""
        return cls(np.empty((0, 4)), np.empty(0, np.float32), np.empty((0, 4)))

    def __len__(self) -> int:
        return len(self.boxes)


class Detector(Protocol):
    """Anything that finds faces in photos."""

    def detect(self, photo: np.ndarray) -> Detections:
        """Find the faces of a photo, (H, W, 3) uint8 RGB; a photo without faces gives `Detections.none()`."""
