"""Detections that are no face: their expected error, and that of annotated faces."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from annotated_photos import WRONG, Annotated, error_percent, landmarks_of, match
from detecting import Release, detect, write_image

from rdrface.crop import CropFrame, cut
from rdrface.datasets.contact_sheet import contact_sheet, write_sheet
from rdrface.evaluation.tables.tables import Row, Table
from rdrface.face import Face
from rdrface.geometry.boxes import bounding_boxes

LIMITS = (6.0, 7.0, 8.0, 9.0, 10.0, 11.0, 12.0, 14.0, 16.0)
"""Values of `max_uncertainty` in the table, percent of the face size."""

_ALL = np.arange(68)
_SHEET_CELL = 128


@dataclass(frozen=True)
class Found:
    """One detection.

    Attributes:
        image: file name.
        face: the detection.
        error: its mean landmark error, percent of the face size; NaN if it matches no annotated face.
    """

    image: str
    face: Face
    error: float


def measure(release: Release, faces: Sequence[Annotated], folder: Path, sheet: Path | None = None) -> list[Table]:
    """Run a release on photos without a limit of the expected error, and print what each limit would drop.

    Args:
        release: the release.
        faces: annotated faces.
        folder: the photos are written into it.
        sheet: image file for the detections without an annotation, by decreasing expected error.
    """
    annotated: dict[str, list[Annotated]] = {}
    for face in faces:
        annotated.setdefault(f"{face.name}.png", []).append(face)
    for name, present in annotated.items():
        write_image(folder / name, present[0].pixels)
    detected = detect(release, folder, release.without_limit())
    found = [item for name, present in annotated.items() for item in pairs(name, present, detected.faces[name])]
    missed = len(faces) - sum(np.isfinite(item.error) for item in found)
    unmatched = sorted((item for item in found if np.isnan(item.error)), key=lambda item: -item.face.expected_error)
    if sheet is not None and unmatched:
        images = {name: present[0].pixels for name, present in annotated.items()}
        write_sheet(sheet, draw_sheet(unmatched, images))
    return [table(found, len(faces), missed, detected.version), quantiles(found, detected.version)]


def pairs(name: str, annotated: Sequence[Annotated], faces: Sequence[Face]) -> list[Found]:
    """The detections of one image, each with its error if it is the match of an annotated face."""
    errors = {id(face): np.nan for face in faces}
    for truth in annotated:
        face = match(truth.points, faces)
        if face is not None:
            predicted = landmarks_of(face, truth.contour)
            errors[id(face)] = error_percent(predicted, truth.points, truth.size, _ALL)
    return [Found(name, face, errors[id(face)]) for face in faces]


def groups(found: Sequence[Found]) -> dict[str, np.ndarray]:
    """Expected errors of right faces, wrong faces and detections without an annotation."""
    expected = np.array([item.face.expected_error for item in found])
    error = np.array([item.error for item in found])
    return {
        f"faces, error below {WRONG:g} %": expected[error <= WRONG],
        f"faces, error above {WRONG:g} %": expected[error > WRONG],
        "not annotated": expected[np.isnan(error)],
    }


def table(found: Sequence[Found], count: int, missed: int, version: str) -> Table:
    """Share of the detections of each group above every limit."""
    rows = []
    for name, expected in groups(found).items():
        above = [int((expected > limit).sum()) for limit in LIMITS]
        rows.append(Row(name, (len(expected), *above)))
        if len(expected):
            rows.append(Row("  percent", (None, *(100 * number / len(expected) for number in above))))
    return Table(
        f"Detections with an expected error above the limit, {count} annotated faces; rdrface {version}",
        ("all", *(f"> {limit:g} %" for limit in LIMITS)),
        tuple(rows),
        (f"{missed} annotated faces have no detection.",),
    )


def quantiles(found: Sequence[Found], version: str) -> Table:
    """Quantiles of the expected error of each group."""
    shares = (0.05, 0.5, 0.9, 0.99, 0.995, 0.999)
    rows = tuple(
        Row(name, tuple(float(np.quantile(expected, share)) if len(expected) else None for share in shares))
        for name, expected in groups(found).items()
    )
    heads = tuple(f"{100 * share:g} %" for share in shares)
    return Table(f"Quantiles of the expected error, percent of the face size; rdrface {version}", heads, rows)


def draw_sheet(found: Sequence[Found], images: dict[str, np.ndarray]) -> np.ndarray:
    """Contact sheet (H, W, 3) uint8 of detections; titles are the index and the expected error."""
    crops, points = [], []
    for item in found:
        frame = CropFrame.from_boxes(bounding_boxes(item.face.landmarks[None]))
        crops.append(cut(images[item.image], frame, _SHEET_CELL)[0])
        points.append(frame.to_crop(item.face.landmarks[None])[0])
    titles = [f"{i} {item.face.expected_error:.1f} %" for i, item in enumerate(found)]
    return contact_sheet(np.stack(crops), np.stack(points), titles=titles, columns=12, cell=_SHEET_CELL)
