"""Which found face is which annotated one: by photo, and by overlap where a photo has several."""

import json
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path, PurePosixPath

import numpy as np

from rdrface.datasets.readers.aflw2000 import hpen_angles, hpen_rotation
from rdrface.datasets.records import FaceRecords
from rdrface.errors import DataError
from rdrface.evaluation.predictions.files import PredictedFaces
from rdrface.evaluation.predictions.predictions import Predictions
from rdrface.geometry.boxes import bounding_boxes, box_iou

SAME_FACE = 0.3
"""Least overlap (intersection over union) of a found face's box with the annotated one. Landmark boxes of one face
overlap far more, those of neighbors in a crowd hardly at all."""


def match(wanted: np.ndarray, found: np.ndarray) -> list[tuple[int, int]]:
    """Pairs (row of wanted (n, 4), row of found (m, 4)) that overlap by `SAME_FACE`, the best first.

    No found box serves two wanted ones. Compare the boxes that were looked in, not boxes of landmarks: a badly aligned
    face is an error, not a missed one.
    """
    overlap = box_iou(np.asarray(wanted, np.float64), np.asarray(found, np.float64))
    pairs = []
    while overlap.size and overlap.max() >= SAME_FACE:
        row, column = np.unravel_index(int(overlap.argmax()), overlap.shape)
        pairs.append((int(row), int(column)))
        overlap[row] = overlap[:, column] = 0
    return pairs


def assign(
    faces: PredictedFaces,
    annotations: FaceRecords,
    from68: Callable[[np.ndarray], np.ndarray] | None = None,
    method: str = "",
) -> tuple[Predictions, int]:
    """Predictions for annotated faces from the entries of a file.

    Args:
        faces: n entries.
        annotations: N faces, P points.
        from68: brings entries of 68 points to the set's P, see `rdrface.evaluation.protocols.sets`.
        method: name for the tables; the file's own by default.

    Returns:
        The predictions, and how many entries are of no annotated face (of other photos, or of other faces in them).

    Raises:
        DataError: another number of points, no entry fits, or two entries are of one face.
    """
    if len(faces) == 0:
        raise DataError("the file of predictions holds no face")
    landmarks = _points_of_set(faces, annotations, from68)
    index = _indices(faces, annotations)
    used = np.flatnonzero(index >= 0)
    if not len(used):
        raise DataError(
            f"none of the {len(faces)} predicted faces is of this set: the file has photos like {faces.image[0]!r}, "
            f"the set {str(annotations.image[0])!r}. Name photos by their paths in the set's folder"
        )
    target = index[used]
    if len(np.unique(target)) < len(target):
        twice = np.flatnonzero(np.bincount(target) > 1)[0]
        raise DataError(f"the file has two entries for face {twice} of the set ({annotations.image[twice]})")
    points = np.full(annotations.points.shape, np.nan)
    points[target] = landmarks[used]
    milliseconds = np.full(len(annotations), np.nan)
    milliseconds[target] = faces.milliseconds[used]
    rotation = None
    if np.isfinite(faces.angles[used]).any():
        rotation = np.full((len(annotations), 3, 3), np.nan)
        rotation[target] = hpen_rotation(np.radians(faces.angles[used]))
    predictions = Predictions(
        {"": points},
        rotation=rotation,
        milliseconds=milliseconds if np.isfinite(milliseconds).any() else None,
        method=method or faces.method or "predictions",
    )
    partly = np.isfinite(points).all(2)[:, predictions.offered].sum(1)
    bad = (partly > 0) & (partly < predictions.offered.sum())
    if bad.any():
        raise DataError(f"{annotations.image[bad][0]}: some of the face's points are no numbers and some are")
    return predictions, len(faces) - len(used)


def entries_of(annotations: FaceRecords, predictions: Predictions, root: Path) -> PredictedFaces:
    """The principal output of predictions as entries for a file, names relative to the set's folder."""
    index = np.flatnonzero(predictions.found)
    none = np.full(len(index), np.nan)
    angles = np.full((len(index), 3), np.nan)
    if predictions.rotation is not None:
        angles = np.degrees(hpen_angles(predictions.rotation[index]))
    return PredictedFaces(
        image=tuple(relative(str(annotations.image[i]), root) for i in index),
        landmarks=predictions.landmarks[index],
        face=index,
        box=np.full((len(index), 4), np.nan),
        milliseconds=none if predictions.milliseconds is None else predictions.milliseconds[index],
        angles=angles,
        method=predictions.method,
    )


def write_face_list(path: Path, annotations: FaceRecords, root: Path) -> None:
    """Write what a recorder of other methods starts from: JSON, one object per face with face, image, path and box.

    Raises:
        DataError: the photos of the set are no files of their own, or the list cannot be written.
    """
    entries = []
    for i, image in enumerate(annotations.image.tolist()):
        photo = annotations.open_image(image)
        if not isinstance(photo, str | Path):
            raise DataError(f"{image} lies inside a file of the set: recorders need photos that are files of their own")
        box = annotations.box[i].round(4).tolist()
        entries.append({"face": i, "image": relative(image, root), "path": str(Path(photo).resolve()), "box": box})
    try:
        path.write_text(json.dumps(entries, indent=0) + "\n", encoding="utf-8")
    except OSError as error:
        raise DataError(f"cannot write {path}: {error.strerror or error}") from error


def relative(image: str, root: Path) -> str:
    """A photo's path in the set's folder, with slashes; as it is where it lies elsewhere."""
    path = Path(image)
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else path.as_posix()


def _points_of_set(
    faces: PredictedFaces, annotations: FaceRecords, from68: Callable[[np.ndarray], np.ndarray] | None
) -> np.ndarray:
    wanted, got = annotations.points.shape[1], faces.landmarks.shape[1]
    if got == wanted:
        return faces.landmarks
    if got == 68 and from68 is not None:
        return from68(faces.landmarks)
    ways = f"{wanted} points" + (", or 68 points" if from68 is not None else "")
    raise DataError(f"the file has {got} points per face; this set wants {ways}")


def _indices(faces: PredictedFaces, annotations: FaceRecords) -> np.ndarray:
    """(n,) the annotated face of every entry, -1 for none."""
    index = np.full(len(faces), -1, np.int64)
    names = _Names(annotations.image.tolist())
    entries_of_photo: dict[str, list[int]] = defaultdict(list)
    for i, image in enumerate(faces.image):
        photo = names.find(image)
        if photo is None:
            continue
        if faces.face[i] < 0:
            entries_of_photo[photo].append(i)
            continue
        if faces.face[i] >= len(annotations) or str(annotations.image[faces.face[i]]) != photo:
            raise DataError(f"entry {i} says that {image} is face {faces.face[i]} of the set, which it is not")
        index[i] = faces.face[i]
    for photo, entries in entries_of_photo.items():
        here = names.faces[photo]
        if len(here) == 1 and len(entries) == 1 and np.isnan(faces.box[entries[0]]).any():
            # Nothing to choose from: however wrong the points are, they are meant for this face.
            index[entries[0]] = here[0]
            continue
        boxes = np.where(np.isnan(faces.box[entries]), bounding_boxes(faces.landmarks[entries]), faces.box[entries])
        for row, column in match(annotations.box[here], boxes):
            index[entries[column]] = here[row]
    return index


class _Names:
    """Photos of a set, found by any tail of their path that only one of them has."""

    def __init__(self, images: Sequence[str]) -> None:
        self.faces: dict[str, list[int]] = defaultdict(list)
        self._by_name: dict[str, list[str]] = defaultdict(list)
        for i, image in enumerate(images):
            if image not in self.faces:
                self._by_name[PurePosixPath(Path(image).as_posix()).name].append(image)
            self.faces[image].append(i)

    def find(self, name: str) -> str | None:
        """The photo; None if the set has none of this name.

        Raises:
            DataError: several photos have this tail.
        """
        tail = tuple(part for part in PurePosixPath(Path(name).as_posix()).parts if part not in ("/", ".", ".."))
        if not tail:
            return None
        fitting = []
        for image in self._by_name.get(tail[-1], []):
            parts = Path(image).parts
            shorter = min(len(parts), len(tail))
            if parts[-shorter:] == tail[-shorter:]:
                fitting.append(image)
        if len(fitting) > 1:
            raise DataError(f"{name!r} could be {fitting[0]} or {fitting[1]}: give more of its path")
        return fitting[0] if fitting else None
