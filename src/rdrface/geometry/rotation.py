"""Rotations of the head and in the image, and their angles, for NumPy arrays and PyTorch tensors.

The frame is right-handed: x right in the image, y up, z towards the viewer. For a frontal face, positive pitch turns
the nose down, positive yaw turns it to the right of the image, positive roll rotates the head counterclockwise as seen.

Two orders of the same three rotations are in use. They agree if roll is 0, and if only one angle is not 0.

* Angles of P (`rotation_matrix`, `euler_angles`): R = R_z(roll) R_y(yaw) R_x(pitch). The parameter vector P of the
  paper has these. Roll is the left factor, so that the rotation "by pitch and yaw" of the supplement (section 1) is R
  with roll 0, and a rotation of the image changes roll only. Singular at a yaw of +-90 degrees, which is a profile.
* Head angles (`head_rotation`, `head_angles`): R = R_y(yaw) R_x(pitch) R_z(roll). `Face.pose` reports these. Yaw and
  pitch are the direction of the nose, roll is the rotation about it. Singular only at a pitch of +-90 degrees.

In-plane rotations of faces and crops (`clockwise_angle`) are in degrees, 0 is upright, positive is clockwise as seen in
the image.
"""

import math
from typing import Any

from array_api_compat import array_namespace, device

Array = Any
"""A NumPy array or a PyTorch tensor."""

# Below this cosine of the middle angle, the other two cannot be separated in float32: only their sum or difference is
# known.
_LOCKED = 1e-6

# Radians; below this angle, sin(angle) / angle is 1 in float64.
_TINY = 1e-9


def rotation_matrix(angles: Array) -> Array:
    """Convert the angles of P to rotation matrices; differentiable.

    Args:
        angles: (..., 3) pitch, yaw, roll in radians.

    Returns:
        (..., 3, 3) R = R_z(roll) R_y(yaw) R_x(pitch), for column vectors of the model frame.

    Raises:
        ValueError: the last axis does not have size 3.
    """
    xp, (cp, cy, cr), (sp, sy, sr) = _cosines_and_sines(angles)
    rows = (
        xp.stack((cr * cy, cr * sy * sp - sr * cp, cr * sy * cp + sr * sp), axis=-1),
        xp.stack((sr * cy, sr * sy * sp + cr * cp, sr * sy * cp - cr * sp), axis=-1),
        xp.stack((-sy, cy * sp, cy * cp), axis=-1),
    )
    return xp.stack(rows, axis=-2)


def euler_angles(rotation: Array) -> Array:
    """Convert rotation matrices to the angles of P; differentiable except at yaw = +-90 degrees.

    Inverse of `rotation_matrix`. For angles to report, use `head_angles`.

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
    xp, first, second, third = _rows(rotation)
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


def head_rotation(angles: Array) -> Array:
    """Convert head angles, those of `Face.pose`, to rotation matrices; differentiable.

    Args:
        angles: (..., 3) pitch, yaw, roll in radians.

    Returns:
        (..., 3, 3) R = R_y(yaw) R_x(pitch) R_z(roll), for column vectors of the model frame.

    Raises:
        ValueError: the last axis does not have size 3.
    """
    xp, (cp, cy, cr), (sp, sy, sr) = _cosines_and_sines(angles)
    rows = (
        xp.stack((cy * cr + sy * sp * sr, sy * sp * cr - cy * sr, sy * cp), axis=-1),
        xp.stack((cp * sr, cp * cr, -sp), axis=-1),
        xp.stack((cy * sp * sr - sy * cr, sy * sr + cy * sp * cr, cy * cp), axis=-1),
    )
    return xp.stack(rows, axis=-2)


def head_angles(rotation: Array) -> Array:
    """Convert rotation matrices to head angles, those of `Face.pose`; differentiable except at pitch = +-90 degrees.

    Inverse of `head_rotation`. Two triples of angles give the same rotation; the one with a pitch within +-90 degrees
    is returned, so the yaw continues beyond +-90 degrees as a head turns past the profile, up to +-180 degrees for the
    back of the head. At exactly +-90 degrees of pitch, yaw and roll are rotations about the same axis; the roll is then
    0.

    Args:
        rotation: (..., 3, 3) rotation matrices.

    Returns:
        (..., 3) pitch in [-pi/2, pi/2], yaw and roll in [-pi, pi], radians.

    Raises:
        ValueError: the last two axes do not have size 3.
    """
    xp, first, second, third = _rows(rotation)
    cosine = xp.sqrt(second[..., 0] ** 2 + second[..., 1] ** 2)
    locked = cosine < _LOCKED
    pitch = xp.atan2(-second[..., 2], cosine)
    yaw = xp.where(locked, xp.atan2(-third[..., 0], first[..., 0]), xp.atan2(first[..., 2], third[..., 2]))
    roll = xp.where(locked, xp.zeros_like(cosine), xp.atan2(second[..., 0], second[..., 1]))
    return xp.stack((pitch, yaw, roll), axis=-1)


def rotation_about(vectors: Array) -> Array:
    """Convert rotation vectors to rotation matrices (Rodrigues' formula).

    Args:
        vectors: (..., 3) axis times angle in radians.

    Returns:
        (..., 3, 3) rotation matrices.

    Raises:
        ValueError: the last axis does not have size 3.
    """
    if vectors.shape[-1] != 3:
        raise ValueError(f"vectors must be (..., 3): axis times angle in radians; got shape {tuple(vectors.shape)}")
    xp = array_namespace(vectors)
    angle = xp.sqrt((vectors**2).sum(-1))
    tiny = angle < _TINY
    divisor = xp.where(tiny, xp.ones_like(angle), angle)
    one, half = xp.ones_like(angle), 0.5 * xp.ones_like(angle)
    first = xp.where(tiny, one, xp.sin(divisor) / divisor)[..., None, None]
    # 1 - cos without cancellation.
    second = xp.where(tiny, half, 2 * (xp.sin(divisor / 2) / divisor) ** 2)[..., None, None]
    x, y, z = (vectors[..., i] for i in range(3))
    zero = xp.zeros_like(x)
    rows = (xp.stack((zero, -z, y), axis=-1), xp.stack((z, zero, -x), axis=-1), xp.stack((-y, x, zero), axis=-1))
    cross = xp.stack(rows, axis=-2)
    return first * cross + second * (cross @ cross) + xp.eye(3, dtype=cross.dtype, device=device(cross))


def rotation_vector(rotation: Array) -> Array:
    """Convert rotation matrices to rotation vectors, the inverse of `rotation_about` for angles below pi.

    Args:
        rotation: (..., 3, 3) rotation matrices. Near an angle of pi the axis loses accuracy.

    Returns:
        (..., 3) axis times angle in radians.

    Raises:
        ValueError: the last two axes do not have size 3.
    """
    xp, first, second, third = _rows(rotation)
    differences = (third[..., 1] - second[..., 2], first[..., 2] - third[..., 0], second[..., 0] - first[..., 1])
    twice = xp.stack(differences, axis=-1)
    sine = xp.sqrt((twice**2).sum(-1)) / 2
    angle = xp.atan2(sine, (first[..., 0] + second[..., 1] + third[..., 2] - 1) / 2)
    tiny = sine < _TINY
    factor = xp.where(tiny, xp.ones_like(sine), angle / xp.where(tiny, xp.ones_like(sine), sine))
    return (factor / 2)[..., None] * twice


def wrap_degrees(angles: Array) -> Array:
    """The same angles (...) in -180..180 degrees."""
    return (angles + 180) % 360 - 180


def clockwise_angle(up: Array) -> Array:
    """In-plane rotation of faces from their own up direction.

    Args:
        up: (..., 2) directions in the image, x right, y down; for a face, from the mouth to the eyes. Any length.

    Returns:
        (...) degrees in -180..180; 0 is upright, positive is clockwise as seen in the image. 0 for vectors of length 0.
    """
    xp = array_namespace(up)
    # Adding 0 turns -0 into 0: a vector of length 0 would otherwise give 180 degrees.
    return xp.atan2(up[..., 0], 0 - up[..., 1]) * (180 / math.pi)


def _cosines_and_sines(angles: Array) -> tuple[Any, tuple[Array, ...], tuple[Array, ...]]:
    """The array namespace, and cosines and sines of pitch, yaw, roll, each (...)."""
    if angles.shape[-1] != 3:
        raise ValueError(f"angles must be (..., 3): pitch, yaw, roll in radians; got shape {tuple(angles.shape)}")
    xp = array_namespace(angles)
    cosine, sine = xp.cos(angles), xp.sin(angles)
    return xp, tuple(cosine[..., i] for i in range(3)), tuple(sine[..., i] for i in range(3))


def _rows(rotation: Array) -> tuple[Any, Array, Array, Array]:
    """The array namespace, and the rows (..., 3) of rotation matrices (..., 3, 3)."""
    if tuple(rotation.shape[-2:]) != (3, 3):
        raise ValueError(f"rotation must be (..., 3, 3); got shape {tuple(rotation.shape)}")
    return array_namespace(rotation), rotation[..., 0, :], rotation[..., 1, :], rotation[..., 2, :]
