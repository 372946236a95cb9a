"""MERL-RAV (Kumar et al., CVPR 2020): AFLW re-annotated with 68 points, the visibility of each, up to full profile."""

from pathlib import Path
from typing import Literal

import numpy as np

from rdrface.datasets.readers.pts import folder, image_beside, read_pts
from rdrface.datasets.records import OCCLUDED, SELF_OCCLUDED, VISIBLE, FaceRecords, known_box
from rdrface.errors import DataError

SIDES = ("frontal", "lefthalf", "left", "righthalf", "right")


def read_merl_rav(root: str | Path, split: Literal["train", "test"]) -> FaceRecords:
    """Read `root/<side>/<split>set/*.pts` and the photos beside them, in a fixed order.

    The contour follows the visible outline. Coordinates are 0-based, as the set has them.

    Args:
        root: folder with frontal, lefthalf, left, righthalf, right.
        split: 'train' or 'test', the set's own division.

    Returns:
        Records with source "merl_rav/<side>/<split>set".

    Raises:
        DataError: a folder or a photo is missing, or an annotation is damaged; the message names it.
        ValueError: unknown split.
    """
    if split not in ("train", "test"):
        raise ValueError(f"split must be 'train' or 'test', got {split!r}")
    base = folder(root, "the MERL-RAV folder, with frontal/, lefthalf/, left/, righthalf/ and right/ in it")
    images, points, states, boxes, sources = [], [], [], [], []
    for side in SIDES:
        part = folder(base / side / f"{split}set", f"the .pts files of MERL-RAV's side '{side}'")
        files = sorted(part.glob("*.pts"))
        if not files:
            raise DataError(f"{part} holds no .pts files")
        for file in files:
            position, state = decode_signs(read_pts(file))
            images.append(str(image_beside(file)))
            points.append(position)
            states.append(state)
            boxes.append(known_box(position, file))
            sources.append(f"merl_rav/{side}/{split}set")
    count = len(images)
    return FaceRecords(
        image=np.array(images),
        points=np.stack(points),
        state=np.stack(states),
        contour=np.full(count, "outline"),
        box=np.stack(boxes),
        source=np.array(sources),
        is_test=np.full(count, split == "test"),
    )


def decode_signs(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Position and visibility from MERL-RAV's signed numbers.

    `-1 -1` is self-occluded, without a position. Two negative numbers are an externally occluded point with its signs
    turned. Anything else stands where the numbers say; when just one of them is negative the point lies outside the
    photo, so it cannot be seen and counts as externally occluded, its position kept (reading "one negative" as a sign
    mark would throw the point to the other side of the photo's edge).

    Args:
        values: (68, 2) numbers of the file.

    Returns:
        positions (68, 2) float32 with NaN where there is none, states (68,) int8.
    """
    absent = (values == -1).all(axis=1)
    turned = (values < 0).all(axis=1) & ~absent
    outside = (values < 0).sum(axis=1) == 1
    position = np.where(turned[:, None], -values, values).astype(np.float32)
    position[absent] = np.nan
    state = np.full(len(values), VISIBLE, np.int8)
    state[turned | outside] = OCCLUDED
    state[absent] = SELF_OCCLUDED
    return position, state
