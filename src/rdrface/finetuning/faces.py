"""Faces with custom landmarks, aligned by the frozen network: predictions, crop frames and packed crops.

The box around custom landmarks is not a landmark box: the points may cover only the eyes, or include the ears.
Therefore every face is aligned twice: from the detector's box, then from the box of the 68 landmarks predicted there.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from tqdm import tqdm

from rdrface.crop import CropFrame, cut
from rdrface.datasets.crops import MARGIN
from rdrface.detection.protocol import Detections, Detector
from rdrface.geometry.boxes import bounding_boxes, box_size, image_edges
from rdrface.image import read_image
from rdrface.network.rdr import RDR, Step

MIN_INSIDE = 0.5
"""Minimum share of a face's annotated points inside a detected box for the box to belong to that face."""

BOX_ENLARGEMENT = 1.5
"""Factor by which detected boxes are enlarged for this test: points on ears or hair are outside a landmark box."""


@dataclass(frozen=True)
class CustomFaces:
    """N aligned faces with L custom landmarks each.

    Attributes:
        image: N paths of the faces' images.
        boxes: (N, 4) float64 xyxy image pixels, the boxes from which `rdrface detect` would align the faces.
        detected: (N,) bool, True where the detector found the face; elsewhere `boxes` comes from the annotated points.
        frame: N crop frames in their images, around the boxes of the 68 predicted landmarks.
        labels: (N, L, 2) float32 annotated points, crop frame; NaN where a point has no position.
        landmarks: (N, 68, 2) float32 landmarks predicted by the network, crop frame.
        q: (N, 103) float32 parameters predicted by the network, crop frame.
        packed_images: (N, S, S, 3) uint8 RGB, the packed crops, `MARGIN` times as large as the crops, see
            `rdrface.datasets.crops`.
        valid: (N, 4) float32 xyxy, the part of the packed crop inside the image, packed frame (edges at -1 and 1).
    """

    image: tuple[str, ...]
    boxes: np.ndarray
    detected: np.ndarray
    frame: CropFrame
    labels: np.ndarray
    landmarks: np.ndarray
    q: np.ndarray
    packed_images: np.ndarray
    valid: np.ndarray

    def __len__(self) -> int:
        return len(self.image)

    @property
    def sizes(self) -> np.ndarray:
        """(N,) face sizes: sqrt(width x height) of the box of the 68 landmarks, crop frame."""
        return box_size(bounding_boxes(self.landmarks))

    def select(self, index: np.ndarray) -> "CustomFaces":
        """Return the faces at `index`, (M,) int or (N,) bool."""
        images = np.array(self.image)[index].tolist()
        arrays = (self.labels, self.landmarks, self.q, self.packed_images, self.valid)
        frame = CropFrame(self.frame.center[index], self.frame.half[index])
        selected = [array[index] for array in arrays]
        return CustomFaces(tuple(images), self.boxes[index], self.detected[index], frame, *selected)


def align_faces(
    images: Sequence[Path | str], points: np.ndarray, network: RDR, size: int, detector: Detector
) -> CustomFaces:
    """Detect and align every annotated face.

    Args:
        images: N paths.
        points: (N, L, 2) annotated points, image pixels; NaN where a point has no position.
        network: RDR in evaluation mode.
        size: N, side of the network's crops in pixels.
        detector: face detector.

    Raises:
        ImageError: an image cannot be read.
    """
    rows = []
    packed_size = int(round(size * MARGIN / 16) * 16)
    annotated = zip(images, points, strict=True)
    for path, labels in tqdm(annotated, total=len(images), desc="aligning the faces", disable=None):
        image = read_image(path)
        box, detected = initial_box(detector.detect(image), labels)
        frame = CropFrame.from_boxes(box[None])
        first = predict(network, cut(image, frame, size))
        frame = CropFrame.from_boxes(bounding_boxes(frame.to_image(first.landmarks.numpy())))
        second = predict(network, cut(image, frame, size))
        packed_frame = CropFrame(frame.center, frame.half * MARGIN)
        pixels = cut(image, packed_frame, packed_size)[0].transpose(1, 2, 0)
        height, width = image.shape[:2]
        corners = image_edges(width, height).reshape(1, 2, 2)
        rows.append(
            (
                box,
                detected,
                frame.center[0],
                frame.half[0],
                frame.to_crop(labels[None])[0].astype(np.float32),
                second.landmarks[0].numpy(),
                second.q[0].numpy(),
                np.rint(pixels).clip(0, 255).astype(np.uint8),
                packed_frame.to_crop(corners).reshape(4).clip(-1, 1).astype(np.float32),
            )
        )
    boxes, detections, center, half, *arrays = (np.stack(column) for column in zip(*rows, strict=True))
    return CustomFaces(tuple(map(str, images)), boxes, detections, CropFrame(center, half), *arrays)


@torch.no_grad()
def predict(network: RDR, crops: np.ndarray) -> Step:
    """Run the network on crops (B, 3, N, N) in float32 and return its last step."""
    step: Step = network(torch.from_numpy(crops)).steps[-1]
    return step


def initial_box(detections: Detections, points: np.ndarray) -> tuple[np.ndarray, bool]:
    """Choose the box to align from: the detected face that contains the points, else a box around the points.

    Args:
        detections: all faces detected in the image.
        points: (L, 2) annotated points, image pixels; NaN where a point has no position.

    Returns:
        The box, (4,) float64 xyxy, and whether it is a detected face.
    """
    known = points[np.isfinite(points).all(1)].astype(np.float64)
    if len(detections):
        low, high = detections.boxes[:, :2], detections.boxes[:, 2:]
        center, half = (low + high) / 2, (high - low) / 2
        offset = np.abs(known[None] - center[:, None]) / half[:, None]
        inside = (offset < BOX_ENLARGEMENT).all(2).mean(1)
        # Of overlapping faces, prefer the one that is centered on the points.
        score = inside - 0.1 * offset.max(2).mean(1)
        best = int(np.argmax(score))
        if inside[best] >= MIN_INSIDE:
            return detections.boxes[best].astype(np.float64), True
    low, high = known.min(0), known.max(0)
    # The box of collinear points has no area, and the box of clustered points would show only skin.
    side = max(float((high - low).max()), 1.0)
    center = (low + high) / 2
    extent = np.maximum(high - low, 0.7 * side)
    return np.concatenate([center - extent / 2, center + extent / 2]), False
