"""Faces that were found twice."""

from collections.abc import Sequence

import numpy as np

from rdrface.face import Face

MAX_DUPLICATE_DISTANCE = 0.40
"""Two faces whose corresponding landmarks are closer on average, in face sizes, are one face."""

MAX_CENTER_DISTANCE = 0.30
"""Two faces of similar size whose centers are closer, in face sizes, are one face, which was aligned at two angles."""

MAX_SIZE_RATIO = 1.5
"""Maximum ratio of the sizes of such faces."""


def without_duplicates(faces: Sequence[Face]) -> list[Face]:
    """The faces in the same order, without duplicates.

    The detector suppresses boxes that overlap, but a box between two people or around half a face can lead to the same
    landmarks as another box. Of such faces, the one with the lowest expected error is kept.
    """
    if len(faces) < 2:
        return list(faces)
    landmarks = np.array([face.landmarks for face in faces], np.float64)
    sizes = np.array([face.size for face in faces])
    kept: list[int] = []
    for i in sorted(range(len(faces)), key=lambda i: faces[i].expected_error):
        size = (sizes[kept] + sizes[i]) / 2
        distance = np.linalg.norm(landmarks[kept] - landmarks[i], axis=-1).mean(axis=-1)
        center_distance = np.linalg.norm((landmarks[kept] - landmarks[i]).mean(axis=1), axis=-1)
        similar = np.maximum(sizes[kept], sizes[i]) < MAX_SIZE_RATIO * np.minimum(sizes[kept], sizes[i])
        same = (distance < MAX_DUPLICATE_DISTANCE * size) | (similar & (center_distance < MAX_CENTER_DISTANCE * size))
        if not same.any():
            kept.append(i)
    return [faces[i] for i in sorted(kept)]
