"""A clip and the truth of its frames."""

import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from rdrface.geometry.boxes import bounding_boxes, box_size

MAX_COVERED = 0.5
"""Share of the landmarks that an object or the edge of the frame may cover in a frame in which a face must be found."""


@dataclass(frozen=True)
class Clip:
    """A clip of T frames with K people.

    Attributes:
        kind: name of the kind, one of `rdrface.evaluation.clips.kinds.KINDS`.
        photo: names of the photos it is made from.
        width, height: size of the frames, pixels.
        times: (T,) float64 seconds.
        landmarks: (T, K, 68, 2) float64 image pixels, contour on the visible outline; NaN for all landmarks of a person
            who is not in the scene.
        hidden: (T, K, 68) bool, landmarks hidden by the head itself, by an object, or outside the frame.
        covered: (T, K) float64, share of the landmarks that an object or the edge of the frame covers.
        closing: (T,) float64, closing of the eyes: 0 open, 1 closed.
        frames: yields the T frames, (H, W, 3) uint8 RGB; the same in every call.
    """

    kind: str
    photo: str
    width: int
    height: int
    times: np.ndarray
    landmarks: np.ndarray
    hidden: np.ndarray
    covered: np.ndarray
    closing: np.ndarray
    frames: Callable[[], Iterator[np.ndarray]]

    def __len__(self) -> int:
        return len(self.times)

    @property
    def key(self) -> str:
        """Name of the clip in files of predictions."""
        return f"{self.kind}/{self.photo}"

    @property
    def truth(self) -> np.ndarray:
        """(T, K, 68, 2) `landmarks`, NaN where hidden."""
        return np.where(self.hidden[..., None], np.nan, self.landmarks)

    @property
    def present(self) -> np.ndarray:
        """(T, K) bool, people in the scene."""
        present: np.ndarray = np.isfinite(self.landmarks).all((2, 3))
        return present

    @property
    def size(self) -> np.ndarray:
        """(T, K) face size: sqrt(width * height) of the box of all landmarks, pixels; NaN for absent people."""
        size = np.full(self.landmarks.shape[:2], np.nan)
        size[self.present] = box_size(bounding_boxes(self.landmarks[self.present]))
        return size

    @property
    def counted(self) -> np.ndarray:
        """(T, K) bool, faces that must be found: in the scene and covered by at most `MAX_COVERED`."""
        counted: np.ndarray = self.present & (self.covered <= MAX_COVERED)
        return counted

    @property
    def checksum(self) -> int:
        """Checksum of the truth. Predictions of another clip with the same name have another one."""
        rounded = np.nan_to_num(np.round(self.landmarks, 1) + 0.0, nan=-1.0)
        return zlib.crc32(np.ascontiguousarray(rounded).tobytes())
