"""Lists of MediaPipe's `NormalizedLandmark`: coordinates as fractions of the width and the height of the image."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from rdrface.errors import ConfigError
from rdrface.face import Face
from rdrface.interchange.points68 import to_numbers
from rdrface.landmarks import NUM_LANDMARKS

FACE_MESH_POINTS = (
    *(162, 234, 93, 58, 172, 136, 149, 148, 152, 377, 378, 365, 397, 288, 323, 454, 389),
    *(71, 63, 105, 66, 107, 336, 296, 334, 293, 301),
    *(168, 197, 5, 4, 75, 97, 2, 326, 305),
    *(33, 160, 158, 133, 153, 144, 362, 385, 387, 263, 373, 380),
    *(61, 39, 37, 0, 267, 269, 291, 405, 314, 17, 84, 181, 78, 82, 13, 312, 308, 317, 14, 87),
)
"""Indices of MediaPipe's 468 or 478 points that are nearest to iBUG's 68. The contour is on the absolute jawline. The
two schemes differ: expect a constant distance of a few percent of the face size."""

_NUM_MESH = (468, 478)


def to_mediapipe(face: Face, width: int, height: int) -> list[Any]:
    """The 68 landmarks of a face as `NormalizedLandmark` objects, in iBUG's order.

    Args:
        face: the face.
        width: width of its image, pixels.
        height: height of its image, pixels.

    Returns:
        68 landmarks; z is relative to the mean of the landmarks, smaller is nearer to the viewer, in units of the
        image's width. `visibility` is `Face.visibility`, `presence` is 1 for points inside the image.

    Raises:
        ConfigError: mediapipe is not installed.
        ValueError: `width` or `height` is not positive.
    """
    _check_size(width, height)
    try:
        from mediapipe.tasks.python.components.containers.landmark import NormalizedLandmark
    except ImportError as error:
        raise ConfigError(f"mediapipe cannot be imported ({error}): pip install mediapipe") from error
    # MediaPipe's origin is the corner of the first pixel, not its center.
    at = (face.landmarks.astype(np.float64) + 0.5) / [width, height]
    depth = -(face.landmarks_3d[:, 2] - face.landmarks_3d[:, 2].mean()) / width
    is_inside: np.ndarray = np.all((at >= 0) & (at <= 1), axis=1)
    return [
        NormalizedLandmark(x=x, y=y, z=float(z), visibility=float(visibility), presence=float(inside))
        for (x, y), z, visibility, inside in zip(at.tolist(), depth, face.visibility, is_inside, strict=True)
    ]


def from_mediapipe(landmarks: Sequence[Any], width: int, height: int) -> np.ndarray:
    """68 points in iBUG's order from one list of `NormalizedLandmark`, such as `result.face_landmarks[0]`.

    Args:
        landmarks: 468 or 478 landmarks of MediaPipe's face mesh, of which 68 are chosen (`FACE_MESH_POINTS`), or the 68
            landmarks of `to_mediapipe`.
        width: width of the image, pixels.
        height: height of the image, pixels.

    Returns:
        (68, 2) float32 image pixels.

    Raises:
        TypeError: `landmarks` is no list of landmarks.
        ValueError: another number of landmarks, no numbers, or `width` or `height` is not positive.
    """
    _check_size(width, height)
    if not hasattr(landmarks, "__len__") or not hasattr(landmarks, "__getitem__"):
        raise TypeError(f"landmarks must be a list of NormalizedLandmark; got {type(landmarks).__name__}")
    if len(landmarks) in _NUM_MESH:
        landmarks = [landmarks[i] for i in FACE_MESH_POINTS]
    if len(landmarks) != NUM_LANDMARKS:
        raise ValueError(f"expected {NUM_LANDMARKS}, 468 or 478 landmarks of one face; got {len(landmarks)}")
    if not all(hasattr(one, "x") and hasattr(one, "y") for one in landmarks):
        raise TypeError(
            f"landmarks must be those of one face, with x and y, such as result.face_landmarks[0]; got a list of "
            f"{type(landmarks[0]).__name__}"
        )
    fractions = to_numbers([(one.x, one.y) for one in landmarks], "x and y of the landmarks")
    return (fractions * [width, height] - 0.5).astype(np.float32)


def _check_size(width: float, height: float) -> None:
    if not (0 < width < np.inf and 0 < height < np.inf):
        raise ValueError(f"width and height must be positive; got {width} and {height}")
