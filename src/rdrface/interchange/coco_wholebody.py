"""COCO-WholeBody: 133 keypoints, of which 23 to 90 are the face in iBUG's order."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from rdrface.face import Face
from rdrface.interchange.points68 import to_numbers, to_points68
from rdrface.landmarks import NUM_LANDMARKS

NUM_KEYPOINTS = 133
FACE = slice(23, 91)
"""Keypoints of the face among the 133."""

_MIN_VISIBILITY = 0.5


def to_coco_wholebody(faces: Sequence[Face]) -> np.ndarray:
    """Faces as results of a COCO-WholeBody pose estimator.

    Returns:
        (n, 133, 3) float32: x, y in pixels and confidence, which is the visibility. All keypoints except those of the
        face are 0.
    """
    keypoints = np.zeros((len(faces), NUM_KEYPOINTS, 3), np.float32)
    keypoints[:, FACE, :2] = to_points68(faces)
    keypoints[:, FACE, 2] = np.asarray([face.visibility for face in faces], np.float32).reshape(-1, NUM_LANDMARKS)
    return keypoints


def from_coco_wholebody(keypoints: Any) -> np.ndarray:
    """The 68 points of the face from keypoints of COCO-WholeBody.

    Args:
        keypoints: (n, 133, 2) or (n, 133, 3), for example of a pose estimator.

    Returns:
        (n, 68, 2) float32, in the unit of `keypoints`. Points that are not annotated, which COCO writes as 0, 0, 0, are
        NaN.

    Raises:
        ValueError: another shape, or no numbers.
    """
    values = to_numbers(keypoints, "keypoints")
    if values.ndim != 3 or values.shape[1] != NUM_KEYPOINTS or values.shape[2] not in (2, 3):
        raise ValueError(f"keypoints must be (n, {NUM_KEYPOINTS}, 2) or (n, {NUM_KEYPOINTS}, 3); got {values.shape}")
    points = values[:, FACE, :2].astype(np.float32)
    if values.shape[2] == 3:
        points[(values[:, FACE] == 0).all(axis=2)] = np.nan
    return points


def to_coco_annotation(face: Face) -> dict[str, Any]:
    """The entries of the face in an annotation of COCO-WholeBody.

    Returns:
        `face_kpts`, 68 times x, y, v with v = 2 for visible and 1 for hidden points; `face_box` x, y, width, height,
        the bounding box of the points; `face_valid`.
    """
    points = face.landmarks.astype(np.float64).round(3)
    flags = np.where(face.visibility > _MIN_VISIBILITY, 2, 1)
    flat = [value for (x, y), v in zip(points.tolist(), flags.tolist(), strict=True) for value in (x, y, v)]
    low, high = points.min(axis=0), points.max(axis=0)
    box = [*low.tolist(), *(high - low).round(3).tolist()]
    return {"face_kpts": flat, "face_box": box, "face_valid": True}
