"""The crop: from a face box to the square input of the network, and back. Training and inference share it.

Boxes are those of the 68 landmarks, xyxy image pixels. The size of a box is ``sqrt(width * height)``, the usual
normalizer of landmark errors. The crop is the square around the box's center whose side is ``EXPANSION`` times that
size, rotated with the face so that the face is about upright in it. Detectors convert their boxes to landmark boxes
(see `rdrface.detection`).

The crop frame is independent of the resolution: x right, y down, edges at -1 and 1. The center of pixel i of an N-pixel
crop is at (2 i + 1) / N - 1. All predictions of the network are in this frame.
"""

from dataclasses import dataclass, field

import numpy as np
from PIL import Image

from rdrface.geometry.boxes import box_size

EXPANSION = 1.6
"""Side of the crop in units of the size of the landmark box. It leaves a margin of 6 % above and below a profile (whose
box is twice as high as wide) and of 30 % around a frontal face: enough for the errors of a detector's box."""


@dataclass(frozen=True)
class CropFrame:
    """Positions, sizes and rotations of B crops in their images.

    Attributes:
        center: (B, 2) float64, centers of the crops, image pixels.
        half: (B,) float64, half of the crops' sides, image pixels.
        angle: (B,) float64, rotation of the crops in the image, radians; positive is clockwise as seen. By default, the
            crops are upright.
    """

    center: np.ndarray
    half: np.ndarray
    angle: np.ndarray = field(default_factory=lambda: np.empty(0))

    def __post_init__(self) -> None:
        if not len(self.angle):
            object.__setattr__(self, "angle", np.zeros(len(self.half)))
        if len(self.angle) != len(self.half):
            raise ValueError(f"angles must have one value per crop ({len(self.half)}); got {len(self.angle)}")

    @classmethod
    def from_boxes(cls, boxes: np.ndarray, angles: np.ndarray | None = None) -> "CropFrame":
        """Crop frames of landmark boxes.

        Args:
            boxes: (B, 4) xyxy image pixels, width and height positive.
            angles: (B,) degrees, clockwise as seen; None for upright crops.

        Raises:
            ValueError: `boxes` has the wrong shape, a box is empty or not finite, or `angles` has another length.
        """
        boxes = np.asarray(boxes, dtype=np.float64)
        if boxes.ndim != 2 or boxes.shape[1] != 4:
            raise ValueError(f"boxes must have shape (n, 4), xyxy in image pixels; got {boxes.shape}")
        valid = np.isfinite(boxes).all(1) & (boxes[:, 2:] > boxes[:, :2]).all(1)
        if not valid.all():
            bad = boxes[~valid][0]
            raise ValueError(f"boxes must be finite with x1 > x0 and y1 > y0 (xyxy order); got {bad.tolist()}")
        center = (boxes[:, :2] + boxes[:, 2:]) / 2
        upright = np.zeros(len(boxes)) if angles is None else np.asarray(angles, np.float64)
        return cls(center, box_size(boxes) * EXPANSION / 2, np.radians(upright))

    def __len__(self) -> int:
        return len(self.half)

    def select(self, index: np.ndarray) -> "CropFrame":
        """The M crops at `index`, (M,) int or (B,) bool, in this order."""
        return CropFrame(self.center[index], self.half[index], self.angle[index])

    def to_image(self, points: np.ndarray) -> np.ndarray:
        """Crop frame -> image pixels: points (B, N, 2 or 3); a third coordinate (depth) is only scaled."""
        moved: np.ndarray = np.asarray(points, dtype=np.float64) * self.half[:, None, None]
        if self.angle.any():
            moved[..., :2] = _rotate(moved[..., :2], self.angle)
        moved[..., :2] += self.center[:, None]
        return moved

    def to_crop(self, points: np.ndarray) -> np.ndarray:
        """Image pixels -> crop frame, points (B, N, 2 or 3): the inverse of `to_image`."""
        moved = np.array(points, dtype=np.float64)
        moved[..., :2] = _rotate(moved[..., :2] - self.center[:, None], -self.angle)
        in_frame: np.ndarray = moved / self.half[:, None, None]
        return in_frame


def _rotate(points: np.ndarray, angle: np.ndarray) -> np.ndarray:
    """Points (B, N, 2), y down, rotated clockwise as seen by angle (B,) radians."""
    rotated = np.array(points)
    # Upright crops keep points at infinity, which the products would make NaN.
    index = np.flatnonzero(angle)
    cos, sin = np.cos(angle[index])[:, None], np.sin(angle[index])[:, None]
    x, y = points[index, :, 0], points[index, :, 1]
    rotated[index] = np.stack([cos * x - sin * y, sin * x + cos * y], axis=-1)
    return rotated


def cut(image: np.ndarray, frame: CropFrame, size: int) -> np.ndarray:
    """Cut crops out of an image; outside the image, the pixels of its edge are repeated.

    A black area outside would look like the background of a profile to the network: with repeated edge pixels, a face
    that the edge of the image cuts is less often taken for one.

    Args:
        image: (H, W, 3) uint8 RGB.
        frame: B crops in this image.
        size: N, side of the crops in pixels.

    Returns:
        (B, 3, N, N) float32 RGB, 0..255: the network's input. Crops much larger than N pixels are area-averaged, which
        avoids aliasing.
    """
    crops = np.empty((len(frame), 3, size, size), dtype=np.float32)
    for i in range(len(frame)):
        crops[i] = _cut_one(image, frame.center[i], frame.half[i], frame.angle[i], size)
    return crops


def _cut_one(image: np.ndarray, center: np.ndarray, half: float, angle: float, size: int) -> np.ndarray:
    # Crop pixel (i, j) shows the image at center + Rot(angle) half ((2 i + 1) / size - 1, (2 j + 1) / size - 1).
    steps = half * ((2 * np.arange(size) + 1) / size - 1)
    if angle:
        cos, sin = np.cos(angle), np.sin(angle)
        x = center[0] + cos * steps[None, :] - sin * steps[:, None]
        y = center[1] + sin * steps[None, :] + cos * steps[:, None]
    else:
        x, y = center[0] + steps, center[1] + steps

    block = int(2 * half / size)
    if block > 1:
        # Linear sampling alone would alias: average whole blocks first, in the neighborhood of the crop only.
        limit = np.array([image.shape[1], image.shape[0]])
        low = np.clip(np.floor([x.min(), y.min()]).astype(int) - block, 0, limit - 1)
        high = np.clip(np.ceil([x.max(), y.max()]).astype(int) + block + 1, low + 1, limit)
        image = np.asarray(Image.fromarray(image[low[1] : high[1], low[0] : high[0]]).reduce(block))
        # A block's center is half a block from its edge, and a pixel's center is half a pixel from its edge.
        x, y = ((at - start + 0.5) / block - 0.5 for at, start in zip((x, y), low, strict=True))
    return _sample(image, x, y) if angle else _sample_upright(image, x, y)


def _sample_upright(image: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """(3, N, N) float32: `_sample` for the columns x (N,) and rows y (N,), increasing, twice as fast."""
    left, right, across = _neighbors(x, image.shape[1])
    above, below, down = _neighbors(y, image.shape[0])
    x0, y0 = left[0], above[0]
    left, right, above, below = left - x0, right - x0, above - y0, below - y0
    part = image[y0 : y0 + below[-1] + 1, x0 : x0 + right[-1] + 1]
    sampled = np.empty((3, len(y), len(x)), np.float32)
    # One channel at a time: its temporary arrays are small enough for the memory allocator to reuse.
    for channel, plane in zip(sampled, part.transpose(2, 0, 1), strict=True):
        plane = np.ascontiguousarray(plane)
        rows, next_rows = plane.take(above, axis=0).astype(np.float32), plane.take(below, axis=0).astype(np.float32)
        rows += (next_rows - rows) * down[:, None]
        columns, next_columns = rows.take(left, axis=1), rows.take(right, axis=1)
        np.add(columns, (next_columns - columns) * across, out=channel)
    return sampled


def _sample(image: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """(3, N, N) float32: linear interpolation of an image (H, W, 3) at positions (N, N), which are clipped to it."""
    left, right, across = _neighbors(x, image.shape[1])
    above, below, down = _neighbors(y, image.shape[0])
    # Planes of the part that is read, with flat indices: three times as fast as image[above, left].
    x0, y0, width = left.min(), above.min(), right.max() + 1 - left.min()
    planes = np.ascontiguousarray(image[y0 : below.max() + 1, x0 : x0 + width].transpose(2, 0, 1)).reshape(3, -1)
    left, right = left - x0, right - x0
    above, below = (above - y0) * width, (below - y0) * width
    both = across * down
    sampled: np.ndarray = planes.take(above + left, axis=1) * (1 - across - down + both)
    sampled += planes.take(above + right, axis=1) * (across - both)
    sampled += planes.take(below + left, axis=1) * (down - both)
    sampled += planes.take(below + right, axis=1) * both
    return sampled


def _neighbors(at: np.ndarray, length: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Indices of the pixels before and after each position (...), and the weight of the pixel after it, float32."""
    at = at.clip(0, length - 1)
    before = at.astype(np.intp)
    return before, np.minimum(before + 1, length - 1), (at - before).astype(np.float32)
