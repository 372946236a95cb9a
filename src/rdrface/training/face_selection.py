"""Choice of packed faces that are rendered or warped into further training faces."""

import numpy as np

from rdrface.datasets.crops import PackedCrops
from rdrface.morphable.params import PITCH, POSE, YAW


def near_frontal_fits(
    faces: PackedCrops, max_yaw_deg: float, max_pitch_deg: float, max_residual_percent: float
) -> np.ndarray:
    """Faces near the frontal pose with a close fit.

    Args:
        faces: N packed faces.
        max_yaw_deg: maximum absolute yaw, degrees.
        max_pitch_deg: maximum absolute pitch, degrees.
        max_residual_percent: maximum residual of the fit, percent of the face size.

    Returns:
        (N,) bool; False for faces without a fit.
    """
    angles = np.abs(np.rad2deg(faces.Q[:, POSE][:, [PITCH, YAW]]))
    with np.errstate(invalid="ignore"):
        good: np.ndarray = (angles[:, 1] <= max_yaw_deg) & (angles[:, 0] <= max_pitch_deg)
        good &= faces.residual <= max_residual_percent
    return good
