"""Arrays of 68 points in iBUG's order, as face-alignment, InsightFace, dlib and many other libraries have them."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from rdrface.face import Face
from rdrface.landmarks import NUM_LANDMARKS


def to_points68(faces: Sequence[Face], *, jawline: bool = False) -> np.ndarray:
    """The 68 landmarks of faces.

    Args:
        faces: the faces.
        jawline: contour on the absolute jawline, also where it is hidden, as the 3D labels of 300W-LP have it. By
            default it is on the visible outline, as the labels of 300W have it.

    Returns:
        (n, 68, 2) float32 image pixels; (0, 0) is the center of the first pixel.
    """
    landmarks = [face.landmarks_jawline if jawline else face.landmarks for face in faces]
    return np.asarray(landmarks, np.float32).reshape(-1, NUM_LANDMARKS, 2)


def from_points68(points: Any) -> np.ndarray:
    """68 points of one face from another library; `rdrface.fit` makes a `Face` of them.

    Args:
        points: (68, 2) or (68, 3) numbers: an array, a tensor, nested lists; or 136 numbers x0, y0, x1, ...; or a
            `full_object_detection` of dlib. A third coordinate is dropped. The order must be iBUG's.

    Returns:
        (68, 2) float32, in the unit of `points`.

    Raises:
        ValueError: another shape, or no numbers. NaN is a point without a position.
    """
    if callable(getattr(points, "parts", None)):  # dlib
        points = [(part.x, part.y) for part in points.parts()]
    for method in ("detach", "cpu"):  # PyTorch
        points = getattr(points, method)() if callable(getattr(points, method, None)) else points
    values = to_numbers(points, "points")
    if values.shape == (2 * NUM_LANDMARKS,):
        values = values.reshape(NUM_LANDMARKS, 2)
    if values.shape not in ((NUM_LANDMARKS, 2), (NUM_LANDMARKS, 3)):
        raise ValueError(
            f"points must be those of one face, of shape ({NUM_LANDMARKS}, 2) or ({NUM_LANDMARKS}, 3); "
            f"got {values.shape}"
        )
    return values[:, :2].astype(np.float32)


def to_numbers(values: Any, name: str) -> np.ndarray:
    """An array of any shape as float64, with values that float32 can hold; None becomes NaN.

    Args:
        values: numbers.
        name: name of the argument, for the message.

    Raises:
        ValueError: not real numbers, or infinity or numbers beyond float32.
    """
    try:
        numbers = np.asarray(values)
        if numbers.dtype.kind not in "fiuO":
            raise TypeError(f"got {numbers.dtype}")
        numbers = numbers.astype(np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name} must be an array of numbers: {error}") from error
    if (np.abs(numbers) > np.finfo(np.float32).max).any():
        raise ValueError(f"{name} must be finite; got infinity or a number beyond float32")
    return numbers
