"""The coarse pass of RetinaFace: detection in a small image, and a second look at the doubtful faces.

Most photos have one face or a few of ordinary size, which a small image shows well enough. What that image leaves open
is decided in windows of the photo, each around one doubtful face. The whole photo is searched at full resolution only
if no face is certain or if too much is doubtful.

The constants were chosen from the tables that ``python benchmarks/detection/measure.py coarse SET DIR`` prints
(docs/detection.md).
"""

import numpy as np
from PIL import Image

from rdrface.detection.retinaface_pass import Candidates, pad, run_passes
from rdrface.geometry.boxes import box_iou, box_size
from rdrface.runtime.session import Session

COARSE_SIDE = 320
"""Long side of the input of the coarse pass, pixels."""
COARSE_BORDER = 8
"""Border of that input, pixels."""
COARSE_MULTIPLE = 16
"""Its sides are multiples of this, pixels: with multiples of 32, a 4:3 photo has a fifth more pixels."""
CANDIDATE_SCORE = 0.01
"""Score in the coarse pass from which a face is possible. Faces of 12 pixels have low scores."""
CERTAIN_SCORE = 0.8
"""Score in the coarse pass from which a face of at least `CERTAIN_SIZE` is certain."""
CERTAIN_SIZE = 24.0
"""Size of a face in the input of the coarse pass, pixels, from which its box is as good as that of a pass at full
resolution."""
LARGE_CANDIDATE_SCORE = 0.1
"""Score in the coarse pass from which a face of at least `CERTAIN_SIZE` is possible."""
HIDDEN_SCORE = 0.3
"""Candidates with a lower score whose center is in the box of a certain face are parts of that face."""

WINDOW = 2.5
"""Side of the window around a doubtful face, in sizes of the face."""
WINDOW_SIDE = 96
"""Side of the input for a window, pixels, including its border."""
MAX_WINDOWS = 16
"""With more doubtful faces, the whole photo is searched at full resolution."""


def doubtful_faces(candidates: Candidates, certain: np.ndarray) -> Candidates:
    """The candidates that need a second look.

    Args:
        candidates: n faces of the coarse pass after NMS.
        certain: (n,) bool, the faces that are certain.
    """
    boxes = candidates.boxes[certain]
    center = (candidates.boxes[:, :2] + candidates.boxes[:, 2:]) / 2
    is_inside = ((center[:, None] > boxes[:, :2]) & (center[:, None] < boxes[:, 2:])).all(axis=2).any(axis=1)
    minimum = np.where(box_size(candidates.boxes) < CERTAIN_SIZE, 0.0, LARGE_CANDIDATE_SCORE)
    minimum[is_inside] = HIDDEN_SCORE
    return candidates.select(~certain & (candidates.scores >= minimum))


def second_look(session: Session, image: np.ndarray, doubtful: Candidates, threshold: float) -> Candidates:
    """Faces in the windows around doubtful faces.

    Args:
        session: runs the detector's graph.
        image: (H, W, 3) uint8 RGB.
        doubtful: n faces, image pixels.
        threshold: minimum score.

    Returns:
        The faces in the middle of the windows before NMS, image pixels.
    """
    center = (doubtful.boxes[:, :2] + doubtful.boxes[:, 2:]) / 2
    sides = np.maximum(WINDOW * box_size(doubtful.boxes), 8.0)
    starts = np.floor(center - sides[:, None] / 2).astype(int)
    sides = np.ceil(sides).astype(int)
    windows = np.stack([pad(_window(image, *start, side), 0) for start, side in zip(starts, sides, strict=True)])
    found = Candidates.empty()
    for faces, start, side in zip(run_passes(session, windows, threshold, 0), starts, sides, strict=True):
        ratio = side / WINDOW_SIDE
        faces = faces.moved(np.array([ratio, ratio]), start)
        distance = np.abs((faces.boxes[:, :2] + faces.boxes[:, 2:]) / 2 - start - side / 2).max(axis=1)
        found = found.joined(faces.select((distance < side / 4) & (box_size(faces.boxes) < 0.75 * side)))
    return found


def _window(image: np.ndarray, x: int, y: int, side: int) -> np.ndarray:
    """Square part of the image, resized to `WINDOW_SIDE`; outside the image, the pixels of its edge are repeated."""
    height, width = image.shape[:2]
    if x >= 0 and y >= 0 and x + side <= width and y + side <= height:
        part = image[y : y + side, x : x + side]
    else:
        rows, columns = (np.clip(np.arange(first, first + side), 0, n - 1) for first, n in ((y, height), (x, width)))
        part = image[rows[:, None], columns]
    return resized_to(part, WINDOW_SIDE, WINDOW_SIDE)


def resized_to(image: np.ndarray, width: int, height: int) -> np.ndarray:
    """Resize an image (H, W, 3) uint8 RGB, area-averaged if it becomes smaller."""
    if image.shape[:2] == (height, width):
        return image
    factor = min(image.shape[1] / width, image.shape[0] / height)
    if factor >= DENSE:
        # Averages of a ninth of the pixels or fewer are as good, and Pillow copies only these.
        step = int(factor / 3)
        image = np.ascontiguousarray(image[step // 2 :: step, step // 2 :: step])
    method = Image.Resampling.HAMMING if factor > 1 else Image.Resampling.BICUBIC
    # The whole part of the factor is a plain average of blocks, four times as fast as the filter.
    return np.asarray(Image.fromarray(image).resize((width, height), method, reducing_gap=1.0))


DENSE = 9.0
"""Factor of the downscaling from which not every pixel is read."""


def replaced(found: Candidates, chosen: np.ndarray, second: Candidates) -> Candidates:
    """The faces of a second pass in place of the chosen ones (mask); chosen faces that it did not detect are kept."""
    unmatched = box_iou(found.boxes, second.boxes).max(axis=1, initial=0) < 0.1
    return found.select(~chosen | unmatched).joined(second)
