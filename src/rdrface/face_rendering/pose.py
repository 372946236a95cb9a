"""Rotation of a fitted head about the origin of the face model."""

import numpy as np

from rdrface.geometry.rotation import rotation_matrix
from rdrface.morphable.params import EXPRESSION, IDENTITY, POSE, ROTATION, SCALE, TRANSLATION


def with_angles(q: np.ndarray, angles: np.ndarray) -> np.ndarray:
    """Replace the angles of a pose.

    Args:
        q: (103,) Q.
        angles: (3,) new pitch, yaw and roll, radians.

    Returns:
        (103,) float32 Q; the origin of the model keeps its position in the image.
    """
    pose = q[POSE].astype(np.float64)
    position = rotation_matrix(pose[ROTATION]) @ pose[TRANSLATION]
    # Of all translations that give the same projection, the fit has the shortest one: the one without depth.
    t = rotation_matrix(np.asarray(angles, np.float64)).T @ (position * (1, 1, 0))
    return np.concatenate([q[IDENTITY], angles, t, pose[SCALE:], q[EXPRESSION]]).astype(np.float32)
