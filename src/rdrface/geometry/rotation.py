"""Rotations of the face, R = R_z(roll) R_y(yaw) R_x(pitch), for NumPy arrays and PyTorch tensors.

The frame is right-handed: x right in the image, y up, z towards the viewer. Positive pitch turns the nose down,
positive yaw turns it to the right of the image, positive roll rotates the head counterclockwise as seen. Roll is the
left factor, so that the rotation "by pitch and yaw" of the supplement (section 1) is R with roll 0.
"""

from typing import Any

from array_api_compat import array_namespace

Array = Any
"""A NumPy array or a PyTorch tensor."""

# Below this cosine of the yaw, pitch and roll cannot be separated in float32: only their sum or difference is known.
_LOCKED = 1e-6


def rotation_matrix(angles: Array) -> Array:
    """Convert angles to rotation matrices; differentiable.

    Args:
        angles: (..., 3) pitch, yaw, roll in radians.

    Returns:
        (..., 3, 3) R = R_z(roll) R_y(yaw) R_x(pitch), for column vectors of the model frame.

    Raises:
        ValueError: the last axis does not have size 3.
    """
    if angles.shape[-1] != 3:
        raise ValueError(f"angles must be (..., 3): pitch, yaw, roll in radians; got shape {tuple(angles.shape)}")
    xp = array_namespace(angles)
    cosine, sine = xp.cos(angles), xp.sin(angles)
    cp, cy, cr = cosine[..., 0], cosine[..., 1], cosine[..., 2]
    sp, sy, sr = sine[..., 0], sine[..., 1], sine[..., 2]
    rows = (
        xp.stack((cr * cy, cr * sy * sp - sr * cp, cr * sy * cp + sr * sp), axis=-1),
        xp.stack((sr * cy, sr * sy * sp + cr * cp, sr * sy * cp - cr * sp), axis=-1),
        xp.stack((-sy, cy * sp, cy * cp), axis=-1),
    )
    return xp.stack(rows, axis=-2)


def euler_angles(rotation: Array) -> Array:
    """Convert rotation matrices to angles: inverse of `rotation_matrix`, differentiable except at yaw = +-90 degrees.

    Two triples of angles give the same rotation; the one with a pitch within +-90 degrees is returned, so the yaw is
    continuous at +-90 degrees as a head turns past the profile. At exactly +-90 degrees, pitch and roll are rotations
    about the same axis; the roll is then 0.

    Args:
        rotation: (..., 3, 3) rotation matrices.

    Returns:
        (..., 3) pitch in [-pi/2, pi/2], yaw and roll in [-pi, pi], radians.

    Raises:
        ValueError: the last two axes do not have size 3.
    """
    if tuple(rotation.shape[-2:]) != (3, 3):
        raise ValueError(f"rotation must be (..., 3, 3); got shape {tuple(rotation.shape)}")
    xp = array_namespace(rotation)
    first, second, third = rotation[..., 0, :], rotation[..., 1, :], rotation[..., 2, :]
    sine = -third[..., 0]
    # cos(pitch) >= 0 makes the sign of R_33 = cos(yaw) cos(pitch) the sign of cos(yaw).
    sign = xp.where(third[..., 2] < 0, -xp.ones_like(sine), xp.ones_like(sine))
    cosine = xp.sqrt(third[..., 1] ** 2 + third[..., 2] ** 2)
    locked = cosine < _LOCKED
    side = xp.where(sine < 0, -xp.ones_like(sine), xp.ones_like(sine))
    pitch = xp.where(
        locked, xp.atan2(side * first[..., 1], second[..., 1]), xp.atan2(sign * third[..., 1], sign * third[..., 2])
    )
    roll = xp.where(locked, xp.zeros_like(sine), xp.atan2(sign * second[..., 0], sign * first[..., 0]))
    return xp.stack((pitch, xp.atan2(sine, sign * cosine), roll), axis=-1)
