"""Apertures of eyes and mouth: additional observations, more exact than the landmarks between which they are measured.

An annotator who places both lids of an eye a pixel too low still gets its aperture right. An aperture therefore has a
smaller standard deviation than a point.
"""

import numpy as np

from rdrface.fitting.observations import Observations
from rdrface.landmarks import EYE_CORNERS

UPPER = np.array([37, 38, 43, 44, 61, 62, 63])
LOWER = np.array([41, 40, 47, 46, 67, 66, 65])
"""(7,) landmarks above and below each aperture: two apertures per eye, three between the lips."""
NUM_LID_APERTURES = 4
"""The first apertures are those of the eyes, two each."""

APERTURE_STD = 0.006
"""Standard deviation of an annotated aperture, in units of sqrt(w h)."""
_LASHES = 0.05
_LASHES_END = 0.2
"""Thickness of the lashes of a closed eye, and the aperture from which it is 0, in units of the eye's width. Annotators
mark the edges of the lids, so the lashes of a closed eye appear as an aperture. In between, the thickness decreases
linearly."""
_OUTLIER = 4.0  # standard deviations at which an aperture's weight is halved


def observed_apertures(observations: Observations, up: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Annotated apertures, measured along the head's vertical.

    Args:
        observations: B faces.
        up: (B, 2) unit vector of the image, y up: the projected vertical of the head.

    Returns:
        apertures (B, 7) in units of sqrt(w h); weight (B, 7), 0 where the aperture is not annotated.
    """
    points, point_weight = observations.points, observations.weight
    aperture = np.matmul(points[:, UPPER] - points[:, LOWER], up[:, :, None])[..., 0]
    weight = np.minimum(point_weight[:, UPPER], point_weight[:, LOWER])
    annotated = np.repeat(observations.lid_aperture, 2, axis=1)
    known = np.isfinite(annotated)
    lids = np.where(known, annotated, aperture[:, :NUM_LID_APERTURES])
    aperture[:, :NUM_LID_APERTURES] = _without_lashes(lids, observations)
    weight[:, :NUM_LID_APERTURES] = np.where(known, 1, weight[:, :NUM_LID_APERTURES])
    return aperture, weight


def _without_lashes(lids: np.ndarray, observations: Observations) -> np.ndarray:
    """(B, 4) annotated apertures of the lids -> apertures of the skin, which are 0 when an eye is closed."""
    corner_index = np.array(EYE_CORNERS)
    corners = observations.points[:, corner_index]
    width = np.linalg.norm(corners[:, :, 1] - corners[:, :, 0], axis=-1)
    known = (np.minimum.reduce(observations.weight[:, corner_index], axis=2) > 0) & (width > 0)
    width = np.repeat(np.where(known, width, np.inf), 2, axis=1)
    lashes = _LASHES * np.clip(1 - lids / (_LASHES_END * width), 0, 1)
    return lids - np.where(np.isfinite(width), lashes * width, 0)


def robust_weights(residual: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Weights (B, 7) of apertures, reduced where the residual (B, 7), annotated minus fitted, is large."""
    return weight / (1 + (residual / (_OUTLIER * APERTURE_STD)) ** 2)
