"""What is annotated as hidden must not stick out: one-sided terms that turn a profile far enough.

Half a face's points fit a head turned by 50 degrees nearly as well as one turned by 75. What tells them apart is that
the far eye or the far half of the mouth is not seen: it lies behind the ridge of the nose, behind the lips.
"""

import numpy as np

# Per side: points that are hidden behind the middle line of the face only when all of them are hidden. A single one,
# such as the inner corner of the far eye, may be behind the side of the nose long before.
_GROUPS = (
    ((17, 18, 19, 20, 21), (27,) * 5),
    ((22, 23, 24, 25, 26), (27,) * 5),
    ((36, 37, 38, 39, 40, 41), (27,) * 6),
    ((42, 43, 44, 45, 46, 47), (27,) * 6),
    ((48, 49, 50, 58, 59, 60, 61, 67), (51, 51, 51, 57, 57, 62, 62, 66)),
    ((52, 53, 54, 55, 56, 63, 64, 65), (51, 51, 51, 57, 57, 62, 62, 66)),
)
FAR = np.concatenate([group for group, _ in _GROUPS])
MIDDLE = np.concatenate([middle for _, middle in _GROUPS])
"""(38,) landmarks that a profile can hide, and the landmark on the middle line that each hides behind."""

_TRUST = 0.6  # weight of a term beside that of a labeled point
_FREE = 0.02  # sqrt(w h): the profile runs a little in front of the middle landmarks
_LARGE = 0.1  # sqrt(w h): from here on a term loses weight; the annotator may have meant something else


def behind(absent: np.ndarray) -> np.ndarray:
    """(B, 68) hidden by the head itself -> (B, 38) bool, which of `FAR` are hidden together with their whole group."""
    groups = [np.repeat(absent[:, group].all(axis=1, keepdims=True), len(group), axis=1) for group, _ in _GROUPS]
    return np.concatenate(groups, axis=1)


def excess(camera: np.ndarray, rotation: np.ndarray, absent: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """How far hidden points stick out beyond the profile.

    Args:
        camera: (B, 68, 3) posed points, unit sqrt(w h). rotation: (B, 3, 3).
        absent: (B, 68) bool, annotated as hidden by the head itself.

    Returns:
        ahead (B, 38), in camera units, positive where the point is in front of the profile; weight (B, 38), 0 where
        the term does not count; direction (B, 2), unit vector in the picture in which the nose points.
    """
    direction = rotation[:, :2, 2]
    length = np.linalg.norm(direction, axis=1, keepdims=True)
    direction = direction / np.maximum(length, 1e-9)
    ahead = np.einsum("bnc,bc->bn", camera[:, FAR, :2] - camera[:, MIDDLE, :2], direction) - _FREE
    # Towards a face that looks straight at us there is no profile to hide behind.
    active = behind(absent) & (ahead > 0) & (length > 0.3)
    return ahead, active * _TRUST / (1 + (ahead / _LARGE) ** 2), direction
