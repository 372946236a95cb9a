"""Faces that were found twice."""

from collections.abc import Sequence

import numpy as np

from rdrface.alignment.crop_alignment import face_angles
from rdrface.alignment.retries import CLEARLY_BETTER
from rdrface.face import Face
from rdrface.geometry.boxes import bounding_boxes, box_iou, containment

MAX_DUPLICATE_DISTANCE = 0.40
"""Two faces whose corresponding landmarks are closer on average, in face sizes, are one face."""

MAX_CENTER_DISTANCE = 0.30
"""Two faces of similar size whose centers are closer, in face sizes, are one face, which was aligned at two angles."""

MAX_SIZE_RATIO = 1.5
"""Maximum ratio of the sizes of such faces."""

MAX_OVERLAP = 0.15
"""Intersection over union of two faces' bounds above which the second is a phantom if its expected error is more than
`PHANTOM_RATIO` times that of the first: part of a face taken for a face."""

PHANTOM_RATIO = 2.0

MAX_CONTAINMENT = 0.75
"""Part of the smaller one of two faces' bounds above which the less certain face is a phantom, whatever their errors.
Of people who overlap in photos of 300-W and 300W-LP, at most 0.61 of the smaller one's bounds are in the other's."""


def without_duplicates(faces: Sequence[Face]) -> list[Face]:
    """The faces in the same order, without duplicates.

    The detector suppresses boxes that overlap, but a box between two people or around half a face can lead to the same
    landmarks as another box, or to landmarks on part of a face. Of such faces, the one with the lowest expected error
    for its detector score is kept. An upside-down one must be clearly better than an upright one.
    """
    if len(faces) < 2:
        return list(faces)
    landmarks = np.array([face.landmarks for face in faces], np.float64)
    errors, scores = np.array([(face.expected_error, face.score) for face in faces]).T
    return lowest_ranked(faces, _ranks(landmarks, errors, scores))


def lowest_ranked(faces: Sequence[Face], ranks: Sequence[float] | np.ndarray) -> list[Face]:
    """The faces in the same order, without duplicates and phantoms: of these, the face with the lowest rank is kept.

    Args:
        faces: n faces in one image.
        ranks: (n,) numbers.
    """
    landmarks = np.array([face.landmarks for face in faces], np.float64)
    sizes = np.array([face.size for face in faces])
    errors = np.array([face.expected_error for face in faces])
    bounds = bounding_boxes(landmarks)
    kept: list[int] = []
    for i in np.argsort(ranks, kind="stable").tolist():
        size = (sizes[kept] + sizes[i]) / 2
        distance = np.linalg.norm(landmarks[kept] - landmarks[i], axis=-1).mean(axis=-1)
        center_distance = np.linalg.norm((landmarks[kept] - landmarks[i]).mean(axis=1), axis=-1)
        similar = np.maximum(sizes[kept], sizes[i]) < MAX_SIZE_RATIO * np.minimum(sizes[kept], sizes[i])
        phantom = box_iou(bounds[[i]], bounds[kept])[0] > MAX_OVERLAP
        phantom &= errors[i] > PHANTOM_RATIO * errors[kept]
        phantom |= containment(bounds[[i]], bounds[kept])[0] > MAX_CONTAINMENT
        same = (distance < MAX_DUPLICATE_DISTANCE * size) | (similar & (center_distance < MAX_CENTER_DISTANCE * size))
        if not (same | phantom).any():
            kept.append(i)
    return [faces[i] for i in sorted(kept)]


def _ranks(landmarks: np.ndarray, errors: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """(n,) values by which faces are kept, the lowest first: the expected error divided by the detector's score.

    A box at the edge of a face has a low score, and often a low expected error all the same. An upside-down face must
    be clearly better than an upright one, as in `rdrface.alignment.retries`.

    Args:
        landmarks: (n, 68, 2) image pixels.
        errors: (n,) expected errors, percent of the face size.
        scores: (n,) 0..1.
    """
    is_upside_down = np.abs(face_angles(landmarks)) > 90
    # The limit only avoids a division by zero: detections have higher scores.
    ranks: np.ndarray = errors / np.maximum(scores, 1e-3) / np.where(is_upside_down, CLEARLY_BETTER, 1.0)
    return ranks
