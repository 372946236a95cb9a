"""One person reported twice, and phantoms between two people: pairs of faces whose landmarks are close together."""

from collections.abc import Sequence
from itertools import combinations
from pathlib import Path

import cv2
import numpy as np
from annotated_photos import Annotated, match
from detecting import Detected, Release, detect, write_image

from rdrface.evaluation.tables.tables import Row, Table
from rdrface.face import Face

LIMITS = (0.2, 0.3, 0.4, 0.45, 0.5, 0.6)
"""Mean distances of the landmarks of two faces, in face sizes."""

MAX_MONTAGES = 100

_MONTAGE_HEIGHT = 320
"""Pixels; the faces are half as large."""


def measure(release: Release, faces: Sequence[Annotated], folder: Path) -> list[Table]:
    """Run a release on the photos, and on montages of two of the annotated faces side by side."""
    photos, montages = folder / "photos", folder / "montages"
    photos.mkdir()
    montages.mkdir()
    for face in faces:
        write_image(photos / f"{face.name}.png", face.pixels)
    # Two faces that touch each other: a detector may find a third between them.
    couples = [(faces[i], faces[i + 1]) for i in range(0, len(faces) - 1, 2)][:MAX_MONTAGES]
    truth: dict[str, tuple[np.ndarray, np.ndarray]] = {}
    for i, (left, right) in enumerate(couples):
        pixels, *points = side_by_side(left, right)
        write_image(montages / f"{i:04d}.png", pixels)
        truth[f"{i:04d}.png"] = points[0], points[1]
    in_photos, in_montages = detect(release, photos), detect(release, montages)
    return [pair_table({"photos": in_photos, "montages": in_montages}), montage_table(truth, in_montages)]


def side_by_side(left: Annotated, right: Annotated) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Two faces next to each other, as large as each other.

    Returns:
        (H, W, 3) uint8, and the points (68, 2) of both faces in it.
    """
    parts, points = [], []
    offset = 0
    for face in (left, right):
        x0, y0, x1, y1 = face.box
        scale = _MONTAGE_HEIGHT / 2 / face.size
        center = np.array([(x0 + x1) / 2, (y0 + y1) / 2])
        half = np.array([(x1 - x0) * scale / 2 + 8, _MONTAGE_HEIGHT / 2])
        size = np.round(2 * half).astype(int)
        start = (size - 1) / 2 - scale * center
        matrix = np.array([[scale, 0, start[0]], [0, scale, start[1]]])
        parts.append(cv2.warpAffine(face.pixels, matrix, (int(size[0]), int(size[1])), borderMode=cv2.BORDER_REPLICATE))
        points.append(face.points * scale + start + [offset, 0])
        offset += int(size[0])
    return np.concatenate(parts, axis=1), points[0], points[1]


def distance(first: Face, second: Face) -> float:
    """Mean distance of the landmarks of two faces, in units of their mean size."""
    pixels = np.linalg.norm(first.landmarks - second.landmarks, axis=1).mean()
    return float(pixels / ((first.size + second.size) / 2))


def pair_table(detected: dict[str, Detected]) -> Table:
    """Number of pairs of faces below every limit, for every kind of image."""
    rows = []
    for name, result in detected.items():
        groups = [faces for faces in result.faces.values() if len(faces) > 1]
        distances = np.array([distance(a, b) for faces in groups for a, b in combinations(faces, 2)])
        nearest = float(distances.min()) if len(distances) else None
        below = [int((distances < limit).sum()) for limit in LIMITS]
        rows.append(Row(name, (len(result.faces), len(groups), *below, nearest)))
    version = next(iter(detected.values())).version
    return Table(
        f"Pairs of faces in one image by the mean distance of their landmarks, in face sizes; rdrface {version}",
        ("images", "with 2 or more faces", *(f"< {limit:g}" for limit in LIMITS), "nearest pair"),
        tuple(rows),
    )


def montage_table(truth: dict[str, tuple[np.ndarray, np.ndarray]], detected: Detected) -> Table:
    """Faces found in the montages, and faces beyond the two that are there."""
    found = both = extra = 0
    for name, people in truth.items():
        faces = detected.faces[name]
        matched = {id(face) for points in people if (face := match(points, faces)) is not None}
        found += len(matched)
        both += len(matched) == len(people)
        extra += len(faces) - len(matched)
    return Table(
        f"{len(truth)} montages of two faces side by side; rdrface {detected.version}",
        ("people", "found", "montages with both", "further faces"),
        (Row("montages", (2 * len(truth), found, both, extra)),),
    )
