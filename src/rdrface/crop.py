"""The crop: from a face box to the square input of the network, and back. Training and inference share it.

Boxes are those of the 68 landmarks, xyxy image pixels. The size of a box is ``sqrt(width * height)``, the usual
normalizer of landmark errors. The crop is the upright square around the box's center whose side is ``EXPANSION`` times
that size. Detectors convert their boxes to landmark boxes (see `rdrface.detection`).

The crop frame is independent of the resolution: x right, y down, edges at -1 and 1. The center of pixel i of an N-pixel
crop is at (2 i + 1) / N - 1. All predictions of the network are in this frame.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from rdrface.geometry.boxes import box_size

EXPANSION = 1.6
"""Side of the crop in units of the size of the landmark box. It leaves a margin of 6 % above and below a profile (whose
box is twice as high as wide) and of 30 % around a frontal face: enough for the errors of a detector's box."""


@dataclass(frozen=True)
class CropFrame:
    """Positions and sizes of B crops in their images.

    Attributes:
        center: (B, 2) float64, centers of the crops, image pixels.
        half: (B,) float64, half of the crops' sides, image pixels.
    """

    center: np.ndarray
    half: np.ndarray

    @classmethod
    def from_boxes(cls, boxes: np.ndarray) -> "CropFrame":
        """Crop frames of landmark boxes.

        Args:
            boxes: (B, 4) xyxy image pixels, width and height positive.

        Raises:
            ValueError: `boxes` has the wrong shape, or a box is empty or not finite.
        """
        boxes = np.asarray(boxes, dtype=np.float64)
        if boxes.ndim != 2 or boxes.shape[1] != 4:
            raise ValueError(f"boxes must have shape (n, 4), xyxy in image pixels; got {boxes.shape}")
        valid = np.isfinite(boxes).all(1) & (boxes[:, 2:] > boxes[:, :2]).all(1)
        if not valid.all():
            bad = boxes[~valid][0]
            raise ValueError(f"boxes must be finite with x1 > x0 and y1 > y0 (xyxy order); got {bad.tolist()}")
        center = (boxes[:, :2] + boxes[:, 2:]) / 2
        return cls(center=center, half=box_size(boxes) * EXPANSION / 2)

    def to_image(self, points: np.ndarray) -> np.ndarray:
        """Crop frame -> image pixels: points (B, N, 2 or 3); a third coordinate (depth) is only scaled."""
        moved: np.ndarray = np.asarray(points, dtype=np.float64) * self.half[:, None, None]
        moved[..., :2] += self.center[:, None]
        return moved

    def to_crop(self, points: np.ndarray) -> np.ndarray:
        """Image pixels -> crop frame, points (B, N, 2 or 3): the inverse of `to_image`."""
        moved = np.array(points, dtype=np.float64)
        moved[..., :2] -= self.center[:, None]
        in_frame: np.ndarray = moved / self.half[:, None, None]
        return in_frame


def cut(image: np.ndarray, frame: CropFrame, size: int) -> np.ndarray:
    """Cut crops out of an image; parts outside the image are black.

    Args:
        image: (H, W, 3) uint8 RGB.
        frame: B crop frames in that image.
        size: N, side of the crops in pixels.

    Returns:
        (B, 3, N, N) float32 RGB, 0..255: the network's input. Crops much larger than N pixels are area-averaged, which
        avoids aliasing.
    """
    crops = np.empty((len(frame.half), 3, size, size), dtype=np.float32)
    for i, (center, half) in enumerate(zip(frame.center, frame.half, strict=True)):
        crops[i] = _cut_one(image, center, half, size).transpose(2, 0, 1)
    return crops


def _cut_one(image: np.ndarray, center: np.ndarray, half: float, size: int) -> np.ndarray:
    # Pixel centers: crop pixel i shows image coordinate center + half * ((2 i + 1) / size - 1).
    shrink = 2 * half / size
    start = center - half + shrink / 2
    source = image
    if shrink > 2:
        # Linear sampling alone would alias: average whole blocks first, in the neighborhood of the crop only.
        low = np.maximum(np.floor(center - half).astype(int) - 2, 0)
        high = np.minimum(np.ceil(center + half).astype(int) + 3, [image.shape[1], image.shape[0]])
        if (high <= low).any():
            return np.zeros((size, size, 3), np.float32)
        patch = image[low[1] : high[1], low[0] : high[0]]
        width, height = (max(1, int(n // shrink)) for n in (patch.shape[1], patch.shape[0]))
        source = cv2.resize(patch, (width, height), interpolation=cv2.INTER_AREA)
        # Resizing keeps the edges in place, so pixel centers follow the half-pixel rule on each axis.
        fx, fy = patch.shape[1] / width, patch.shape[0] / height
        scale_x, scale_y = shrink / fx, shrink / fy
        start = start - low
        matrix = np.array(
            [[scale_x, 0, (start[0] + 0.5) / fx - 0.5], [0, scale_y, (start[1] + 0.5) / fy - 0.5]], dtype=np.float64
        )
    else:
        matrix = np.array([[shrink, 0, start[0]], [0, shrink, start[1]]], dtype=np.float64)
    return cv2.warpAffine(
        source,
        matrix,
        (size, size),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=(0, 0, 0),
    ).astype(np.float32)
