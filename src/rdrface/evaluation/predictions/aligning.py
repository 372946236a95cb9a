"""Predictions of an aligner for annotated faces."""

import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from typing import Any, Protocol

import numpy as np
from tqdm import tqdm

from rdrface.datasets.records import FaceRecords
from rdrface.detection.box_file import BoxFile
from rdrface.errors import BoxError, ImageError
from rdrface.evaluation.predictions.matching import match_boxes
from rdrface.evaluation.predictions.predictions import Predictions
from rdrface.morphable.params import NUM_EXPRESSION

Outputs = Callable[[Any], Mapping[str, np.ndarray]]


class AlignerLike(Protocol):
    """Interface of the aligner to evaluate: `rdrface.Aligner`, or any object with these two methods."""

    def align(self, image: Any, boxes: np.ndarray) -> list[Any]:
        """One `rdrface.Face` per box (n, 4)."""

    def detect(self, image: Any) -> list[Any]:
        """One `rdrface.Face` per face found in the image."""


def run_aligner(
    aligner: AlignerLike, annotations: FaceRecords, outputs: Outputs, boxes: str | BoxFile = "gt"
) -> tuple[Predictions, dict[str, str]]:
    """Run an aligner on every annotated face.

    Args:
        aligner: see `AlignerLike`.
        annotations: N annotated faces with P points.
        outputs: function from a face to its outputs: name -> (P, 2) image pixels, the principal output first.
        boxes: 'gt' aligns the boxes of the annotations; 'detector' detects the faces first; a `BoxFile` aligns its
            boxes. In the last two cases each annotated face is matched with the box that overlaps it most, see
            `rdrface.evaluation.predictions.matching.match_boxes`.

    Returns:
        The predictions in the order of the annotations, NaN for faces that were not found, and {image: reason} of the
        images that could not be read, or whose boxes cannot be those of faces in the image.
    """
    count, points = annotations.points.shape[:2]
    results: dict[str, np.ndarray] = {}
    visibility, uncertainty = np.full((2, count, points), np.nan)
    rotation = np.full((count, 3, 3), np.nan)
    expression = np.full((count, NUM_EXPRESSION), np.nan)
    milliseconds = np.full(count, np.nan)
    unreadable: dict[str, str] = {}
    faces_of_image: dict[str, list[int]] = defaultdict(list)
    for i, name in enumerate(annotations.image.tolist()):
        faces_of_image[name].append(i)
    # disable=None: show the progress bar on a terminal only.
    for name, index in tqdm(faces_of_image.items(), desc="images", disable=None):
        try:
            image = annotations.open_image(name)
            begin = time.perf_counter()
            pairs = _matched_faces(aligner, image, name, annotations.box[index], boxes)
            elapsed = 1000 * (time.perf_counter() - begin)
        except ImageError as problem:
            unreadable[name] = str(problem)
            continue
        except BoxError as problem:
            unreadable[name] = f"{name}: {problem}"
            continue
        for row, face in pairs:
            i = index[row]
            for output, values in outputs(face).items():
                results.setdefault(output, np.full((count, points, 2), np.nan))[i] = values
            if len(face.visibility) == points:
                visibility[i], uncertainty[i] = face.visibility, face.uncertainty
            rotation[i] = face.pose.rotation
            expression[i] = face.parameters.expression
            milliseconds[i] = elapsed / len(index)
    # Visibility and uncertainty are predicted for the 68 landmarks only, not for the points of other sets.
    has_uncertainty = bool(np.isfinite(visibility).any())
    return (
        Predictions(
            results or {"": np.full((count, points, 2), np.nan)},
            visibility=visibility if has_uncertainty else None,
            uncertainty=uncertainty if has_uncertainty else None,
            rotation=rotation,
            expression=expression,
            milliseconds=milliseconds,
        ),
        unreadable,
    )


def _matched_faces(
    aligner: AlignerLike, image: Any, name: str, annotated_boxes: np.ndarray, boxes: str | BoxFile
) -> list[tuple[int, Any]]:
    """Pairs of a row of `annotated_boxes` and the face found for it, in one image."""
    if boxes == "gt":
        return list(enumerate(aligner.align(image, annotated_boxes)))
    if isinstance(boxes, str):
        faces = aligner.detect(image)
    else:
        given = boxes.of(name)
        faces = [] if given is None or not len(given) else aligner.align(image, given)
    if not faces:
        return []
    found_boxes = np.stack([face.box for face in faces])
    return [(row, faces[column]) for row, column in match_boxes(annotated_boxes, found_boxes)]
