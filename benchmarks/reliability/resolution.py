"""Small faces: a crowd in a 4K image, a panorama, and thumbnails."""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from annotated_photos import WRONG, Annotated, error_percent, match
from detecting import Detected, Release, detect, write_image

from rdrface.evaluation.tables.tables import Row, Table

CROWD = (20, 11, 192, 40)
"""Columns, rows, tile side and face size in pixels of a crowd in a 4K image (3840 x 2112)."""

PANORAMA = (40, 3, 300, 100)
"""Columns, rows, tile side and face size in pixels of a panorama (12000 x 900)."""

THUMBNAILS = (24, 32, 40, 48, 64)
"""Sides of the thumbnails, pixels. The face size is half of the side."""

Placed = tuple[str, np.ndarray]
"""File name of an image, and the points (68, 2) of one face in it."""


def measure(release: Release, faces: Sequence[Annotated], folder: Path) -> list[Table]:
    """Write the images into folders, run a release on them, and count the faces found."""
    rows = []
    sides = {"crowd, 3840 x 2112": CROWD, "panorama, 12000 x 900": PANORAMA}
    for number, (name, layout) in enumerate(sides.items()):
        into = _new(folder, f"large{number}")
        pixels, points = mosaic(faces, *layout)
        write_image(into / "mosaic.png", pixels)
        placed = [("mosaic.png", one) for one in points]
        detected = detect(release, into)
        rows.append(row(name, placed, detected))
        if release.has_option("--max-side"):
            wide = str(max(pixels.shape[:2]))
            rows.append(row(f"{name}, --max-side {wide}", placed, detect(release, into, ["--max-side", wide])))
    for side in THUMBNAILS:
        into = _new(folder, f"thumbnails{side}")
        placed = []
        for i, face in enumerate(faces):
            pixels, points = tile(face, side, side / 2)
            write_image(into / f"{i:03d}.png", pixels)
            placed.append((f"{i:03d}.png", points))
        detected = detect(release, into)
        rows.append(row(f"thumbnails, {side} x {side}", placed, detected))
    return [
        Table(
            f"Small faces; rdrface {detected.version}",
            ("faces", "face size, px", "found", f"wrong by more than {WRONG:g} %", "median error, %"),
            tuple(rows),
            ("Mean error of the 51 inner points, percent of the face size.",),
        )
    ]


def mosaic(
    faces: Sequence[Annotated], columns: int, rows: int, side: int, size: float
) -> tuple[np.ndarray, list[np.ndarray]]:
    """Tiles of the faces, repeated as needed, in a grid.

    Returns:
        (rows * side, columns * side, 3) uint8, and the points (68, 2) of every tile.
    """
    canvas = np.zeros((rows * side, columns * side, 3), np.uint8)
    tiles = [tile(face, side, size) for face in faces]
    points = []
    for k in range(rows * columns):
        y, x = (side * at for at in divmod(k, columns))
        pixels, one = tiles[k % len(tiles)]
        canvas[y : y + side, x : x + side] = pixels
        points.append(one + np.array([x, y]))
    return canvas, points


def tile(face: Annotated, side: int, size: float) -> tuple[np.ndarray, np.ndarray]:
    """A square photo of `side` pixels with a face of `size` pixels in its center.

    Returns:
        (side, side, 3) uint8, filled by replication outside the photo, and the points (68, 2) in it.
    """
    scale = size / face.size
    pixels, points = face.pixels, (face.points + 0.5) * scale - 0.5
    width, height = (max(1, round(n * scale)) for n in (pixels.shape[1], pixels.shape[0]))
    pixels = cv2.resize(pixels, (width, height), interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)
    center = (np.nanmin(points, axis=0) + np.nanmax(points, axis=0)) / 2
    low = np.round(center - (side - 1) / 2).astype(int)
    padded = cv2.copyMakeBorder(pixels, side, side, side, side, cv2.BORDER_REPLICATE)
    corner = np.clip(low + side, 0, np.array([padded.shape[1], padded.shape[0]]) - side)
    return padded[corner[1] : corner[1] + side, corner[0] : corner[0] + side], points - (corner - side)


def row(name: str, placed: Sequence[Placed], detected: Detected) -> Row:
    """Number of faces found and wrong, and their median error."""
    errors, sizes = [], []
    for file, points in placed:
        low, high = np.nanmin(points, axis=0), np.nanmax(points, axis=0)
        sizes.append(float(np.sqrt((high - low).prod())))
        face = match(points, detected.faces[file])
        if face is not None:
            errors.append(error_percent(face.landmarks, points, sizes[-1]))
    wrong = sum(error > WRONG for error in errors)
    median = float(np.median(errors)) if errors else None
    return Row(name, (len(placed), float(np.median(sizes)), len(errors), wrong, median))


def _new(folder: Path, name: str) -> Path:
    into = folder / name
    into.mkdir()
    return into
