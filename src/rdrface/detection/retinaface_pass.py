"""One pass of RetinaFace over an image: input of the graph, priors, and decoding of its outputs."""

from typing import NamedTuple

import numpy as np

from rdrface.geometry.boxes import box_iou, nms
from rdrface.runtime.session import Session

MEAN_BGR = np.array((104, 117, 123), np.float32)
STRIDES = (8, 16, 32)
SIZES = ((16, 32), (64, 128), (256, 512))
"""Sides of the square priors at each stride, pixels."""
CENTER_VARIANCE, SIZE_VARIANCE = 0.1, 0.2
"""SSD's scale factors of the predicted center offset and of the predicted log size."""
BORDER = 32
"""Default border around the image, pixels: priors centered in it detect faces that are cut by the edge of the image. A
multiple of the largest stride keeps the priors inside the image in place."""
MERGED_IOU = 0.6
"""Intersection over union from which two candidates show the same face."""


class Candidates(NamedTuple):
    """Faces of a pass: boxes (n, 4), scores (n,), points (n, 5, 2)."""

    boxes: np.ndarray
    scores: np.ndarray
    points: np.ndarray

    @classmethod
    def empty(cls) -> "Candidates":
        """No faces."""
        return cls(np.empty((0, 4)), np.empty(0, np.float32), np.empty((0, 5, 2)))

    def select(self, chosen: np.ndarray) -> "Candidates":
        """The faces of a mask or of indices."""
        return Candidates(*(array[chosen] for array in self))

    def joined(self, other: "Candidates") -> "Candidates":
        """The faces of both."""
        return Candidates(*(np.concatenate(pair) for pair in zip(self, other, strict=True)))

    def moved(self, ratio: np.ndarray, start: np.ndarray) -> "Candidates":
        """Pixels of a resized image -> pixels of the original image: `ratio` (2,) original pixels per pixel in x and y,
        `start` (2,) first pixel of the resized part."""
        # The edges of both images coincide; the center of the first pixel is half a pixel inside.
        boxes, points = ((at + 0.5) * ratio - 0.5 + start for at in (self.boxes.reshape(-1, 2, 2), self.points))
        return Candidates(boxes.reshape(-1, 4), self.scores, points)

    def without_duplicates(self, iou_threshold: float) -> "Candidates":
        """The faces that non-maximum suppression keeps, in order of decreasing score."""
        return self.select(nms(self.boxes, self.scores, iou_threshold))

    def merged(self, iou_threshold: float) -> "Candidates":
        """The faces of `without_duplicates`, each at the mean position of all candidates that overlap it by
        `MERGED_IOU`, weighted by their scores: more exact than the position of the best one."""
        if len(self.scores) < 2:
            return self
        kept = self.without_duplicates(iou_threshold)
        weights = (box_iou(kept.boxes, self.boxes) >= MERGED_IOU) * self.scores
        weights /= np.maximum(weights.sum(axis=1, keepdims=True), 1e-9)
        return Candidates(weights @ self.boxes, kept.scores, np.einsum("ij,jkl->ikl", weights, self.points))


def run_pass(
    session: Session, image: np.ndarray, threshold: float, border: int = BORDER, multiple: int = STRIDES[-1]
) -> Candidates:
    """Faces of an image (H, W, 3) uint8 RGB before NMS with a score of at least `threshold`, in pixels of the image.

    Args:
        session: runs the graph of `rdrface.detection.retinaface.weights`.
        image: the image.
        threshold: minimum score.
        border, multiple: see `pad`.
    """
    padded = pad(image, border, multiple)
    results = session.run(padded)
    likelihood = results["conf"][0, :, 1]
    likely = np.flatnonzero(likelihood >= threshold)
    if not len(likely):
        return Candidates.empty()
    prior = priors(padded.shape[2], padded.shape[3], likely)
    boxes, points = (
        decode_boxes(results["loc"][0, likely], prior),
        decode_points(results["landmarks"][0, likely], prior),
    )
    origin = border + 0.5
    return Candidates(boxes - origin, likelihood[likely], points - origin)


def pad(image: np.ndarray, border: int = BORDER, multiple: int = STRIDES[-1]) -> np.ndarray:
    """(H, W, 3) uint8 RGB -> (1, 3, H', W') float32, the input of the graph: BGR minus the mean, with a border that
    repeats the pixels at the image's edge. The border is `border` wide at the left and top, and at least as wide at the
    right and bottom, where it completes multiples of `multiple`."""
    height, width = image.shape[:2]
    bottom, right = border + height, border + width
    result = np.empty((1, 3, _padded_side(height, border, multiple), _padded_side(width, border, multiple)), np.float32)
    for channel, mean in enumerate(MEAN_BGR):
        np.subtract(image[..., 2 - channel], mean, out=result[0, channel, border:bottom, border:right])
    result[..., border:bottom, :border] = result[..., border:bottom, border : border + 1]
    result[..., border:bottom, right:] = result[..., border:bottom, right - 1 : right]
    result[..., :border, :] = result[..., border : border + 1, :]
    result[..., bottom:, :] = result[..., bottom - 1 : bottom, :]
    return result


def _padded_side(side: int, border: int, multiple: int) -> int:
    return -(-(side + 2 * border) // multiple) * multiple


def priors(height: int, width: int, chosen: np.ndarray | None = None) -> np.ndarray:
    """Priors of an image whose sides are multiples of 16.

    Args:
        height, width: of the image with its border, pixels.
        chosen: (n,) int, indices of the priors; None: all.

    Returns:
        (n, 3) center x, center y and side; the origin is the top-left corner of that image.
    """
    rows, columns = (-(-side // np.array(STRIDES)) for side in (height, width))
    per_cell = len(SIZES[0])
    ends = np.cumsum(rows * columns * per_cell)
    index = np.arange(ends[-1]) if chosen is None else chosen
    level = np.searchsorted(ends, index, side="right")
    cell, size = np.divmod(index - np.concatenate([[0], ends])[level], per_cell)
    y, x = np.divmod(cell, columns[level])
    stride = np.array(STRIDES)[level]
    return np.stack([(x + 0.5) * stride, (y + 0.5) * stride, np.array(SIZES, float)[level, size]], axis=1)


def decode_boxes(offsets: np.ndarray, prior: np.ndarray) -> np.ndarray:
    """(n, 4) predicted offsets and (n, 3) priors -> (n, 4) xyxy."""
    center = prior[:, :2] + offsets[:, :2] * CENTER_VARIANCE * prior[:, 2:]
    half = np.exp(offsets[:, 2:].astype(float) * SIZE_VARIANCE) * prior[:, 2:] / 2
    return np.concatenate([center - half, center + half], axis=1)


def decode_points(offsets: np.ndarray, prior: np.ndarray) -> np.ndarray:
    """(n, 10) predicted offsets and (n, 3) priors -> (n, 5, 2): eyes, nose and mouth corners, left first."""
    points: np.ndarray = prior[:, None, :2] + offsets.reshape(-1, 5, 2) * CENTER_VARIANCE * prior[:, None, 2:]
    return points
