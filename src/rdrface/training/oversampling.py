"""How many times per epoch each face is drawn: rare kinds of faces more often, some sources less."""

from collections.abc import Mapping

import numpy as np

from rdrface.datasets.crops import PackedCrops
from rdrface.datasets.records import OCCLUDED
from rdrface.datasets.sources import check_sources, value_of
from rdrface.errors import ConfigError
from rdrface.geometry.eyes import eye_aspect
from rdrface.landmarks import GROUPS
from rdrface.morphable.params import POSE

CLOSED = 0.16
"""An eye is closed when its lids are closer than this share of its width."""

OPEN = 0.3
"""A mouth is open when its inner lips are further apart than this share of the distance of their corners."""

YAW = np.deg2rad(60.0)
"""Beyond this yaw only the near eye is judged."""


def draws_per_epoch(
    faces: PackedCrops, closed_eyes: float = 1.0, open_mouth: float = 1.0, share: Mapping[str, float] | None = None
) -> np.ndarray:
    """How many times per epoch each face is drawn, the product of all that applies to it.

    Args:
        faces: N faces.
        closed_eyes: factor for faces with a closed eye.
        open_mouth: factor for faces with an open mouth.
        share: source -> factor, see `rdrface.datasets.sources`.

    Returns:
        (N,) float64, 0 or more; 1 where nothing applies.

    Raises:
        ConfigError: an entry of `share` fits no source of these faces, or nothing is left to draw.
    """
    share = share or {}
    check_sources(faces.source_names, share, "share")
    draws = np.array([value_of(name, share, 1.0) for name in faces.source_names])[faces.source]
    draws = draws * np.where(has_closed_eye(faces), closed_eyes, 1.0) * np.where(has_open_mouth(faces), open_mouth, 1.0)
    if not draws.sum() > 0:
        raise ConfigError("closed_eyes, open_mouth and share leave no face to draw; raise one of them above 0")
    return draws


def has_closed_eye(faces: PackedCrops) -> np.ndarray:
    """(N,) bool: an annotated eye that is not covered is closed, by `CLOSED`. Beyond `YAW` the far eye is left out, and
    both eyes of faces without a fit are."""
    yaw = faces.Q[:, POSE][:, 1]
    closed = np.zeros(len(faces), bool)
    aspect = eye_aspect(faces.points)
    for side, (name, near) in enumerate((("left_eye", yaw > 0), ("right_eye", yaw < 0))):
        uncovered = (faces.state[:, list(GROUPS[name])] != OCCLUDED).all(1)
        closed |= (aspect[:, side] < CLOSED) & uncovered & (near | (np.abs(yaw) <= YAW))
    return closed


def has_open_mouth(faces: PackedCrops) -> np.ndarray:
    """(N,) bool: the mean gap of the annotated inner lips is more than `OPEN` of their width. Mouths with a covered
    point or one without a position are left out, and so are all profiles, whose far corner is hidden."""
    first = GROUPS["inner_lip"].start
    lips = faces.points[:, first : first + 8]
    gap = (_distance(lips, 1, 7) + _distance(lips, 2, 6) + _distance(lips, 3, 5)) / 3
    uncovered = (faces.state[:, first : first + 8] != OCCLUDED).all(1)
    # A comparison with NaN, a point without a position, is false.
    return (gap > OPEN * _distance(lips, 0, 4)) & uncovered


def _distance(points: np.ndarray, a: int, b: int) -> np.ndarray:
    return np.linalg.norm(points[:, a] - points[:, b], axis=-1)
