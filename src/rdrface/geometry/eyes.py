"""How far the eyes are open: lid aperture over eye width, from the 68 points."""

import numpy as np

CLOSED, OPEN = 0.13, 0.22
"""Eye aspects: an eye below the first is closed, one above the second is open. Eyes between are neither."""

_LEFT, _RIGHT = slice(36, 42), slice(42, 48)
"""The eyes in the picture. The six points go around: corner, two on the upper lid, corner, two on the lower lid."""


def eye_aspect(points: np.ndarray) -> np.ndarray:
    """Lid aperture divided by eye width: about 0.3 for an open eye, 0.1 for a closed one.

    Picture's left eye: the mean of |37 - 41| and |38 - 40| over |36 - 39|; right eye: the mean of |43 - 47| and
    |44 - 46| over |42 - 45|.

    Args:
        points: (N, 68, 2), any unit; NaN where there is no position.

    Returns:
        (N, 2) of the dtype of `points`: left and right eye of the picture; NaN where one of the eye's points is missing
        or its corners coincide.

    Raises:
        ValueError: another shape.
    """
    points = np.asarray(points)
    if points.ndim != 3 or points.shape[1:] != (68, 2):
        raise ValueError(f"eye_aspect wants points of shape (n, 68, 2), got {points.shape}")
    return np.stack([_aspect(points[:, eye]) for eye in (_LEFT, _RIGHT)], axis=1)


def _aspect(eye: np.ndarray) -> np.ndarray:
    corner, upper, upper2, other, lower2, lower = (eye[:, i] for i in range(6))
    aperture = (np.linalg.norm(upper - lower, axis=1) + np.linalg.norm(upper2 - lower2, axis=1)) / 2
    width = np.linalg.norm(other - corner, axis=1)
    return aperture / np.where(width > 0, width, np.nan)
