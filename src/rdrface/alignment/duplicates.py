"""Faces that were found twice."""

from collections.abc import Sequence

import numpy as np

from rdrface.face import Face

MIN_DISTANCE = 0.40
"""Two faces whose corresponding landmarks are closer on average, in face sizes, are one face."""


def without_duplicates(faces: Sequence[Face]) -> list[Face]:
    """The faces in the same order, without those that are another face found again.

    The detector suppresses boxes that overlap, but a box between two people or around half a face can lead to the same
    landmarks as another box. Of such faces, the one with the lowest expected error is kept.
    """
    if len(faces) < 2:
        return list(faces)
    landmarks = np.array([face.landmarks for face in faces], np.float64)
    sizes = np.array([face.size for face in faces])
    kept: list[int] = []
    for i in sorted(range(len(faces)), key=lambda i: faces[i].expected_error):
        distances = np.linalg.norm(landmarks[kept] - landmarks[i], axis=-1).mean(axis=-1)
        if not (distances < MIN_DISTANCE * (sizes[kept] + sizes[i]) / 2).any():
            kept.append(i)
    return [faces[i] for i in sorted(kept)]
