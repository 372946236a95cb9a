"""Rotation matrices and angles."""

import numpy as np
import pytest
import torch

from rdrface.geometry.rotation import euler_angles, rotation_matrix

RIGHT, UP, TOWARDS = np.eye(3)


def test_positive_angles_rotate_the_face_as_documented():
    yaw, pitch, roll = rotation_matrix(np.deg2rad([[0, 30, 0], [30, 0, 0], [0, 0, 30]]))
    assert (yaw @ TOWARDS)[0] > 0.49  # the nose moves to the right of the image
    assert (pitch @ TOWARDS)[1] < -0.49  # the nose moves down
    assert (roll @ UP)[0] < -0.49  # counterclockwise as seen: the forehead moves to the left


def test_roll_is_the_left_factor():
    angles = np.array([0.3, -0.8, 1.1])
    without_roll = rotation_matrix(angles * [1, 1, 0])
    only_roll = rotation_matrix(angles * [0, 0, 1])
    np.testing.assert_allclose(rotation_matrix(angles), only_roll @ without_roll, atol=1e-12)


def test_rotations_are_orthonormal_and_right_handed():
    rotation = rotation_matrix(np.random.default_rng(0).uniform(-4, 4, (50, 3)))
    np.testing.assert_allclose(rotation @ rotation.swapaxes(1, 2), np.broadcast_to(np.eye(3), (50, 3, 3)), atol=1e-12)
    np.testing.assert_allclose(np.linalg.det(rotation), 1)


def test_angles_round_trip_past_the_profile():
    limits = np.deg2rad([89, 179, 179])
    angles = np.random.default_rng(1).uniform(-limits, limits, (500, 3))
    angles = angles[np.abs(np.abs(angles[:, 1]) - np.pi / 2) > 0.01]
    np.testing.assert_allclose(euler_angles(rotation_matrix(angles)), angles, atol=1e-9)


@pytest.mark.parametrize("yaw", [90, -90])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_angles_at_gimbal_lock_give_the_same_matrix(yaw, dtype):
    rotation = rotation_matrix(np.deg2rad(np.array([20, yaw, 35], dtype)))
    again = rotation_matrix(euler_angles(rotation))
    np.testing.assert_allclose(again, rotation, atol=1e-5)


def test_torch_equals_numpy_with_finite_gradients():
    angles = np.random.default_rng(2).uniform(-1.5, 1.5, (4, 5, 3)).astype(np.float32)
    tensor = torch.from_numpy(angles).requires_grad_()
    rotation = rotation_matrix(tensor)
    np.testing.assert_allclose(rotation.detach().numpy(), rotation_matrix(angles), atol=1e-6)
    euler_angles(rotation).square().sum().backward()
    np.testing.assert_allclose(tensor.grad.numpy(), 2 * angles, atol=1e-3)


def test_wrong_shapes_are_reported():
    with pytest.raises(ValueError, match=r"\(\.\.\., 3\)"):
        rotation_matrix(np.zeros(4))
    with pytest.raises(ValueError, match="3, 3"):
        euler_angles(np.zeros((2, 3)))
