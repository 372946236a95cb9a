"""The interface between the aligner and a face detector."""

from collections.abc import Sequence
from dataclasses import dataclass, field
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
        angles: (n,) float64 degrees, in-plane rotation of the faces: 0 is upright, positive is clockwise as seen in the
            image. Without them, the faces are taken as upright.

    Raises:
        ValueError: the shapes do not match.
    """

    boxes: np.ndarray
    scores: np.ndarray
    detector_boxes: np.ndarray
    angles: np.ndarray = field(default_factory=lambda: np.empty(0))

    def __post_init__(self) -> None:
        boxes = np.asarray(self.boxes, np.float64)
        for name, value, shape in (
            ("boxes", boxes, (len(boxes), 4)),
            ("scores", np.asarray(self.scores, np.float32), (len(boxes),)),
            ("detector_boxes", np.asarray(self.detector_boxes, np.float64), (len(boxes), 4)),
            ("angles", np.asarray(self.angles, float) if len(self.angles) else np.zeros(len(boxes)), (len(boxes),)),
        ):
            if value.shape != shape:
                raise ValueError(f"Detections.{name} must have shape {shape}; got {value.shape}")
            object.__setattr__(self, name, value)

    @classmethod
    def empty(cls) -> "Detections":
        """No faces."""
        return cls(np.empty((0, 4)), np.empty(0, np.float32), np.empty((0, 4)))

    def __len__(self) -> int:
        return len(self.boxes)

    @classmethod
    def joined(cls, parts: Sequence["Detections"]) -> "Detections":
        """The faces of all parts, one part after the other."""
        fields = ("boxes", "scores", "detector_boxes", "angles")
        return (
            cls(*(np.concatenate([getattr(part, name) for part in parts]) for name in fields)) if parts else cls.empty()
        )


class Detector(Protocol):
    """A face detector."""

    def detect(self, image: np.ndarray) -> Detections:
        """Detect the faces of an image (H, W, 3) uint8 RGB; for an image without faces return `Detections.empty()`."""
