"""The interface between the aligner and a face detector."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from rdrface.detection.box_checks import MAX_COORDINATE

MIN_DETECTED_SIDE = 1e-2
"""Pixels: sides of detected boxes must be larger than this."""


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
        ValueError: the shapes do not match, a value is not finite, a box has no area or is too far away, or a score is
            outside 0..1.
    """

    boxes: np.ndarray
    scores: np.ndarray
    detector_boxes: np.ndarray
    angles: np.ndarray = field(default_factory=lambda: np.empty(0))

    def __post_init__(self) -> None:
        count = len(np.atleast_1d(self.boxes))
        given: dict[str, np.ndarray] = {
            "boxes": np.asarray(self.boxes, np.float64),
            "scores": np.asarray(self.scores, np.float32),
            "detector_boxes": np.asarray(self.detector_boxes, np.float64),
            "angles": np.zeros(count) if np.size(self.angles) == 0 else np.asarray(self.angles, np.float64),
        }
        for name, value in given.items():
            shape = (count, 4) if name.endswith("boxes") else (count,)
            values = value.reshape(shape) if count == 0 and value.size == 0 else value
            if values.shape != shape:
                raise ValueError(f"Detections.{name} must have shape {shape}; got {values.shape}")
            object.__setattr__(self, name, values)
        for name in given:
            values = np.asarray(getattr(self, name))
            if not np.isfinite(values).all():
                raise ValueError(f"Detections.{name} must be finite; got {values[~np.isfinite(values)][0]}")
        for name in ("boxes", "detector_boxes"):
            _check_boxes(name, getattr(self, name))
        if not ((self.scores >= 0) & (self.scores <= 1)).all():
            raise ValueError(f"Detections.scores must be in 0..1; got {self.scores.min()} to {self.scores.max()}")

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


def _check_boxes(name: str, boxes: np.ndarray) -> None:
    usable = (np.abs(boxes) < MAX_COORDINATE).all(axis=1) & (boxes[:, 2:] - boxes[:, :2] > MIN_DETECTED_SIDE).all(
        axis=1
    )
    if not usable.all():
        raise ValueError(
            f"Detections.{name} must be xyxy in image pixels with x1 > x0, y1 > y0 and coordinates below "
            f"{MAX_COORDINATE:g}; got {boxes[~usable][0].tolist()}"
        )


class Detector(Protocol):
    """A face detector."""

    def detect(self, image: np.ndarray) -> Detections:
        """Detect the faces of an image.

        Args:
            image: (H, W, 3) uint8 RGB, not to be changed.

        Returns:
            The faces; `Detections.empty()` if there are none.
        """
