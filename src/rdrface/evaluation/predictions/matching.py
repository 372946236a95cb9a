"""Matching of predicted with annotated faces: by image, and by overlap where an image has several faces."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path, PurePosixPath

import numpy as np

from rdrface.datasets.readers.aflw2000 import hpen_angles, hpen_rotation
from rdrface.datasets.records import FaceRecords
from rdrface.errors import DataError
from rdrface.evaluation.predictions.files import PredictionFile
from rdrface.evaluation.predictions.predictions import Predictions
from rdrface.geometry.boxes import bounding_boxes, box_iou
from rdrface.landmarks import NUM_LANDMARKS

MIN_OVERLAP = 0.3
"""Smallest intersection over union of the boxes of a predicted and an annotated face that match. Landmark boxes of the
same face overlap far more, and those of neighboring faces in a crowd hardly at all."""


def match_boxes(annotated: np.ndarray, predicted: np.ndarray) -> list[tuple[int, int]]:
    """Match boxes one to one, in order of decreasing overlap, down to `MIN_OVERLAP`.

    Pass the boxes in which faces were aligned, not boxes of the predicted landmarks: a badly aligned face is an error,
    not a missed face.

    Args:
        annotated: (n, 4) xyxy.
        predicted: (m, 4) xyxy.

    Returns:
        Pairs (row of `annotated`, row of `predicted`); a row appears at most once.
    """
    overlap = box_iou(np.asarray(annotated, np.float64), np.asarray(predicted, np.float64))
    pairs = []
    while overlap.size and overlap.max() >= MIN_OVERLAP:
        row, column = np.unravel_index(int(overlap.argmax()), overlap.shape)
        pairs.append((int(row), int(column)))
        overlap[row] = overlap[:, column] = 0
    return pairs


def to_predictions(
    file: PredictionFile,
    annotations: FaceRecords,
    from68: Callable[[np.ndarray], np.ndarray] | None = None,
    method: str = "",
) -> tuple[Predictions, int]:
    """Predictions for annotated faces from the entries of a file.

    Args:
        file: n entries.
        annotations: N faces, P points.
        from68: converts 68 points (n, 68, 2) to the set's (n, P, 2), see `rdrface.evaluation.protocols.sets`.
        method: name of the method in tables; by default the name in the file.

    Returns:
        The predictions, and the number of entries that match no annotated face (in other images, or other faces in the
        same images).

    Raises:
        DataError: the number of points differs, no entry matches, or two entries match one face.
    """
    if len(file) == 0:
        raise DataError("the file of predictions contains no face; it must have an entry per face that was found")
    landmarks = _points_of_set(file, annotations, from68)
    index = _face_indices(file, annotations)
    used = np.flatnonzero(index >= 0)
    if not len(used):
        raise DataError(
            f"none of the {len(file)} predicted faces is in this set: an image in the file is {file.image[0]!r}, an "
            f"image in the set is {str(annotations.image[0])!r}. Name images by their paths in the set's folder"
        )
    target = index[used]
    if len(np.unique(target)) < len(target):
        twice = np.flatnonzero(np.bincount(target) > 1)[0]
        raise DataError(
            f"the file has two entries for face {twice} of the set ({annotations.image[twice]}); keep one of them"
        )
    points = np.full(annotations.points.shape, np.nan)
    points[target] = landmarks[used]
    milliseconds = np.full(len(annotations), np.nan)
    milliseconds[target] = file.milliseconds[used]
    rotation = None
    if np.isfinite(file.angles[used]).any():
        rotation = np.full((len(annotations), 3, 3), np.nan)
        rotation[target] = hpen_rotation(np.radians(file.angles[used]))
    predictions = Predictions(
        {"": points},
        rotation=rotation,
        milliseconds=milliseconds if np.isfinite(milliseconds).any() else None,
        method=method or file.method or "predictions",
    )
    finite = np.isfinite(points).all(2)[:, predictions.offered].sum(1)
    bad = (finite > 0) & (finite < predictions.offered.sum())
    if bad.any():
        raise DataError(
            f"{annotations.image[bad][0]}: some points of the face are NaN. Give all points of a face that was found, "
            "and leave out the entry of a face that was not"
        )
    return predictions, len(file) - len(used)


def to_prediction_file(annotations: FaceRecords, predictions: Predictions, root: Path) -> PredictionFile:
    """Entries with the principal output of predictions; image names are relative to the set's folder `root`."""
    index = np.flatnonzero(predictions.found)
    unknown = np.full(len(index), np.nan)
    angles = np.full((len(index), 3), np.nan)
    if predictions.rotation is not None:
        angles = np.degrees(hpen_angles(predictions.rotation[index]))
    return PredictionFile(
        image=tuple(relative_name(str(annotations.image[i]), root) for i in index),
        landmarks=predictions.landmarks[index],
        face=index,
        box=np.full((len(index), 4), np.nan),
        milliseconds=unknown if predictions.milliseconds is None else predictions.milliseconds[index],
        angles=angles,
        method=predictions.method,
    )


def relative_name(image: str, root: Path) -> str:
    """Path of an image relative to the set's folder, with forward slashes; the full path if it is elsewhere."""
    path = Path(image)
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else path.as_posix()


def _points_of_set(
    file: PredictionFile, annotations: FaceRecords, from68: Callable[[np.ndarray], np.ndarray] | None
) -> np.ndarray:
    expected, got = annotations.points.shape[1], file.landmarks.shape[1]
    if got == expected:
        return file.landmarks
    if got == NUM_LANDMARKS and from68 is not None:
        return from68(file.landmarks)
    accepted = f"{expected} points" + (", or 68 points" if from68 is not None else "")
    raise DataError(f"the file has {got} points per face; this set needs {accepted}")


def _face_indices(file: PredictionFile, annotations: FaceRecords) -> np.ndarray:
    """(n,) index of the annotated face of every entry; -1 for none."""
    index = np.full(len(file), -1, np.int64)
    images = _ImageNames(annotations.image.tolist())
    entries_of_image: dict[str, list[int]] = defaultdict(list)
    for i, name in enumerate(file.image):
        image = images.find(name)
        if image is None:
            continue
        if file.face[i] < 0:
            entries_of_image[image].append(i)
            continue
        if file.face[i] >= len(annotations) or str(annotations.image[file.face[i]]) != image:
            raise DataError(
                f"entry {i} of the file is for face {file.face[i]} in {name}, but that face of the set is not in this "
                "image; take face numbers from the list that --faces writes"
            )
        index[i] = file.face[i]
    for image, entries in entries_of_image.items():
        here = images.faces[image]
        if len(here) == 1 and len(entries) == 1 and np.isnan(file.box[entries[0]]).any():
            # One entry for one face: it counts as this face, however large its error is.
            index[entries[0]] = here[0]
            continue
        boxes = np.where(np.isnan(file.box[entries]), bounding_boxes(file.landmarks[entries]), file.box[entries])
        for row, column in match_boxes(annotations.box[here], boxes):
            index[entries[column]] = here[row]
    return index


class _ImageNames:
    """Images of a set, found by any trailing part of their path that is unique in the set.

    Attributes:
        faces: image -> indices of its faces.
    """

    def __init__(self, images: Sequence[str]) -> None:
        self.faces: dict[str, list[int]] = defaultdict(list)
        self._by_name: dict[str, list[str]] = defaultdict(list)
        for i, image in enumerate(images):
            if image not in self.faces:
                self._by_name[PurePosixPath(Path(image).as_posix()).name].append(image)
            self.faces[image].append(i)

    def find(self, name: str) -> str | None:
        """The image of this name; None if it is not in the set.

        Raises:
            DataError: the name fits several images.
        """
        tail = tuple(part for part in PurePosixPath(Path(name).as_posix()).parts if part not in ("/", ".", ".."))
        if not tail:
            return None
        candidates = []
        for image in self._by_name.get(tail[-1], []):
            parts = Path(image).parts
            shorter = min(len(parts), len(tail))
            if parts[-shorter:] == tail[-shorter:]:
                candidates.append(image)
        if len(candidates) > 1:
            raise DataError(f"{name!r} could be {candidates[0]} or {candidates[1]}: give more of its path")
        return candidates[0] if candidates else None
