"""All points of a face in one array, so that one filter smooths them.

The rows are the 68 landmarks with the contour on the jawline, which are fixed to the head; the 17 contour points on the
visible outline; the 68 landmarks of the 3D face; the 17 contour points of its outline; and custom landmarks, if any.
"""

from typing import NamedTuple

import numpy as np

from rdrface.face import Face
from rdrface.landmarks import GROUPS, NUM_CONTOUR, NUM_LANDMARKS

_OUTLINE = slice(NUM_LANDMARKS, NUM_LANDMARKS + NUM_CONTOUR)
_MODEL = slice(_OUTLINE.stop, _OUTLINE.stop + NUM_LANDMARKS)
_MODEL_OUTLINE = slice(_MODEL.stop, _MODEL.stop + NUM_CONTOUR)


class StackedPoints(NamedTuple):
    """The parts of the array.

    Attributes:
        landmarks: (68, 2) contour on the outline.
        landmarks_jawline: (68, 2).
        landmarks_3d: (68, 3).
        outline_3d: (17, 2) contour points of the 3D face on its outline.
        custom_landmarks: (L, 2).
    """

    landmarks: np.ndarray
    landmarks_jawline: np.ndarray
    landmarks_3d: np.ndarray
    outline_3d: np.ndarray
    custom_landmarks: np.ndarray


def stacked(face: Face) -> np.ndarray:
    """(n, 3) float64 image pixels; z of the 2D points is that of the 3D face's landmarks."""
    custom = 0 if face.custom_landmarks is None else len(face.custom_landmarks)
    points = np.empty((_MODEL_OUTLINE.stop + custom, 3))
    points[:NUM_LANDMARKS, :2] = face.landmarks_jawline
    points[_OUTLINE, :2] = face.landmarks[:NUM_CONTOUR]
    points[_MODEL] = face.landmarks_3d
    points[_MODEL_OUTLINE, :2] = face.projection[:NUM_CONTOUR]
    depth = points[_MODEL, 2]
    points[:NUM_LANDMARKS, 2] = depth
    points[_OUTLINE, 2] = points[_MODEL_OUTLINE, 2] = depth[:NUM_CONTOUR]
    if face.custom_landmarks is not None:
        points[_MODEL_OUTLINE.stop :, :2] = face.custom_landmarks
        points[_MODEL_OUTLINE.stop :, 2] = depth.mean()
    return points


def unstacked(points: np.ndarray) -> StackedPoints:
    """The parts of an array of `stacked`."""
    jawline = points[:NUM_LANDMARKS, :2]
    return StackedPoints(
        landmarks=np.concatenate([points[_OUTLINE, :2], jawline[NUM_CONTOUR:]]),
        landmarks_jawline=jawline,
        landmarks_3d=points[_MODEL],
        outline_3d=points[_MODEL_OUTLINE, :2],
        custom_landmarks=points[_MODEL_OUTLINE.stop :, :2],
    )


def parts_of_the_stack() -> list[np.ndarray]:
    """Indices of the points of each part of the face that moves as one."""
    parts = [np.array(part) for part in GROUPS.values()]
    return [
        *parts,
        np.arange(_OUTLINE.start, _OUTLINE.stop),
        *(_MODEL.start + part for part in parts),
        np.arange(_MODEL_OUTLINE.start, _MODEL_OUTLINE.stop),
    ]
