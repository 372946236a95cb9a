"""The pose that puts a 3D shape onto given 3D points."""

import math

import numpy as np

from rdrface.geometry.rotation import euler_angles

LOCKED = 1e-3
"""Cosine of the yaw below which the angles are computed by `euler_angles`."""

_UP = np.array([1.0, -1.0, 1.0])


def pose_between(shape: np.ndarray, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Pose of the scaled orthographic camera, by least squares (Umeyama 1991).

    Args:
        shape: (n, 3) mm, model frame.
        points: (n, 3) image pixels: x right, y down, z towards the viewer.

    Returns:
        (7,) P, see `rdrface.geometry.camera`, and (n, 3) the shape projected with it.
    """
    ones = np.ones(len(shape))
    shape_mean, mean = ones @ shape / len(shape), ones @ points / len(shape)
    centered = shape - shape_mean
    target = (points - mean) * _UP
    u, singular, vt = np.linalg.svd(target.T @ centered)
    rotation = u @ vt
    if np.linalg.det(rotation) < 0:
        u[:, 2] = -u[:, 2]
        singular[2] = -singular[2]
        rotation = u @ vt
    f = float(singular.sum() / max(np.einsum("ij,ij->", centered, centered), 1e-9))
    translation = rotation.T @ (mean * _UP) / max(f, 1e-9) - shape_mean
    pose = np.array([*_euler_angles(rotation), *translation, f])
    return pose, centered @ (f * _UP * rotation.T) + mean


def _euler_angles(rotation: np.ndarray) -> tuple[float, float, float]:
    """`rdrface.geometry.rotation.euler_angles` of one matrix, ten times as fast."""
    (r00, _, _), (r10, _, _), (sine, r21, r22) = rotation.tolist()
    sign = -1.0 if r22 < 0 else 1.0
    cosine = math.hypot(r21, r22)
    if cosine < LOCKED:
        pitch, yaw, roll = euler_angles(rotation).tolist()
        return pitch, yaw, roll
    return math.atan2(sign * r21, sign * r22), math.atan2(-sine, sign * cosine), math.atan2(sign * r10, sign * r00)
