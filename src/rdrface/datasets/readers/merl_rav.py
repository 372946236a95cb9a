"""MERL-RAV (Kumar et al., CVPR 2020): AFLW images with 68 points and their visibility, up to full profile."""

from pathlib import Path
from typing import Literal

import numpy as np

from rdrface.datasets.readers.images import images_beside
from rdrface.datasets.readers.pts import folder, read_pts
from rdrface.datasets.records import OCCLUDED, SELF_OCCLUDED, VISIBLE, FaceRecords, known_box
from rdrface.errors import DataError

SIDES = ("frontal", "lefthalf", "left", "righthalf", "right")


def read_merl_rav(root: str | Path, split: Literal["train", "test"]) -> FaceRecords:
    """Read `root/<side>/<split>set/*.pts` and the images next to them, in a fixed order.

    Points 0-16 follow the visible outline. The files count pixels from 0.

    Args:
        root: folder with frontal, lefthalf, left, righthalf, right.
        split: 'train' or 'test', the dataset's own division.

    Returns:
        Records with source "merl_rav/<side>/<split>set".

    Raises:
        DataError: a folder or images are missing, or an annotation is damaged; the message contains the path.
        ValueError: `split` is neither 'train' nor 'test'.
    """
    if split not in ("train", "test"):
        raise ValueError(f"split must be 'train' or 'test', got {split!r}")
    base = folder(root, "the MERL-RAV folder, with frontal/, lefthalf/, left/, righthalf/ and right/ in it")
    files, sources = [], []
    for side in SIDES:
        part = folder(base / side / f"{split}set", f"the .pts files of MERL-RAV's side '{side}'")
        found = sorted(part.glob("*.pts"))
        if not found:
            raise DataError(f"{part} contains no .pts files")
        files += found
        sources += [f"merl_rav/{side}/{split}set"] * len(found)
    decoded = [decode_signs(read_pts(file)) for file in files]
    points = np.stack([position for position, _ in decoded])
    return FaceRecords(
        image=images_beside(files),
        points=points,
        state=np.stack([state for _, state in decoded]),
        contour=np.full(len(files), "outline"),
        box=np.stack([known_box(face, file) for face, file in zip(points, files, strict=True)]),
        source=np.array(sources),
        is_test=np.full(len(files), split == "test"),
    )


def decode_signs(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Positions and states from MERL-RAV's signed numbers.

    `-1 -1` marks a self-occluded point without a position. Two negative numbers mark a point occluded by another
    object; its position is their absolute values. All other numbers are positions. If exactly one of the two is
    negative, the point is outside the image: it keeps its position and counts as occluded, because it is not visible.
    (A single negative number is not a mark: taking its absolute value would move the point across the image border.)

    Args:
        values: (68, 2) numbers in the file.

    Returns:
        Positions (68, 2) float32, NaN where there is none; states (68,) int8.
    """
    absent = (values == -1).all(axis=1)
    negated = (values < 0).all(axis=1) & ~absent
    outside = (values < 0).sum(axis=1) == 1
    position = np.where(negated[:, None], -values, values).astype(np.float32)
    position[absent] = np.nan
    state = np.full(len(values), VISIBLE, np.int8)
    state[negated | outside] = OCCLUDED
    state[absent] = SELF_OCCLUDED
    return position, state
