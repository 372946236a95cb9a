"""Annotated faces of the public sets, as the inputs of the cases."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rdrface.datasets.readers import read_aflw2000, read_fgnet, read_merl_rav, read_w300
from rdrface.datasets.readers.w300lp import read_300wlp
from rdrface.datasets.records import FaceRecords
from rdrface.face import Face
from rdrface.geometry.boxes import bounding_boxes, box_iou, box_size
from rdrface.image import read_image
from rdrface.landmarks import INNER

READERS: dict[str, Callable[[Path], FaceRecords]] = {
    "aflw2000-3d": read_aflw2000,
    "300w": read_w300,
    "300w-lp": lambda folder: read_300wlp(folder, flipped=False),
    "fgnet": read_fgnet,
    "merl-rav-train": lambda folder: read_merl_rav(folder, "train"),
    "merl-rav": lambda folder: read_merl_rav(folder, "test"),
}
"""Name of a set -> its reader."""

UPRIGHT = 10.0
"""Largest in-plane rotation of an upright face, degrees."""

WRONG = 10.0
"""Mean landmark error above which a face is wrong, percent of the face size."""

MATCHED_IOU = 0.3
"""Minimum intersection over union of the boxes of an annotated face and its detection."""


@dataclass(frozen=True)
class Annotated:
    """One annotated face with its image.

    Attributes:
        name: name of the image file, without suffix.
        pixels: (H, W, 3) uint8 RGB.
        points: (68, 2) image pixels, NaN where there is no position.
        contour: 'outline' or 'jawline'.
    """

    name: str
    pixels: np.ndarray
    points: np.ndarray
    contour: str

    @property
    def box(self) -> np.ndarray:
        """(4,) landmark box, xyxy image pixels."""
        box: np.ndarray = bounding_boxes(self.points[None])[0]
        return box

    @property
    def size(self) -> float:
        """Size of the landmark box, pixels."""
        return float(box_size(self.box))


def read_faces(
    name: str, folder: Path, count: int, seed: int, selection: Callable[[np.ndarray], bool] | None = None
) -> Iterator[Annotated]:
    """A random choice of the annotated faces of a set.

    Args:
        name: one of `READERS`.
        folder: folder of the set.
        count: number of faces; 0 means all.
        seed: of the choice.
        selection: which faces may be chosen, by their points (68, 2); of these, only faces that are completely inside
            the image and alone in it by annotation are chosen. None means all faces.
    """
    records = READERS[name](folder)
    order = np.random.default_rng(seed).permutation(len(records))
    counts = dict(zip(*np.unique(records.image, return_counts=True), strict=True))
    chosen = 0
    for i in order:
        if selection and (counts[records.image[i]] > 1 or not selection(records.points[i])):
            continue
        path = Path(str(records.image[i]))
        contour = "outline" if records.contour is None else str(records.contour[i])
        face = Annotated(path.stem, read_image(path), records.points[i].astype(np.float64), contour)
        if selection and not _inside(face):
            continue
        yield face
        chosen += 1
        if chosen == count:
            return


def is_upright(points: np.ndarray) -> bool:
    """Whether the in-plane rotation of a face with points (68, 2) is at most `UPRIGHT`."""
    return bool(abs(in_plane_rotation(points)) <= UPRIGHT)


def in_plane_rotation(points: np.ndarray) -> float:
    """Angle between the direction from the mouth to the eyes and the image's vertical, degrees; NaN if unknown."""
    up = np.nanmean(points[36:48], axis=0) - np.nanmean(points[48:68], axis=0)
    return float(np.degrees(np.arctan2(up[0], -up[1])))


def match(points: np.ndarray, faces: Sequence[Face]) -> Face | None:
    """The detection of an annotated face.

    Both the detection's box and the box of its landmarks are compared: landmarks of a wrong face may be anywhere.

    Args:
        points: (68, 2) annotated points, image pixels.
        faces: detections in the image.

    Returns:
        The face with the largest intersection over union; None below `MATCHED_IOU`.
    """
    if not faces:
        return None
    truth = bounding_boxes(points[None])
    landmark_boxes = bounding_boxes(np.stack([face.landmarks for face in faces])).astype(np.float64)
    iou = np.maximum(box_iou(truth, landmark_boxes), box_iou(truth, np.stack([face.box for face in faces])))[0]
    best = int(iou.argmax())
    return faces[best] if iou[best] >= MATCHED_IOU else None


def landmarks_of(face: Face, contour: str) -> np.ndarray:
    """(68, 2) predicted landmarks in the contour convention of the annotations."""
    return face.landmarks_jawline if contour == "jawline" else face.landmarks


def error_percent(predicted: np.ndarray, points: np.ndarray, size: float, indices: np.ndarray = INNER) -> float:
    """Mean distance of the points `indices` that have a position, percent of `size`."""
    distance = np.linalg.norm(predicted[indices] - points[indices], axis=1)
    return float(100 * np.nanmean(distance) / size)


def _inside(face: Annotated) -> bool:
    height, width = face.pixels.shape[:2]
    x0, y0, x1, y1 = face.box
    return bool(x0 >= 0 and y0 >= 0 and x1 <= width - 1 and y1 <= height - 1)
