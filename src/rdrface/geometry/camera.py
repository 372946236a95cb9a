"""Scaled orthographic projection (supplement, equation 1; HPEN's form), and the pose after a change of the image.

P = (7,): pitch, yaw, roll [radians], t_x, t_y, t_z [mm, model frame], f [frame units per mm]. In the camera frame the
face is f R (S + t). The image's x is the camera's x, its y is minus the camera's y (down), and z points towards the
viewer in the same unit. The frame's origin is that of the image: the center of the top-left pixel, or the center of a
crop.
"""

from array_api_compat import array_namespace

from rdrface.geometry.rotation import Array, rotation_matrix

NUM_POSE = 7
"""Length of P."""

ROTATION = slice(0, 3)
TRANSLATION = slice(3, 6)
SCALE = 6
"""Positions in P: pitch, yaw, roll [radians]; t_x, t_y, t_z [mm]; f."""

PITCH, YAW, ROLL = 0, 1, 2
"""Positions of the angles in P, and in any array of three angles."""


def project(points: Array, pose: Array) -> Array:
    """Project model points into the frame of the pose; differentiable.

    Args:
        points: (B, N, 3) mm, model frame.
        pose: (B, 7) P.

    Returns:
        (B, N, 3) frame units: x right, y down, z towards the viewer.

    Raises:
        ValueError: a shape is wrong.
    """
    _check_pose(pose)
    if points.ndim != 3 or points.shape[-1] != 3:
        raise ValueError(f"points must be (B, N, 3), mm in the model frame; got shape {tuple(points.shape)}")
    xp = array_namespace(points, pose)
    rotation = rotation_matrix(pose[:, ROTATION]) * pose[:, SCALE][:, None, None]
    moved = points + pose[:, None, TRANSLATION]
    # Products and sums instead of a matrix product, which an inference engine may compute in reduced precision.
    x, y, z = (xp.sum(moved * rotation[:, None, row, :], axis=-1) for row in range(3))
    return xp.stack((x, -y, z), axis=-1)


def transform_pose(pose: Array, scale: Array, angle: Array, shift: Array) -> Array:
    """The pose after a similarity of the frame, x' = scale * [[c, -s], [s, c]] x + shift, with x right and y down.

    Projecting with the returned pose is the same as projecting with the given pose and applying the similarity; z is
    scaled by `scale`. Differentiable.

    Args:
        pose: (B, 7) P.
        scale: (B,) positive.
        angle: (B,) radians; positive rotates the image clockwise as seen.
        shift: (B, 2) units of the new frame.

    Returns:
        (B, 7) P in the new frame.

    Raises:
        ValueError: pose is not (B, 7).
    """
    _check_pose(pose)
    xp = array_namespace(pose, scale, angle, shift)
    # Clockwise as seen is a negative roll. The shift is rotated back into the model frame:
    # f' R' t' = f' R' t + (shift_x, -shift_y, 0).
    angles = xp.stack((pose[:, PITCH], pose[:, YAW], pose[:, ROLL] - angle), axis=-1)
    rotation = rotation_matrix(angles)
    f = pose[:, SCALE] * scale
    sideways, up = (shift[:, 0] / f)[:, None], (-shift[:, 1] / f)[:, None]
    translation = pose[:, TRANSLATION] + sideways * rotation[:, 0, :] + up * rotation[:, 1, :]
    return xp.concat((angles, translation, f[:, None]), axis=-1)


def mirror_pose(pose: Array) -> Array:
    """The pose in the image mirrored about x = 0 of its frame; differentiable.

    The face itself is mirrored about its x = 0 plane too, so the identity and expression coefficients change as well:
    mirrored points projected with the mirrored pose are the original projected points with x negated.

    Args:
        pose: (B, 7) P.

    Returns:
        (B, 7) P with yaw, roll and t_x negated.

    Raises:
        ValueError: pose is not (B, 7).
    """
    _check_pose(pose)
    xp = array_namespace(pose)
    pitch, yaw, roll, t_x, t_y, t_z, f = (pose[:, i] for i in range(NUM_POSE))
    return xp.stack((pitch, -yaw, -roll, -t_x, t_y, t_z, f), axis=-1)


def _check_pose(pose: Array) -> None:
    if pose.ndim != 2 or pose.shape[-1] != NUM_POSE:
        raise ValueError(
            f"pose must be (B, {NUM_POSE}): pitch, yaw, roll, t_x, t_y, t_z, f; got shape {tuple(pose.shape)}"
        )
