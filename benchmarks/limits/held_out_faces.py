"""Annotated faces that the network was not trained on: the inputs of the measurements."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rdrface.datasets.readers import read_fgnet, read_merl_rav
from rdrface.datasets.records import VISIBLE, FaceRecords
from rdrface.evaluation.predictions.fitted_poses import with_fitted_poses
from rdrface.fitting.estimated_boxes import with_missing_boxes
from rdrface.geometry.boxes import box_size
from rdrface.image import read_image

SETS = ("merl-rav", "fgnet")


@dataclass(frozen=True)
class HeldOutFace:
    """One annotated face with its image.

    Attributes:
        pixels: (H, W, 3) uint8 RGB.
        points: (68, 2) image pixels, NaN for points that are not counted.
        box: (4,) landmark box, xyxy image pixels.
    """

    pixels: np.ndarray
    points: np.ndarray
    box: np.ndarray

    @property
    def size(self) -> float:
        """Size of the landmark box, sqrt(width x height), pixels."""
        return float(box_size(self.box))


def read_records(name: str, folder: Path, count: int, seed: int, poses: Path | None = None) -> FaceRecords:
    """A random choice of the held-out faces of a set, in the set's order.

    Args:
        name: 'merl-rav', its test part; or 'fgnet', the persons that no training uses, with estimated landmark boxes.
        folder: folder of the set.
        count: number of faces; 0, or more than there are, means all.
        seed: of the choice.
        poses: records written by ``rdrface fit``, whose head poses the faces get.

    Raises:
        DataError: the folder is not that of the set, or `poses` has fits of other faces.
    """
    if name == "merl-rav":
        records = read_merl_rav(folder, "test")
    else:
        records = with_missing_boxes(read_fgnet(folder))
        records = records.select(records.is_test)
    if 0 < count < len(records):
        records = records.select(np.sort(np.random.default_rng(seed).permutation(len(records))[:count]))
    return records if poses is None else with_fitted_poses(records, poses)


def read_faces(records: FaceRecords) -> Iterator[HeldOutFace]:
    """The faces of records with their images. If points are annotated as visible, only these are counted."""
    for image, points, state, box in zip(records.image, records.points, records.state, records.box, strict=True):
        is_visible = state == VISIBLE
        counted = np.where(is_visible[:, None], points, np.nan) if is_visible.any() else points
        yield HeldOutFace(read_image(str(image)), counted.astype(np.float64), box)


def ages(records: FaceRecords) -> np.ndarray:
    """(N,) int, ages in years from the file names of FG-NET, for example 2 for 001A02."""
    return np.array([int(re.split("[aA]", Path(str(image)).stem)[1][:2]) for image in records.image])
