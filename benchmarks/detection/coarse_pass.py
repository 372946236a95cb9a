"""The coarse pass against the search at full resolution: scores of small faces, faces lost, and time."""

import time
from collections.abc import Sequence

import cv2
import numpy as np
from annotated_photos import MATCHED_IOU, Annotated
from matching import median, single_thread_detector
from resolution import tile

from rdrface.detection import coarse
from rdrface.detection.retinaface import RetinaFace
from rdrface.detection.retinaface_pass import Candidates, run_pass
from rdrface.evaluation.tables.tables import Row, Table
from rdrface.geometry.boxes import bounding_boxes, box_iou, box_size

SCORES = (0.002, 0.004, 0.006, 0.008, 0.01, 0.015, 0.02, 0.05, 0.1)
"""Minimum scores in the table of small faces."""
SIZES = (24, 28, 32, 40, 56)
"""Face sizes in an image of `WIDTH`, pixels."""
WIDTH, HEIGHT = 640, 480
SMALL_FACES = 3
"""Small faces in each scene with a large one."""
TILE = 2.6
"""Side of the part of a photo around a small face, in face sizes."""
LONG_SIDES = (450, 640, 1280)
"""Long sides to which photos are resized, pixels."""


class FullResolution(RetinaFace):
    """The default detector without its coarse pass."""

    def _coarse(self, image: np.ndarray) -> Candidates | None:
        return None


def measure(faces: Sequence[Annotated]) -> list[Table]:
    """Tables of the scores, and of the faces lost."""
    return [score_table(faces), comparison(faces)]


def score_table(faces: Sequence[Annotated]) -> Table:
    """Share of the small faces that have a lower score in the coarse pass, and windows per photo at that score."""
    rows = []
    for size in SIZES:
        scores = []
        for i in range(len(faces)):
            image, boxes = scene(faces, i, size)
            found = run_coarse(image)
            is_detected = matched(boxes[1:], full_detector().detect(image).boxes)
            scores += [score_near(found, box) for box in boxes[1:][is_detected]]
        shares = [float(100 * np.mean(np.array(scores) < score)) for score in SCORES]
        rows.append(Row(f"{size} px, % below", (len(scores), *shares)))
    counts = np.array([doubtful_counts(resized(face, WIDTH)[0]) for face in faces])
    rows.append(Row("doubtful faces per photo", (len(faces), *counts.mean(axis=0).tolist())))
    rows.append(Row("photos with any, %", (len(faces), *(100 * (counts > 0).mean(axis=0)).tolist())))
    return Table(
        f"Scores of small faces in the coarse pass, {WIDTH} x {HEIGHT}",
        ("faces", *(f"{score:g}" for score in SCORES)),
        tuple(rows),
        ("Faces that are detected at full resolution, beside a large face. The last rows: photos of one face.",),
    )


def comparison(faces: Sequence[Annotated]) -> Table:
    """Faces lost and gained against the search at full resolution, and processor time."""
    rows = []
    for long_side in LONG_SIDES:
        images = [resized(face, long_side) for face in faces]
        rows.append(row(f"photo, {long_side} px", [(image, box[None]) for image, box in images]))
    for size in SIZES:
        scenes = [scene(faces, i, size) for i in range(len(faces))]
        rows.append(row(f"large face and {size} px", scenes))
    return Table(
        "The coarse pass against full resolution",
        ("faces", "full", "lost", "gained", "further, full", "further", "ms, full", "ms"),
        tuple(rows),
        (
            "full: faces detected at full resolution; lost, gained: faces that only that or only the default detects.",
            "further: detections without an annotation. ms: median processor time, one thread.",
        ),
    )


def row(name: str, images: Sequence[tuple[np.ndarray, np.ndarray]]) -> Row:
    """Compare both in images with annotated boxes (n, 4)."""
    counts = np.zeros(6, int)
    times: list[list[float]] = [[], []]
    for image, boxes in images:
        results = []
        for i, detector in enumerate((full_detector(), single_thread_detector())):
            start = time.process_time()
            results.append(detector.detect(image).boxes)
            times[i].append(1000 * (time.process_time() - start))
        first, second = (matched(boxes, found) for found in results)
        further = [len(found) - int(hit.sum()) for found, hit in zip(results, (first, second), strict=True)]
        counts += (len(boxes), first.sum(), (first & ~second).sum(), (second & ~first).sum(), *further)
    return Row(name, (*counts.tolist(), *(median(values) for values in times)))


def full_detector() -> FullResolution:
    """The detector without its coarse pass, on one thread."""
    return FullResolution(single_thread_detector().session)


def run_coarse(image: np.ndarray) -> Candidates:
    """The coarse pass of an image, in pixels of the image."""
    scale = coarse.relative_scale(max(image.shape[:2]))
    width, height = round(scale * image.shape[1]), round(scale * image.shape[0])
    small = coarse.resize_fast(image, width, height)
    session = single_thread_detector().session
    found = run_pass(session, small, SCORES[0], coarse.COARSE_BORDER, coarse.COARSE_MULTIPLE)
    return found.moved(np.array([image.shape[1] / width, image.shape[0] / height]), np.zeros(2))


def score_near(found: Candidates, box: np.ndarray) -> float:
    """Highest score of a face of similar size near a box (4,)."""
    size = box_size(box)
    offset = np.linalg.norm((found.boxes[:, :2] + found.boxes[:, 2:] - box[:2] - box[2:]) / 2, axis=1)
    ratio = box_size(found.boxes) / size
    return float(found.scores[(offset < 0.8 * size) & (ratio > 0.5) & (ratio < 2)].max(initial=0))


def doubtful_counts(image: np.ndarray) -> list[int]:
    """Number of small doubtful faces by `SCORES`."""
    scale = coarse.relative_scale(max(image.shape[:2]))
    found = run_coarse(image).without_duplicates(0.4)
    is_certain = (found.scores >= coarse.CERTAIN_SCORE) & (box_size(found.boxes) * scale >= coarse.CERTAIN_SIZE)
    centers = (found.boxes[:, None, :2] + found.boxes[:, None, 2:]) / 2
    certain = found.boxes[is_certain]
    is_outside = ~((centers > certain[:, :2]) & (centers < certain[:, 2:])).all(axis=2).any(axis=1)
    is_small = box_size(found.boxes) * scale < coarse.CANDIDATE_SIZES[0]
    return [int((is_outside & is_small & (found.scores >= score)).sum()) for score in SCORES]


def matched(truth: np.ndarray, boxes: np.ndarray) -> np.ndarray:
    """(n,) bool: which of the boxes (n, 4) have a detection."""
    is_matched: np.ndarray = box_iou(truth, boxes).max(axis=1, initial=0) >= MATCHED_IOU
    return is_matched


def resized(face: Annotated, long_side: int) -> tuple[np.ndarray, np.ndarray]:
    """The photo with a given long side, and the landmark box (4,) in it."""
    scale = long_side / max(face.pixels.shape[:2])
    width, height = (round(scale * side) for side in (face.pixels.shape[1], face.pixels.shape[0]))
    pixels = cv2.resize(face.pixels, (width, height), interpolation=cv2.INTER_CUBIC if scale > 1 else cv2.INTER_AREA)
    return pixels, (face.box + 0.5) * scale - 0.5


def scene(faces: Sequence[Annotated], index: int, size: int) -> tuple[np.ndarray, np.ndarray]:
    """One large face at the left and some small ones of `size` pixels at the right, at random places.

    Returns:
        (HEIGHT, WIDTH, 3) uint8, and the landmark boxes (n, 4), that of the large face first.
    """
    rng = np.random.default_rng((index, size))
    image = np.full((HEIGHT, WIDTH, 3), rng.integers(40, 200, 3), np.uint8)
    # A soft texture: a plain area would have no doubtful faces.
    image[:] = np.clip(image + cv2.GaussianBlur(rng.normal(0, 60, image.shape), (0, 0), 3), 0, 255)
    front, box = resized(faces[index], round(rng.uniform(0.45, 0.55) * WIDTH))
    front, boxes = front[:HEIGHT], [box]
    image[: front.shape[0], : front.shape[1]] = front
    side = round(TILE * size)
    step = (HEIGHT - side) // SMALL_FACES
    for k in range(SMALL_FACES):
        pixels, points = tile(faces[(index + k + 1) % len(faces)], side, size)
        x = int(rng.integers(front.shape[1], WIDTH - side))
        y = int(k * step + rng.integers(0, max(1, step - side)))
        image[y : y + side, x : x + side] = pixels
        boxes.append(bounding_boxes((points + np.array([x, y]))[None])[0])
    return image, np.stack(boxes)
