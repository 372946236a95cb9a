"""Running our aligner over a set: from annotated faces to `Predictions`."""

import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from typing import Any, Protocol

import numpy as np
from tqdm import tqdm

from rdrface.datasets.annotations import Annotations
from rdrface.detection.boxes import BoxFile
from rdrface.errors import ImageError
from rdrface.evaluation.predictions.matching import match
from rdrface.evaluation.predictions.predictions import Predictions
from rdrface.morphable.params import NUM_EXPRESSION

Outputs = Callable[[Any], Mapping[str, np.ndarray]]


class Aligns(Protocol):
    """What is run: `rdrface.Aligner`, or anything with its two functions."""

    def align(self, photo: Any, boxes: np.ndarray) -> list[Any]:
        """One `rdrface.Face` per box."""

    def detect(self, photo: Any) -> list[Any]:
        """A `rdrface.Face` for every face that is found."""


def run_aligner(
    aligner: Aligns, annotations: Annotations, outputs: Outputs, boxes: str | BoxFile = "gt"
) -> tuple[Predictions, dict[str, str]]:
    """Run an aligner on every annotated face.

    Args:
        aligner: see `Aligns`.
        annotations: N annotated faces.
        outputs: from a face to the set's points by the name of the output, the principal one first.
        boxes: 'gt' aligns the annotations' own boxes; 'detector' finds the faces first; a file of boxes aligns its
            boxes. Of the last two every annotated face gets the one that overlaps it most, see
            `rdrface.evaluation.predictions.matching.match`.

    Returns:
        The predictions in the order of the annotations, NaN where no face was found, and {photo: reason} of the photos
        that could not be read.
    """
    count, points = annotations.points.shape[:2]
    results: dict[str, np.ndarray] = {}
    visible, error = np.full((2, count, points), np.nan)
    rotation = np.full((count, 3, 3), np.nan)
    expression = np.full((count, NUM_EXPRESSION), np.nan)
    milliseconds = np.full(count, np.nan)
    unreadable: dict[str, str] = {}
    faces_of: dict[str, list[int]] = defaultdict(list)
    for i, image in enumerate(annotations.image.tolist()):
        faces_of[image].append(i)
    # disable=None: no bar where the output is no terminal.
    for image, index in tqdm(faces_of.items(), desc="photos", disable=None):
        try:
            photo = annotations.photos(image)
            begin = time.perf_counter()
            pairs = _faces(aligner, photo, image, annotations.box[index], boxes)
            passed = 1000 * (time.perf_counter() - begin)
        except ImageError as problem:
            unreadable[image] = str(problem)
            continue
        for row, face in pairs:
            i = index[row]
            for name, values in outputs(face).items():
                results.setdefault(name, np.full((count, points, 2), np.nan))[i] = values
            if len(face.visibility) == points:
                visible[i], error[i] = face.visibility, face.uncertainty
            rotation[i] = face.pose.rotation
            expression[i] = face.parameters.expression
            milliseconds[i] = passed / len(index)
    # Said of the 68 points; nothing is known of a set's other points.
    said = bool(np.isfinite(visible).any())
    return (
        Predictions(
            results or {"": np.full((count, points, 2), np.nan)},
            visibility=visible if said else None,
            uncertainty=error if said else None,
            rotation=rotation,
            expression=expression,
            milliseconds=milliseconds,
        ),
        unreadable,
    )


def _faces(
    aligner: Aligns, photo: Any, image: str, true_boxes: np.ndarray, boxes: str | BoxFile
) -> list[tuple[int, Any]]:
    """(row of the photo's annotated faces, found face) of one photo."""
    if boxes == "gt":
        return list(enumerate(aligner.align(photo, true_boxes)))
    if isinstance(boxes, str):
        faces = aligner.detect(photo)
    else:
        given = boxes.of(image)
        faces = [] if given is None or not len(given) else aligner.align(photo, given)
    if not faces:
        return []
    return [(row, faces[column]) for row, column in match(true_boxes, np.stack([face.box for face in faces]))]
