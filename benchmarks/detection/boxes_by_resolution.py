"""Faces detected, and processor time, in images of different sizes."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from annotated_photos import Annotated
from matching import match, median, single_thread_detector
from resolution import mosaic, tile

from rdrface.detection.retinaface import MAX_SIDE, RetinaFace
from rdrface.evaluation.tables.tables import Row, Table
from rdrface.geometry.boxes import bounding_boxes

TILE = 4
"""Side of the tile around a face in a mosaic, in face sizes."""

SMALL_SIZES = (10, 12, 14, 16, 20, 24)
"""Face sizes in mosaics that are not downscaled, pixels."""
SMALL_COLUMNS = 10

CROWD = (3840, ((60, 3), (40, 3), (30, 4), (20, 6)))
"""Width of the image, and its bands: face size and rows. The height is 2160."""

PANORAMA = (12000, ((100, 1), (60, 1), (40, 2)))
"""The same for a panorama. The height is 960."""

THUMBNAILS = (24, 32)
"""Sides, pixels."""
THUMBNAIL_FACE = 0.8
"""Size of the face in a thumbnail, in units of its side."""

ORDINARY = ((450, 450), (640, 480), (1280, 960), (4000, 3000))
"""Width and height of images with one large face."""
LARGE_FACE = 0.4
"""Size of that face, in units of the image's width."""
ORDINARY_IMAGES = 5

TIMED_IMAGES = 5
REPETITIONS = 3
"""The shortest processor time of so many calls counts."""


@dataclass(frozen=True)
class Scene:
    """One image.

    Attributes:
        name: kind of image; scenes of the same name are counted together.
        pixels: (H, W, 3) uint8.
        faces: face size in pixels -> points (68, 2) of the faces of this size.
        max_side: setting of the detector.
    """

    name: str
    pixels: np.ndarray
    faces: dict[int, list[np.ndarray]]
    max_side: int = MAX_SIDE


def measure(faces: Sequence[Annotated]) -> list[Table]:
    """Table of the faces detected, by kind of image and size of the face."""
    counts: dict[tuple[str, int], tuple[int, int]] = {}
    for make in (small_faces, thumbnails, crowds, panoramas, ordinary_images):
        for scene in make(faces):
            detections = single_thread_detector(scene.max_side).detect(scene.pixels)
            for size, points in scene.faces.items():
                found = {match(box, detections) for box in bounding_boxes(np.stack(points))} - {None}
                before = counts.get((scene.name, size), (0, 0))
                counts[scene.name, size] = before[0] + len(found), before[1] + len(points)
    rows = tuple(Row(name, (size, *cells)) for (name, size), cells in counts.items())
    return [Table("Faces detected by size", ("face size, px", "detected", "of"), rows)]


def measure_time(faces: Sequence[Annotated]) -> list[Table]:
    """Table of the processor time per image, by kind of image."""
    times: dict[str, list[float]] = {}
    kinds: tuple[tuple[Callable[[Sequence[Annotated]], list[Scene]], Sequence[Annotated]], ...] = (
        (thumbnails, faces[:TIMED_IMAGES]),
        (ordinary_images, faces),
        (crowds, faces),
        (panoramas, faces),
    )
    for make, chosen in kinds:
        for scene in make(chosen):
            detector = single_thread_detector(scene.max_side)
            times.setdefault(scene.name, []).append(milliseconds(detector, scene.pixels))
    return [
        Table(
            "Processor time of the detector for one image, one thread",
            ("images", "ms"),
            tuple(Row(name, (len(values), round(median(values) or 0.0))) for name, values in times.items()),
            (f"The shortest of {REPETITIONS} times; the median over the images.",),
        )
    ]


def small_faces(faces: Sequence[Annotated]) -> list[Scene]:
    """Mosaics of small faces, at the resolution of the detector's input."""
    columns = min(SMALL_COLUMNS, len(faces))
    scenes = []
    for size in SMALL_SIZES:
        pixels, points = mosaic(faces, columns, -(-len(faces) // columns), TILE * size, size)
        scenes.append(Scene("mosaic, not resized", pixels, {size: points[: len(faces)]}))
    return scenes


def thumbnails(faces: Sequence[Annotated]) -> list[Scene]:
    """Thumbnails that are filled by a face."""
    scenes = []
    for side in THUMBNAILS:
        size = THUMBNAIL_FACE * side
        for face in faces:
            pixels, points = tile(face, side, size)
            scenes.append(Scene(f"thumbnail, {side} x {side}", pixels, {round(size): [points]}))
    return scenes


def crowds(faces: Sequence[Annotated]) -> list[Scene]:
    """A crowd in a 4K image, with the default `max_side` and at its own resolution."""
    pixels, points = bands(faces, *CROWD)
    height, width = pixels.shape[:2]
    name = f"crowd, {width} x {height}"
    return [Scene(name, pixels, points), Scene(f"{name}, max_side={width}", pixels, points, width)]


def panoramas(faces: Sequence[Annotated]) -> list[Scene]:
    """A panorama."""
    pixels, points = bands(faces, *PANORAMA)
    height, width = pixels.shape[:2]
    return [Scene(f"panorama, {width} x {height}", pixels, points)]


def bands(
    faces: Sequence[Annotated], width: int, layout: Sequence[tuple[int, int]]
) -> tuple[np.ndarray, dict[int, list[np.ndarray]]]:
    """Mosaics of faces of different sizes, one above the other.

    Args:
        faces: repeated as needed.
        width: of the image, pixels; a multiple of all tiles.
        layout: face size and number of rows of each mosaic.

    Returns:
        The image, and face size -> points (68, 2) of these faces.
    """
    parts, points = [], {}
    top = 0
    for size, rows in layout:
        pixels, placed = mosaic(faces, width // (TILE * size), rows, TILE * size, size)
        parts.append(pixels)
        points[size] = [one + np.array([0, top]) for one in placed]
        top += len(pixels)
    return np.concatenate(parts), points


def ordinary_images(faces: Sequence[Annotated]) -> list[Scene]:
    """Images of usual sizes with one large face."""
    scenes = []
    for width, height in ORDINARY:
        for face in faces[:ORDINARY_IMAGES]:
            side = round(face.size / LARGE_FACE)
            pixels, points = tile(face, side, face.size)
            first = (side - round(side * height / width)) // 2
            pixels = pixels[first : side - first]
            ratio = np.array([width / pixels.shape[1], height / pixels.shape[0]])
            resized = cv2.resize(pixels, (width, height), interpolation=cv2.INTER_CUBIC)
            placed = (points - [0, first] + 0.5) * ratio - 0.5
            scenes.append(Scene(f"one face, {width} x {height}", resized, {round(LARGE_FACE * width): [placed]}))
    return scenes


def milliseconds(detector: RetinaFace, pixels: np.ndarray) -> float:
    """Shortest processor time of the detector on an image."""
    times = []
    for _ in range(REPETITIONS):
        start = time.process_time()
        detector.detect(pixels)
        times.append(time.process_time() - start)
    return 1000 * min(times)
