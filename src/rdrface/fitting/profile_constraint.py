"""One-sided constraint of profiles: points that are annotated as hidden must not project outside the face's profile.

The visible half of a face fits a yaw of 50 degrees nearly as well as one of 75. The hidden half resolves the ambiguity:
the far eye must be behind the ridge of the nose, and the far half of the mouth behind the lips.
"""

import numpy as np

from rdrface.landmarks import GROUPS

# A group counts as hidden behind the midline only when all its points are hidden: a single point, such as the inner
# corner of the far eye, disappears behind the side of the nose at a much smaller yaw.
_GROUPS = (
    (tuple(GROUPS["left_brow"]), (27,) * 5),
    (tuple(GROUPS["right_brow"]), (27,) * 5),
    (tuple(GROUPS["left_eye"]), (27,) * 6),
    (tuple(GROUPS["right_eye"]), (27,) * 6),
    ((48, 49, 50, 58, 59, 60, 61, 67), (51, 51, 51, 57, 57, 62, 62, 66)),
    ((52, 53, 54, 55, 56, 63, 64, 65), (51, 51, 51, 57, 57, 62, 62, 66)),
)
FAR = np.concatenate([group for group, _ in _GROUPS])
MIDLINE = np.concatenate([midline for _, midline in _GROUPS])
"""(38,) landmarks that a profile can hide, and the midline landmark that each is hidden behind."""

_WEIGHT = 0.6  # relative to an annotated point
_TOLERANCE = 0.02  # sqrt(w h): the profile runs a little in front of the midline landmarks
_OUTLIER = 0.1  # sqrt(w h): excess at which the weight is halved, since the annotation may be wrong
_FRONTAL = 0.3  # sine of the angle between nose and line of sight below which there is no profile


def hidden_groups(self_occluded: np.ndarray) -> np.ndarray:
    """(B, 38) bool: points of `FAR` whose whole group is hidden; self_occluded (B, 68) bool, hidden by the head."""
    groups = [np.repeat(self_occluded[:, group].all(axis=1, keepdims=True), len(group), axis=1) for group, _ in _GROUPS]
    return np.concatenate(groups, axis=1)


def profile_excess(
    points: np.ndarray, rotation: np.ndarray, self_occluded: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """How far hidden points lie outside the profile.

    Args:
        points: (B, 68, 3) posed points, unit sqrt(w h), y up.
        rotation: (B, 3, 3).
        self_occluded: (B, 68) bool, annotated as hidden by the head itself.

    Returns:
        excess (B, 38), unit sqrt(w h), positive outside the profile; weight (B, 38), 0 where the constraint is
        inactive; direction (B, 2), unit vector in the image in which the nose points.
    """
    direction = rotation[:, :2, 2]
    length = np.linalg.norm(direction, axis=1, keepdims=True)
    direction = direction / np.maximum(length, 1e-9)
    excess = np.einsum("bnc,bc->bn", points[:, FAR, :2] - points[:, MIDLINE, :2], direction) - _TOLERANCE
    active = hidden_groups(self_occluded) & (excess > 0) & (length > _FRONTAL)
    return excess, active * _WEIGHT / (1 + (excess / _OUTLIER) ** 2), direction
