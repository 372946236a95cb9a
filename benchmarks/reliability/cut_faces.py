"""Faces cut by the edge of the image, at the left or right."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from annotated_photos import WRONG, Annotated, error_percent, is_upright, landmarks_of, match, read_faces
from detecting import Detected, Release, detect, write_image

from rdrface.evaluation.tables.tables import Row, Table
from rdrface.face import Face
from rdrface.landmarks import OUTER_EYE_CORNERS

FRACTIONS = (0.0, 0.2, 0.35, 0.5)
"""Fractions of the width of the landmark box that are cut away."""

YAW_JUMP = 30.0
"""Change of the yaw that counts as a jump, degrees."""

MARKED = (4.0, 6.0)
"""Expected errors, percent of the face size. Right faces are mostly below the first; drawings mark faces above the
second."""

NOSE_TIP = 30
MAX_NOSE_SHIFT = 0.2
"""Largest distance of the nose tip from the middle between the outer eye corners of a near-frontal face, as a share of
the distance between the corners: about 30 degrees of yaw. Eyes, nose and mouth of a turned face are at one side of its
box. If that side is cut away, a cheek is left."""


@dataclass(frozen=True)
class CutFace:
    """A found face that is cut.

    Attributes:
        inside: mean error of the points inside the image, percent of the face size.
        all_points: mean error of all points, percent of the face size.
        yaw_jump: difference of the yaw from that of the complete face, degrees; NaN if that was not found.
        expected: `Face.expected_error`, percent of the face size.
    """

    inside: float
    all_points: float
    yaw_jump: float
    expected: float


def is_turned(points: np.ndarray) -> bool:
    """Whether the nose tip of a face with points (68, 2) is far from the middle between the outer eye corners."""
    left, right = points[list(OUTER_EYE_CORNERS)].astype(np.float64)
    along = ((points[NOSE_TIP] - left) @ (right - left)) / ((right - left) @ (right - left))
    return not abs(along - 0.5) <= MAX_NOSE_SHIFT


def select(name: str, folder: Path, count: int, seed: int) -> list[Annotated]:
    """`count` upright faces that are not turned, and half as many that are."""
    selections: list[tuple[int, Callable[[np.ndarray], bool]]] = [
        (count, lambda points: is_upright(points) and not is_turned(points)),
        (count // 2, lambda points: is_upright(points) and is_turned(points)),
    ]
    return [
        face
        for number, chosen in selections
        if number or not count
        for face in read_faces(name, folder, number, seed, chosen)
    ]


def measure(release: Release, faces: Sequence[Annotated], folder: Path) -> list[Table]:
    """Write the cut photos into a folder, run a release on them, and compare with the annotations."""
    kept: dict[str, tuple[int, int]] = {}
    for i, face in enumerate(faces):
        for fraction in FRACTIONS:
            low, high = kept_columns(face, fraction, left=i % 2 == 0)
            kept[name_of(i, fraction)] = low, high
            write_image(folder / name_of(i, fraction), face.pixels[:, low:high])
    detected = detect(release, folder)
    tables = []
    for name, turned in (("Near-frontal", False), ("Turned", True)):
        chosen = [i for i, face in enumerate(faces) if is_turned(face.points) == turned]
        if chosen:
            rows = {f: cut_faces(faces, chosen, f, kept, detected) for f in FRACTIONS}
            tables.append(table(f"{name} faces", rows, len(chosen), detected.version))
    return tables


def name_of(index: int, fraction: float) -> str:
    """Name of the image file of one face, cut by a fraction of its width."""
    return f"{index:03d}-{round(100 * fraction):02d}.png"


def kept_columns(face: Annotated, fraction: float, left: bool) -> tuple[int, int]:
    """First and last + 1 column of the image that remain if a fraction of the face is cut away at the left or right."""
    x0, _, x1, _ = face.box
    width = face.pixels.shape[1]
    if fraction == 0:
        return 0, width
    return (round(x0 + fraction * (x1 - x0)), width) if left else (0, round(x1 - fraction * (x1 - x0)) + 1)


def cut_faces(
    faces: Sequence[Annotated],
    chosen: Sequence[int],
    fraction: float,
    kept: dict[str, tuple[int, int]],
    detected: Detected,
) -> list[CutFace]:
    """Of the chosen faces, those that were found although they are cut by a fraction of their width."""
    found = []
    for i in chosen:
        truth = faces[i]
        low, high = kept[name_of(i, fraction)]
        points = truth.points - [low, 0]
        face = match(points, detected.faces[name_of(i, fraction)])
        if face is None:
            continue
        complete = match(truth.points, detected.faces[name_of(i, 0.0)])
        predicted = landmarks_of(face, truth.contour)
        is_inside = (points[:, 0] >= 0) & (points[:, 0] <= high - low - 1)
        found.append(
            CutFace(
                error_percent(predicted, points, truth.size, np.flatnonzero(is_inside)),
                error_percent(predicted, points, truth.size, np.arange(len(points))),
                np.nan if complete is None else abs(yaw(face) - yaw(complete)),
                face.expected_error,
            )
        )
    return found


def yaw(face: Face) -> float:
    """Yaw from the rotation matrix, degrees: the same for all releases."""
    return float(np.degrees(np.arctan2(face.pose.rotation[0, 2], face.pose.rotation[2, 2])))


def table(name: str, found: dict[float, list[CutFace]], count: int, version: str) -> Table:
    """Table with one row per fraction."""
    rows = []
    for fraction, faces in found.items():
        inside, all_points, jump, expected = (
            np.array([getattr(face, name) for face in faces]) for name in CutFace.__dataclass_fields__
        )
        is_wrong = np.maximum(inside, all_points) > WRONG
        rows.append(
            Row(
                f"{100 * fraction:g} %",
                (
                    len(faces),
                    _median(inside),
                    _median(all_points),
                    int((inside > WRONG).sum()),
                    int((all_points > WRONG).sum()),
                    int((jump > YAW_JUMP).sum()),
                    _median(expected),
                    *(int((is_wrong & (expected > limit)).sum()) for limit in MARKED),
                ),
            )
        )
    return Table(
        f"{name}: {count}, cut at the left or right by a share of their width; rdrface {version}",
        (
            "found",
            "error inside, %",
            "error all, %",
            "wrong inside",
            "wrong all",
            "yaw jumps",
            "expected, %",
            *(f"wrong, exp. > {limit:g}" for limit in MARKED),
        ),
        tuple(rows),
        (
            "Medians of the mean error of the points inside the image and of all points, percent of the face size.",
            f"wrong: above {WRONG:g} %. yaw jump: above {YAW_JUMP:g} degrees from the complete photo. expected: "
            "expected error.",
            "wrong, exp. > L: wrong faces whose expected error is above L %.",
        ),
    )


def _median(values: np.ndarray) -> float | None:
    return float(np.median(values)) if len(values) else None
