"""Alignment of crops: outputs of the network and positions of the crops."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from rdrface.crop import CropFrame, cut
from rdrface.geometry.boxes import bounding_boxes, box_size
from rdrface.geometry.rotation import clockwise_angle
from rdrface.landmarks import EYES, MOUTH
from rdrface.runtime.session import Session


@dataclass(frozen=True)
class CropAlignment:
    """The outputs of the network for B crops.

    Attributes:
        frame: positions of the crops in their images.
        outputs: arrays with B rows, see `rdrface.runtime.session.OUTPUTS`.
    """

    frame: CropFrame
    outputs: Mapping[str, np.ndarray]

    def __len__(self) -> int:
        return len(self.frame)

    @cached_property
    def landmarks(self) -> np.ndarray:
        """(B, 68, 2) float64 image pixels."""
        return self.frame.to_image(self.outputs["landmarks"])

    @cached_property
    def sizes(self) -> np.ndarray:
        """(B,) square root of the area of the landmarks' bounding box, image pixels; positive."""
        sizes: np.ndarray = np.maximum(box_size(bounding_boxes(self.landmarks)), 1e-6)
        return sizes

    @cached_property
    def uncertainty(self) -> np.ndarray:
        """(B, 68) expected distance of the landmarks from their true positions, percent of the face size."""
        values: np.ndarray = 100 * self.outputs["uncertainty"] * (self.frame.half / self.sizes)[:, None]
        return values

    @cached_property
    def expected_error(self) -> np.ndarray:
        """(B,) mean of `uncertainty`."""
        mean: np.ndarray = self.uncertainty.mean(axis=1)
        return mean

    def select(self, index: np.ndarray) -> "CropAlignment":
        """The M crops at `index`, (M,) int or (B,) bool."""
        return CropAlignment(self.frame.select(index), {name: rows[index] for name, rows in self.outputs.items()})

    def improved_by(self, other: "CropAlignment", index: np.ndarray, factor: float = 1.0) -> "CropAlignment":
        """These B crops, those at `index` (M,) int replaced by those of the M crops of `other` whose expected error is
        below `factor` times theirs."""
        better = other.expected_error < factor * self.expected_error[index]
        replaced, by = index[better], other.select(better)
        center, half, angle = (np.array(a) for a in (self.frame.center, self.frame.half, self.frame.angle))
        center[replaced], half[replaced], angle[replaced] = by.frame.center, by.frame.half, by.frame.angle
        outputs = {name: np.array(rows) for name, rows in self.outputs.items()}
        for name, rows in outputs.items():
            rows[replaced] = by.outputs[name]
        return CropAlignment(CropFrame(center, half, angle), outputs)


MIN_BATCH = 4
"""Fewer remaining crops than this run one by one: batches of two or three gain little, and OpenVINO compiles the graph
for batches when the first one arrives."""


class CropAligner:
    """Cuts crops out of images and runs the network on them.

    Args:
        session: runs RDR's graph.
        crop_size: side of the network's input, pixels.
        batch_size: maximum number of crops per run of the network.
    """

    def __init__(self, session: Session, crop_size: int, batch_size: int) -> None:
        self._session = session
        self._crop_size = crop_size
        self._batch_size = batch_size

    def align(self, images: Sequence[np.ndarray], image_of: np.ndarray, frame: CropFrame) -> CropAlignment:
        """Align faces.

        Args:
            images: (H, W, 3) uint8 RGB.
            image_of: (B,) int, index of the image of each crop; B > 0.
            frame: positions of the B crops.

        Returns:
            The B crops in the same order.
        """
        parts: list[dict[str, np.ndarray]] = []
        start = 0
        while start < len(frame):
            remaining = min(self._batch_size, len(frame) - start)
            count = 1 if remaining < min(MIN_BATCH, self._batch_size) else remaining
            rows = range(start, start + count)
            crops = [cut(images[image_of[i]], frame.select(np.array([i])), self._crop_size) for i in rows]
            parts.append(self._session.run(np.concatenate(crops)))
            start += count
        return CropAlignment(frame, {name: np.concatenate([part[name] for part in parts]) for name in parts[0]})


def face_angles(landmarks: np.ndarray) -> np.ndarray:
    """In-plane rotation of faces by their landmarks: the direction from the mouth to the eyes.

    Args:
        landmarks: (B, 68, 2) image pixels.

    Returns:
        (B,) degrees in -180..180; 0 is upright, positive is clockwise as seen.
    """
    up = landmarks[:, EYES].mean(axis=1) - landmarks[:, MOUTH].mean(axis=1)
    return np.asarray(clockwise_angle(up))
