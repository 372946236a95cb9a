"""Faces with custom landmarks, aligned by the frozen network: predictions, crop frames and packed crops.

The box around custom landmarks is not a landmark box: the points may cover only the eyes, or include the ears.
Therefore every face is aligned twice: from the detector's box, then from the box of the 68 landmarks predicted there.
Faces of a dataset with the 68 landmarks are aligned from the box of the annotated ones, as in `rdrface evaluate`.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from tqdm import tqdm

from rdrface.crop import CropFrame, cut
from rdrface.datasets.crops import MARGIN
from rdrface.datasets.records import FaceRecords, is_outside
from rdrface.detection.protocol import Detections, Detector
from rdrface.errors import DataError
from rdrface.finetuning.formats import photo_names
from rdrface.geometry.boxes import bounding_boxes, box_size, image_edges
from rdrface.image import read_image
from rdrface.morphable.params import POSE, YAW
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
        photo: (N,) str, names of the photos that the images were made from, see `photo_names`.
        boxes: (N, 4) float64 xyxy image pixels, the boxes from which the faces are aligned: by `rdrface detect`, or for
            a dataset with the 68 landmarks by `rdrface evaluate`.
        detected: (N,) bool, True where the detector found the face; elsewhere `boxes` comes from the annotated points.
        frame: N crop frames in their images, around the boxes of `landmarks`.
        labels: (N, L, 2) float32 annotated points, crop frame; NaN where a point has no position.
        landmarks: (N, 68, 2) float32 the 68 landmarks, crop frame: predicted by the network, or annotated where the
            custom landmarks are these.
        yaw: (N,) float64 degrees, annotated if the dataset has angles, otherwise predicted.
        q: (N, 103) float32 parameters predicted by the network, crop frame.
        packed_images: (N, S, S, 3) uint8 RGB, the packed crops, `MARGIN` times as large as the crops, see
            `rdrface.datasets.crops`.
        valid: (N, 4) float32 xyxy, the part of the packed crop inside the image, packed frame (edges at -1 and 1).
    """

    image: tuple[str, ...]
    photo: np.ndarray
    boxes: np.ndarray
    detected: np.ndarray
    frame: CropFrame
    labels: np.ndarray
    landmarks: np.ndarray
    yaw: np.ndarray
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
        arrays = (self.labels, self.landmarks, self.yaw, self.q, self.packed_images, self.valid)
        frame = CropFrame(self.frame.center[index], self.frame.half[index])
        selected = [array[index] for array in arrays]
        boxes, detected = self.boxes[index], self.detected[index]
        return CustomFaces(tuple(images), self.photo[index], boxes, detected, frame, *selected)


def align_faces(annotated: FaceRecords, network: RDR, size: int, detector: Detector) -> CustomFaces:
    """Align every annotated face, from the box of its 68 landmarks if these are annotated, else from a detected box.

    Args:
        annotated: N faces with L points, read by `rdrface.finetuning.formats.read_annotations`.
        network: RDR in evaluation mode.
        size: N, side of the network's crops in pixels.
        detector: face detector.

    Raises:
        ImageError: an image cannot be read.
        DataError: all points of a face are outside its image; the message has the number of such faces and the first.
    """
    rows: list[tuple[Any, ...]] = []
    outside: list[str] = []
    packed_size = int(round(size * MARGIN / 16) * 16)
    has_landmarks = annotated.contour is not None
    for i, path in enumerate(tqdm(annotated.image.tolist(), desc="aligning the faces", disable=None)):
        image, labels = read_image(path), annotated.points[i]
        height, width = image.shape[:2]
        if is_outside(labels, width, height):
            outside.append(path)
        if outside:
            continue
        if has_landmarks:
            box, detected = annotated.box[i], False
            frame = CropFrame.from_boxes(box[None])
        else:
            box, detected = initial_box(detector.detect(image), labels)
            frame = CropFrame.from_boxes(box[None])
            first = predict(network, cut(image, frame, size))
            frame = CropFrame.from_boxes(bounding_boxes(frame.to_image(first.landmarks.numpy())))
        last = predict(network, cut(image, frame, size))
        cropped = frame.to_crop(labels[None])[0].astype(np.float32)
        predicted = last.landmarks[0].numpy()
        packed_frame = CropFrame(frame.center, frame.half * MARGIN)
        pixels = cut(image, packed_frame, packed_size)[0].transpose(1, 2, 0)
        corners = image_edges(width, height).reshape(1, 2, 2)
        rows.append(
            (
                box,
                detected,
                frame.center[0],
                frame.half[0],
                cropped,
                np.where(np.isfinite(cropped), cropped, predicted) if has_landmarks else predicted,
                np.degrees(float(last.q[0, POSE][YAW])) if annotated.yaw is None else annotated.yaw[i],
                last.q[0].numpy(),
                np.rint(pixels).clip(0, 255).astype(np.uint8),
                packed_frame.to_crop(corners).reshape(4).clip(-1, 1).astype(np.float32),
            )
        )
    if outside:
        raise DataError(
            f"all points are outside the image in {len(outside)} of {len(annotated)} annotations, the first one of "
            f"{outside[0]}; they belong to another image, or to another size of it. Correct or remove them"
        )
    boxes, detections, center, half, *arrays = (np.stack(column) for column in zip(*rows, strict=True))
    images = tuple(annotated.image.tolist())
    return CustomFaces(images, photo_names(annotated), boxes, detections, CropFrame(center, half), *arrays)


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
