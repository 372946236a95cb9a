"""The detector, its inputs, and the detection that belongs to an annotated face."""

from dataclasses import replace
from functools import lru_cache

import cv2
import numpy as np
from annotated_photos import MATCHED_IOU, Annotated

from rdrface.detection.protocol import Detections
from rdrface.detection.retinaface import MAX_SIDE, RetinaFace, weights
from rdrface.geometry.boxes import box_iou
from rdrface.runtime.session import open_graph


@lru_cache
def single_thread_detector(max_side: int = MAX_SIDE) -> RetinaFace:
    """The default detector on one thread."""
    return RetinaFace(open_graph(weights(), threads=1), max_side=max_side)


def scaled(face: Annotated, size: float) -> Annotated:
    """Downscale a photo until its face has `size` pixels; photos of smaller faces are not changed."""
    if face.size <= size:
        return face
    height, width = face.pixels.shape[:2]
    new = max(1, round(width * size / face.size)), max(1, round(height * size / face.size))
    pixels = cv2.resize(face.pixels, new, interpolation=cv2.INTER_AREA)
    return replace(face, pixels=pixels, points=(face.points + 0.5) * (new[0] / width, new[1] / height) - 0.5)


def match(truth: np.ndarray, detections: Detections) -> int | None:
    """Index of the detection whose landmark box has the largest intersection over union with the box `truth` (4,).

    None if that is below `MATCHED_IOU`.
    """
    if not len(detections):
        return None
    iou = box_iou(truth[None], detections.boxes)[0]
    best = int(iou.argmax())
    return best if iou[best] >= MATCHED_IOU else None


def median(values: list[float]) -> float | None:
    """Median, or None without values."""
    return float(np.median(values)) if values else None
