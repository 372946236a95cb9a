"""Eye opening, measured as lid aperture over eye width on the 68 landmarks."""

import numpy as np

from rdrface.landmarks import NUM_LANDMARKS

CLOSED_EYE, OPEN_EYE = 0.13, 0.22
"""Eye aspects: an eye below the first is closed, an eye above the second is open. Eyes in between are neither."""

_LEFT, _RIGHT = slice(36, 42), slice(42, 48)
"""Points of the left and right eye in the image, in this order: corner, two on the upper lid, corner, two on the lower
lid."""


def eye_aspect(points: np.ndarray) -> np.ndarray:
    """Lid aperture divided by eye width: about 0.3 for an open eye and 0.1 for a closed one.

    For the left eye in the image it is the mean of |37 - 41| and |38 - 40| over |36 - 39|; for the right eye, the mean
    of |43 - 47| and |44 - 46| over |42 - 45|.

    Args:
        points: (N, 68, 2), any unit; NaN for points without a position.

    Returns:
        (N, 2) with the dtype of `points`: left and right eye in the image; NaN if a point of the eye has no position or
        the eye's corners coincide.

    Raises:
        ValueError: `points` has the wrong shape.
    """
    points = np.asarray(points)
    if points.ndim != 3 or points.shape[1:] != (NUM_LANDMARKS, 2):
        raise ValueError(f"eye_aspect expects points of shape (N, 68, 2), got {points.shape}")
    return np.stack([_aspect(points[:, eye]) for eye in (_LEFT, _RIGHT)], axis=1)


def _aspect(eye: np.ndarray) -> np.ndarray:
    first_corner, upper1, upper2, second_corner, lower2, lower1 = (eye[:, i] for i in range(6))
    aperture = (np.linalg.norm(upper1 - lower1, axis=1) + np.linalg.norm(upper2 - lower2, axis=1)) / 2
    width = np.linalg.norm(second_corner - first_corner, axis=1)
    aspect: np.ndarray = aperture / np.where(width > 0, width, np.nan)
    return aspect
