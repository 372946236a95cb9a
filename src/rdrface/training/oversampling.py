"""Draws per epoch of each face: more for rare kinds of faces, fewer for some sources."""

from collections.abc import Mapping

import numpy as np

from rdrface.datasets.crops import PackedCrops
from rdrface.datasets.records import OCCLUDED
from rdrface.datasets.sources import check_sources, value_of
from rdrface.errors import ConfigError
from rdrface.geometry.eyes import eye_aspect
from rdrface.landmarks import GROUPS
from rdrface.morphable.params import POSE

CLOSED_EYE = 0.16
"""An eye is closed if the distance of its lids is below this fraction of its width."""

OPEN_MOUTH = 0.3
"""A mouth is open if the distance of its inner lips is above this fraction of the distance of their corners."""

FAR_EYE_YAW = np.deg2rad(60.0)
"""Beyond this yaw the far eye does not count."""


def draws_per_epoch(
    faces: PackedCrops,
    closed_eye_draws: float = 1.0,
    open_mouth_draws: float = 1.0,
    source_draws: Mapping[str, float] | None = None,
) -> np.ndarray:
    """Draws per epoch of each face: the product of all factors that apply to it.

    Args:
        faces: N faces.
        closed_eye_draws: factor for faces with a closed eye.
        open_mouth_draws: factor for faces with an open mouth.
        source_draws: source -> factor, see `rdrface.datasets.sources`.

    Returns:
        (N,) float64, 0 or more; 1 where no factor applies.

    Raises:
        ConfigError: an entry of `source_draws` does not match any source of these faces, or the result is 0 for all
            faces.
    """
    factors = source_draws or {}
    check_sources(faces.source_names, factors, "source_draws")
    draws: np.ndarray = np.array([value_of(name, factors, 1.0) for name in faces.source_names])[faces.source]
    draws = draws * np.where(has_closed_eye(faces), closed_eye_draws, 1.0)
    draws = draws * np.where(has_open_mouth(faces), open_mouth_draws, 1.0)
    if not draws.sum() > 0:
        raise ConfigError(
            "closed_eye_draws, open_mouth_draws and source_draws leave no face to draw; set at least one factor above 0"
        )
    return draws


def has_closed_eye(faces: PackedCrops) -> np.ndarray:
    """(N,) bool, True where an annotated eye without occluded points is closed (`CLOSED_EYE`).

    The far eye beyond `FAR_EYE_YAW` does not count, nor do the eyes of a face without a fit.
    """
    yaw = faces.Q[:, POSE][:, 1]
    closed = np.zeros(len(faces), bool)
    aspect = eye_aspect(faces.points)
    for side, (name, near) in enumerate((("left_eye", yaw > 0), ("right_eye", yaw < 0))):
        uncovered = (faces.state[:, list(GROUPS[name])] != OCCLUDED).all(1)
        closed |= (aspect[:, side] < CLOSED_EYE) & uncovered & (near | (np.abs(yaw) <= FAR_EYE_YAW))
    return closed


def has_open_mouth(faces: PackedCrops) -> np.ndarray:
    """(N,) bool, True where the mean gap of the annotated inner lips exceeds `OPEN_MOUTH` of their width.

    Mouths with an occluded point or a point without a position do not count. This excludes profiles, whose far corner
    is hidden.
    """
    first = GROUPS["inner_lip"].start
    lips = faces.points[:, first : first + 8]
    gap = (_distance(lips, 1, 7) + _distance(lips, 2, 6) + _distance(lips, 3, 5)) / 3
    uncovered = (faces.state[:, first : first + 8] != OCCLUDED).all(1)
    # Comparisons with NaN (a point without a position) are false.
    is_open: np.ndarray = (gap > OPEN_MOUTH * _distance(lips, 0, 4)) & uncovered
    return is_open


def _distance(points: np.ndarray, a: int, b: int) -> np.ndarray:
    distance: np.ndarray = np.linalg.norm(points[:, a] - points[:, b], axis=-1)
    return distance
