"""Rotated photos: upright faces, rotated in the image by multiples of 45 degrees."""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from annotated_photos import WRONG, Annotated, error_percent, match
from detecting import Release, detect, write_image

from rdrface.evaluation.tables.tables import Row, Table

ANGLES = range(0, 360, 45)


def measure(release: Release, faces: Sequence[Annotated], folder: Path) -> list[Table]:
    """Write the rotated photos into a folder, run a release on them, and compare with the rotated annotations."""
    expected: dict[str, np.ndarray] = {}
    for i, face in enumerate(faces):
        for angle in ANGLES:
            pixels, points = rotated(face.pixels, face.points, angle)
            name = f"{i:03d}-{angle:03d}.png"
            write_image(folder / name, pixels)
            expected[name] = points
    detected = detect(release, folder)
    errors = {angle: np.full(len(faces), np.nan) for angle in ANGLES}
    for i, face in enumerate(faces):
        for angle in ANGLES:
            name = f"{i:03d}-{angle:03d}.png"
            found = match(expected[name], detected.faces[name])
            if found is not None:
                errors[angle][i] = error_percent(found.landmarks, expected[name], face.size)
    return [table(errors, detected.version)]


def rotated(pixels: np.ndarray, points: np.ndarray, degrees: float) -> tuple[np.ndarray, np.ndarray]:
    """Rotate an image and its points clockwise, on a canvas that contains all of it.

    Args:
        pixels: (H, W, 3).
        points: (n, 2) pixels of the image.
        degrees: angle of the rotation.

    Returns:
        (H', W', 3), filled by replication outside the image, and (n, 2).
    """
    height, width = pixels.shape[:2]
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    rotation = np.array([[c, -s], [s, c]])
    new = np.round(np.abs(rotation) @ (width, height)).astype(int)
    center, new_center = (np.array([width, height]) - 1) / 2, (new - 1) / 2
    matrix = np.column_stack([rotation, new_center - rotation @ center])
    canvas = cv2.warpAffine(
        pixels, matrix, (int(new[0]), int(new[1])), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
    )
    return canvas, points @ rotation.T + matrix[:, 2]


def table(errors: dict[int, np.ndarray], version: str) -> Table:
    """Table of the errors (N,) at every angle, percent of the face size, NaN for a face that was not found."""
    upright = errors[0]
    rows = []
    for angle, error in errors.items():
        is_found = np.isfinite(error)
        missed = int((np.isfinite(upright) & ~is_found).sum())
        wrong = int((error[is_found] > WRONG).sum())
        median = float(np.median(error[is_found])) if is_found.any() else None
        rows.append(Row(f"{angle} degrees", (int(is_found.sum()), missed, wrong, median)))
    return Table(
        f"{len(upright)} upright faces, rotated clockwise; rdrface {version}",
        ("found", "missed, found upright", f"wrong by more than {WRONG:g} %", "median error, %"),
        tuple(rows),
        ("Mean error of the 51 inner points, percent of the face size.",),
    )
