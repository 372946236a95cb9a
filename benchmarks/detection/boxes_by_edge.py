"""Landmark boxes of faces that are cut by the edge of the image."""

from collections.abc import Sequence

import numpy as np
from annotated_photos import Annotated
from matching import match, median, single_thread_detector

from rdrface.detection.retinaface import RetinaFace
from rdrface.evaluation.tables.tables import Row, Table
from rdrface.geometry.boxes import box_size

SIDES = ("left", "right", "top", "bottom")
SHARES = (0.0, 0.2, 0.35, 0.5)
"""Shares of the width or height of the landmark box that are cut away."""


def measure(faces: Sequence[Annotated]) -> list[Table]:
    """Table by side and share."""
    detector = single_thread_detector()
    rows = [row("complete photo", detector, [(face.pixels, face.box) for face in faces])]
    for side in SIDES:
        for share in SHARES:
            images = [cut(face.pixels, face.box, side, share) for face in faces]
            rows.append(row(f"{side}, {100 * share:g} %", detector, images))
    return [
        Table(
            f"{len(faces)} upright faces, cut by the edge of the image: the landmark box",
            ("detected", "distance", "side"),
            tuple(rows),
            (
                "Medians, in sizes of the annotated landmark box. distance: from its center to that of the detector's.",
                "side: size of the detector's. 0 %: the image ends at the annotated box.",
            ),
        )
    ]


def cut(pixels: np.ndarray, box: np.ndarray, side: str, share: float) -> tuple[np.ndarray, np.ndarray]:
    """Cut away a share of a box (4,) and all that is beyond it.

    Returns:
        The remaining image, and the complete box (4,) in it: it extends beyond the image.
    """
    horizontal = side in ("left", "right")
    low, high = (box[0], box[2]) if horizontal else (box[1], box[3])
    if side in ("left", "top"):
        start, stop = max(0, round(low + share * (high - low))), None
    else:
        start, stop = 0, round(high - share * (high - low)) + 1
    if horizontal:
        return pixels[:, start:stop], box - (start, 0, start, 0)
    return pixels[start:stop], box - (0, start, 0, start)


def row(name: str, detector: RetinaFace, images: Sequence[tuple[np.ndarray, np.ndarray]]) -> Row:
    """Compare the detections in images with the box (4,) of each."""
    distances, sides = [], []
    for pixels, truth in images:
        detections = detector.detect(pixels)
        index = match(truth, detections)
        if index is None:
            continue
        box, size = detections.boxes[index], float(box_size(truth))
        distances.append(float(np.linalg.norm((box[:2] + box[2:] - truth[:2] - truth[2:]) / 2)) / size)
        sides.append(float(box_size(box)) / size)
    return Row(name, (len(distances), median(distances), median(sides)))
