"""Photos with points of one's own, seen through the network: where each face is, what the network says, and its window.

The box around the labeled points is no landmark box: the points may cover the eyes alone, or the ears too. So every
face is aligned twice: from the detector's box, and again from the box of the 68 landmarks found there.
"""

from dataclasses import dataclass

import numpy as np
import torch
from tqdm import tqdm

from rdrface.crop import CropFrame, cut
from rdrface.datasets.crops import MARGIN
from rdrface.datasets.records import FaceRecords
from rdrface.detection.protocol import Detections, Detector
from rdrface.geometry.boxes import bounding_boxes
from rdrface.image import read_image
from rdrface.network.rdr import RDR, Step

INSIDE = 0.5
"""Share of a face's labeled points that the detector's box must hold to be that face's."""

WIDER = 1.5
"""By how much the detector's box is widened for that: points on ears or hair lie outside of a landmark box."""


@dataclass(frozen=True)
class CustomFaces:
    """N faces with labels of one's own, L points each.

    Attributes:
        name: N paths, as text.
        start: (N, 4) float64 boxes that `rdrface detect` would start from, photo pixels.
        detected: (N,) bool, the detector found the face; else `start` is the box of the labels.
        frame: N crops in their photos, around the box of the 68 landmarks found.
        labels: (N, L, 2) float32, crop frame of `frame`; NaN where there is none.
        landmarks: (N, 68, 2) float32, crop frame, the network's.
        q: (N, 103) float32, crop frame, the network's.
        windows: (N, S, S, 3) uint8 RGB; as in `rdrface.datasets.crops`, `MARGIN` times as large as the crop.
        valid: (N, 4) float32 xyxy, frame of the window (edges at -1 and 1): the part that the photo covers.
    """

    name: tuple[str, ...]
    start: np.ndarray
    detected: np.ndarray
    frame: CropFrame
    labels: np.ndarray
    landmarks: np.ndarray
    q: np.ndarray
    windows: np.ndarray
    valid: np.ndarray

    def __len__(self) -> int:
        return len(self.name)

    @property
    def sizes(self) -> np.ndarray:
        """(N,) root of the area of the box of the 68 landmarks, crop frame."""
        sizes: np.ndarray = np.sqrt(np.ptp(self.landmarks, axis=1).prod(1))
        return sizes

    def select(self, index: np.ndarray) -> "CustomFaces":
        """The faces at `index`, (M,) int or (N,) bool."""
        names = np.array(self.name)[index].tolist()
        arrays = (self.labels, self.landmarks, self.q, self.windows, self.valid)
        frame = CropFrame(self.frame.center[index], self.frame.half[index])
        kept = [array[index] for array in arrays]
        return CustomFaces(tuple(names), self.start[index], self.detected[index], frame, *kept)


def see_faces(own: FaceRecords, network: RDR, size: int, detector: Detector) -> CustomFaces:
    """Find and align every labeled face.

    Args:
        own: photos and labels.
        network: RDR in evaluation mode.
        size: N, side of its crops in pixels.
        detector: finds faces.

    Raises:
        ImageError: a photo cannot be read.
    """
    rows = []
    window = int(round(size * MARGIN / 16) * 16)
    for image, points in tqdm(
        zip(own.image, own.points, strict=True), total=len(own), desc="finding the faces", disable=None
    ):
        photo = read_image(image)
        start, detected = start_box(detector.detect(photo), points)
        frame = CropFrame.from_boxes(start[None])
        first = run(network, cut(photo, frame, size))
        frame = CropFrame.from_boxes(bounding_boxes(frame.to_image(first.landmarks.numpy())))
        last = run(network, cut(photo, frame, size))
        wide = CropFrame(frame.center, frame.half * MARGIN)
        pixels = cut(photo, wide, window)[0].transpose(1, 2, 0)
        height, width = photo.shape[:2]
        corners = np.array([[[-0.5, -0.5], [width - 0.5, height - 0.5]]])
        rows.append(
            (
                start,
                detected,
                frame.center[0],
                frame.half[0],
                frame.to_crop(points[None])[0].astype(np.float32),
                last.landmarks[0].numpy(),
                last.q[0].numpy(),
                np.rint(pixels).clip(0, 255).astype(np.uint8),
                wide.to_crop(corners).reshape(4).clip(-1, 1).astype(np.float32),
            )
        )
    boxes, found, center, half, *arrays = (np.stack(column) for column in zip(*rows, strict=True))
    return CustomFaces(tuple(map(str, own.image)), boxes, found, CropFrame(center, half), *arrays)


@torch.no_grad()
def run(network: RDR, crops: np.ndarray) -> Step:
    """The network's last step on (B, 3, N, N) crops, in float32."""
    return network(torch.from_numpy(crops)).steps[-1]


def start_box(found: Detections, points: np.ndarray) -> tuple[np.ndarray, bool]:
    """The box to start from: the detected face that holds the points, else the points' own box.

    Args:
        found: faces of the photo.
        points: (L, 2) photo pixels, NaN where there is none.

    Returns:
        (4,) float64 xyxy, and whether a face was found there.
    """
    known = points[np.isfinite(points).all(1)].astype(np.float64)
    if len(found):
        center, half = (found.boxes[:, :2] + found.boxes[:, 2:]) / 2, (found.boxes[:, 2:] - found.boxes[:, :2]) / 2
        offset = np.abs(known[None] - center[:, None]) / half[:, None]
        held = (offset < WIDER).all(2).mean(1)
        # Of faces that overlap, the one whose middle the points surround.
        score = held - 0.1 * offset.max(2).mean(1)
        best = int(np.argmax(score))
        if held[best] >= INSIDE:
            return found.boxes[best].astype(np.float64), True
    low, high = known.min(0), known.max(0)
    # Points on one line have no area, and points close together would give a crop of skin.
    side = max(float((high - low).max()), 1.0)
    middle = (low + high) / 2
    extent = np.maximum(high - low, 0.7 * side)
    return np.concatenate([middle - extent / 2, middle + extent / 2]), False
