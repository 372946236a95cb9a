"""The coarse pass of RetinaFace: detection in a small image, and a second look at the doubtful faces.

Most photos show one face or a few of ordinary size, and a small image is enough for them. Each face that is doubtful
there is searched again in a window of the original image. The whole image is searched at full resolution only if no
face is certain, if a certain face is cut by the edge of the image or is small and rotated, or if too much stays
doubtful.

Boxes, scores and angles of the certain faces are those of the coarse pass. The constants follow from the tables of
``python benchmarks/detection/measure.py coarse SET DIR`` (docs/detection.md).
"""

import numpy as np
from PIL import Image

from rdrface.detection.face_box import face_angles
from rdrface.detection.retinaface_pass import Candidates, run_pass
from rdrface.geometry.boxes import box_iou, box_size
from rdrface.runtime.session import Session

COARSE_SCALE = 0.35
"""Scale of the coarse pass relative to full resolution: a face of 48 pixels in an image of 1280 has 17 pixels."""
COARSE_SIDE = 320
"""Minimum long side of the input of the coarse pass, pixels: half of a 640-pixel image."""
MAX_RELATIVE_SCALE = 0.8
"""Scale of the coarse pass relative to full resolution above which it is left out, because it saves too little."""
COARSE_BORDER, COARSE_MULTIPLE = 16, 16
"""Border of that input and the number of which its sides are multiples, pixels. A border of 8 saves a tenth of the
pixels but gives more doubtful faces."""

CERTAIN_SCORE, CERTAIN_SIZE = 0.8, 20.0
"""Score and size (pixels of the coarse input) from which a face of the coarse pass is certain."""
ROTATED_ANGLE, ROTATED_SIZE = 20.0, 80.0
"""In-plane rotation, degrees, above which a certain face needs this size (pixels of the coarse input): the angles of
smaller rotated faces are exact enough only at full resolution."""
CUT_MARGIN = 0.02
"""Distance from the edge of the image, in face sizes, below which a face is cut by it."""
CANDIDATE_SIZES, CANDIDATE_SCORES = (20.0, 40.0), (0.006, 0.1)
"""Minimum score of a doubtful face by its size (pixels of the coarse input), with linear interpolation. Faces of 12
pixels have low scores; larger ones are seen well enough to have a higher score."""
OVERLAPPING_SCORE = 0.3
"""Minimum score of a doubtful face whose center is inside the box of a certain face. Most of them are parts of it."""

WINDOW = 2.5
"""Side of the window around a doubtful face, in sizes of the face."""
WINDOW_SIDE = 96
"""Side of the input for a window, pixels. The face has about 35 pixels in it, also if it is smaller in the image."""
WINDOW_IOU = 0.4
"""Overlap of two faces of a window from which they are one."""
MIN_WINDOW = 16
"""Minimum side of a window, pixels of the image."""
MAX_CANDIDATES, MAX_WINDOWS = 1000, 16
"""With more candidates before NMS, or more doubtful faces, the whole image is searched at full resolution."""
UNDECIDED_SCORE = 0.2
"""If the best score in a window is between this and the score threshold, the whole image is searched."""

FAST_DOWNSCALING = 6.0
"""Factor of downscaling from which only a part of the pixels is read."""


def relative_scale(long_side: int) -> float:
    """Scale of the coarse pass relative to full resolution.

    Args:
        long_side: of the input at full resolution, pixels.
    """
    return max(COARSE_SIDE / long_side, COARSE_SCALE)


def find_faces(
    session: Session, image: np.ndarray, scale: float, score_threshold: float, iou_threshold: float
) -> Candidates | None:
    """Faces of an image by a coarse pass and windows.

    Args:
        session: runs the detector's graph.
        image: (H, W, 3) uint8 RGB.
        scale: of the coarse pass.
        score_threshold, iou_threshold: see `rdrface.detection.retinaface.RetinaFace`.

    Returns:
        Faces before NMS, image pixels; None if the image must be searched at full resolution.
    """
    width, height = (max(1, round(side * scale)) for side in (image.shape[1], image.shape[0]))
    resized = resize_fast(image, width, height)
    threshold = min(CANDIDATE_SCORES[0], score_threshold)
    candidates = run_pass(session, resized, threshold, COARSE_BORDER, COARSE_MULTIPLE)
    certain_score = max(CERTAIN_SCORE, score_threshold)
    if len(candidates.scores) > MAX_CANDIDATES or candidates.scores.max(initial=0) < certain_score:
        return None
    candidates = candidates.merged(iou_threshold)
    is_certain = (candidates.scores >= certain_score) & (box_size(candidates.boxes) >= CERTAIN_SIZE)
    certain = candidates.select(is_certain)
    if not is_certain.any() or is_small_and_rotated(certain).any() or is_cut(certain, width, height).any():
        return None
    is_searched = is_doubtful(candidates, is_certain)
    if is_searched.sum() > MAX_WINDOWS:
        return None
    candidates = candidates.moved(np.array([image.shape[1] / width, image.shape[0] / height]), np.zeros(2))
    second = search_windows(session, image, candidates.select(is_searched), score_threshold)
    if second is None:
        return None
    # A window can show a certain face too; the coarse pass has the better box of it.
    is_new = box_iou(second.boxes, candidates.boxes[is_certain]).max(axis=1) < iou_threshold
    is_found = is_certain | (is_searched & (candidates.scores >= score_threshold))
    return replace_matched(candidates.select(is_found), is_searched[is_found], second.select(is_new))


def is_small_and_rotated(faces: Candidates) -> np.ndarray:
    """(n,) bool: for which faces, in pixels of the coarse input, the angle of the coarse pass is not exact enough."""
    is_rotated = np.abs(face_angles(faces.boxes, faces.points)) > ROTATED_ANGLE
    result: np.ndarray = is_rotated & (box_size(faces.boxes) < ROTATED_SIZE)
    return result


def is_cut(faces: Candidates, width: int, height: int) -> np.ndarray:
    """(n,) bool: which faces are at the edge of an image. Their boxes must be completed, and need the exact position of
    the visible part.

    Args:
        faces: n faces, pixels of the image.
        width, height: of the image, pixels.
    """
    margin = CUT_MARGIN * box_size(faces.boxes)[:, None]
    size = np.array([width, height])
    is_at_edge: np.ndarray = (faces.boxes[:, :2] < margin) | (faces.boxes[:, 2:] > size - 1 - margin)
    result: np.ndarray = np.any(is_at_edge, axis=1)
    return result


def is_doubtful(candidates: Candidates, is_certain: np.ndarray) -> np.ndarray:
    """(n,) bool: which faces of the coarse pass must be searched again to know whether they are faces.

    Args:
        candidates: n faces after NMS, pixels of the coarse input.
        is_certain: (n,) bool.
    """
    certain = candidates.boxes[is_certain]
    centers = (candidates.boxes[:, None, :2] + candidates.boxes[:, None, 2:]) / 2
    is_overlapping = ((centers > certain[:, :2]) & (centers < certain[:, 2:])).all(axis=2).any(axis=1)
    minimum = np.interp(box_size(candidates.boxes), CANDIDATE_SIZES, CANDIDATE_SCORES)
    minimum[is_overlapping] = OVERLAPPING_SCORE
    doubtful: np.ndarray = ~is_certain & (candidates.scores >= minimum)
    return doubtful


def search_windows(session: Session, image: np.ndarray, faces: Candidates, threshold: float) -> Candidates | None:
    """Search a window around each face of the coarse pass.

    Args:
        session: runs the detector's graph.
        image: (H, W, 3) uint8 RGB.
        faces: n faces, image pixels.
        threshold: minimum score.

    Returns:
        The faces in the middle of the windows before NMS, image pixels; None if it stays undecided whether one
        of them is a face.
    """
    centers = (faces.boxes[:, :2] + faces.boxes[:, 2:]) / 2
    sides = np.ceil(np.maximum(WINDOW * box_size(faces.boxes), MIN_WINDOW)).astype(int)
    starts = np.floor(centers - sides[:, None] / 2).astype(int)
    found = Candidates.empty()
    for start, side, first_score in zip(starts, sides, faces.scores, strict=True):
        window = _window(image, start[0], start[1], side)
        inside = run_pass(session, window, min(UNDECIDED_SCORE, threshold), border=0).merged(WINDOW_IOU)
        if not len(inside.scores):
            continue
        inside = inside.moved(np.full(2, side / WINDOW_SIDE), start)
        offset = np.abs((inside.boxes[:, :2] + inside.boxes[:, 2:]) / 2 - start - side / 2).max(axis=1)
        # A face that is cut by the edge of the window, or fills it, has a wrong box.
        central = inside.select((offset < side / 4) & (box_size(inside.boxes) < 0.75 * side))
        if 0 < central.scores.max(initial=0) < threshold and first_score < threshold:
            return None
        found = found.joined(central.select(central.scores >= threshold))
    return found


def _window(image: np.ndarray, x: int, y: int, side: int) -> np.ndarray:
    """Square part of the image, resized to `WINDOW_SIDE`; outside the image, the pixels of its edge are repeated."""
    height, width = image.shape[:2]
    if x >= 0 and y >= 0 and x + side <= width and y + side <= height:
        return resize_fast(image[y : y + side, x : x + side], WINDOW_SIDE, WINDOW_SIDE)
    rows, columns = (np.clip(np.arange(first, first + side), 0, n - 1) for first, n in ((y, height), (x, width)))
    inside = image[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    if inside.shape[:2] != (side, side):
        inside = inside[(rows - rows[0])[:, None], columns - columns[0]]
    return resize_fast(inside, WINDOW_SIDE, WINDOW_SIDE)


def resize_fast(image: np.ndarray, width: int, height: int) -> np.ndarray:
    """Resize an image (H, W, 3) uint8 RGB. Downscaling averages blocks of pixels first, and from a factor of
    `FAST_DOWNSCALING` only 4 or more evenly spaced pixels per pixel of the result."""
    if image.shape[:2] == (height, width):
        return image
    factor = min(image.shape[1] / width, image.shape[0] / height)
    if factor >= FAST_DOWNSCALING:
        step = int(factor / 2)
        image = image[step // 2 :: step, step // 2 :: step]
    method = Image.Resampling.HAMMING if factor > 1 else Image.Resampling.BICUBIC
    resized = Image.fromarray(np.ascontiguousarray(image)).resize((width, height), method, reducing_gap=1.0)
    return np.asarray(resized)


def replace_matched(found: Candidates, chosen: np.ndarray, second: Candidates) -> Candidates:
    """Replace the chosen faces, (n,) bool, by those of a second pass; chosen faces that it did not detect are kept."""
    unmatched = box_iou(found.boxes, second.boxes).max(axis=1, initial=0) < 0.1
    return found.select(~chosen | unmatched).joined(second)
