"""Lids and lips by their apertures: whether an eye or a mouth is open is known better than where its points lie.

An annotator who places both lids of an eye a pixel too low leaves its aperture exact. The apertures are therefore
observations of their own, with a smaller error than the points have.
"""

import numpy as np

from rdrface.fitting.observations import Observations
from rdrface.landmarks import EYE_CORNERS

UPPER = np.array([37, 38, 43, 44, 61, 62, 63])
LOWER = np.array([41, 40, 47, 46, 67, 66, 65])
"""(7,) landmarks above and below each gap: two per eye, three between the lips."""
LIDS = 4
"""The first gaps are those of the eyes, two each."""

GAP_NOISE = 0.006
"""Standard deviation of an annotated gap, in units of sqrt(w h)."""
_LASHES = 0.05
_APART = 0.2
"""Annotators mark the borders of the lids. The lashes of a shut eye lie between them: this much in units of the eye's
width, less the wider the eye is open, nothing from an aspect of 0.2 on."""
_OUTLIER = 4.0  # standard deviations at which a gap's weight has fallen to a half


def observed(seen: Observations, up: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Annotated gaps, measured along the head's own vertical.

    Args:
        seen: B faces.
        up: (B, 2) unit vector of the picture in which the head's vertical points, y up.

    Returns:
        gaps (B, 7) in units of sqrt(w h); trust (B, 7), 0 where the gap is not annotated.
    """
    between = np.matmul(seen.points[:, UPPER] - seen.points[:, LOWER], up[:, :, None])[..., 0]
    trust = np.minimum(seen.weight[:, UPPER], seen.weight[:, LOWER])
    given = np.repeat(seen.lid_gap, 2, axis=1)
    known = np.isfinite(given)
    lids = np.where(known, given, between[:, :LIDS])
    between[:, :LIDS] = _without_lashes(lids, seen)
    trust[:, :LIDS] = np.where(known, 1, trust[:, :LIDS])
    return between, trust


def _without_lashes(lids: np.ndarray, seen: Observations) -> np.ndarray:
    """(B, 4) labeled gaps of the lids -> those of the lids' skin, which meets when an eye is shut."""
    corners = seen.points[:, np.array(EYE_CORNERS)]
    width = np.linalg.norm(corners[:, :, 1] - corners[:, :, 0], axis=-1)
    both = (np.minimum.reduce(seen.weight[:, np.array(EYE_CORNERS)], axis=2) > 0) & (width > 0)
    width = np.repeat(np.where(both, width, np.inf), 2, axis=1)
    lashes = _LASHES * np.clip(1 - lids / (_APART * width), 0, 1)
    return lids - np.where(np.isfinite(width), lashes * width, 0)


def robust(off: np.ndarray, trust: np.ndarray) -> np.ndarray:
    """Weights (B, 7) of gaps that differ by `off` (B, 7) from the model's."""
    return trust / (1 + (off / (_OUTLIER * GAP_NOISE)) ** 2)
