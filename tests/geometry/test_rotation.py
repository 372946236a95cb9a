"""Rotation matrices and angles."""

import numpy as np
import pytest
import torch

from rdrface.geometry.rotation import (
    clockwise_angle,
    euler_angles,
    head_angles,
    head_rotation,
    rotation_about,
    rotation_matrix,
    rotation_vector,
    wrap_degrees,
)

RIGHT, UP, TOWARDS = np.eye(3)


BOTH = pytest.mark.parametrize(
    ("to_matrix", "to_angles"), [(rotation_matrix, euler_angles), (head_rotation, head_angles)]
)


@BOTH
def test_positive_angles_rotate_the_face_as_documented(to_matrix, to_angles):
    yaw, pitch, roll = to_matrix(np.deg2rad([[0, 30, 0], [30, 0, 0], [0, 0, 30]]))
    assert (yaw @ TOWARDS)[0] > 0.49  # the nose moves to the right of the image
    assert (pitch @ TOWARDS)[1] < -0.49  # the nose moves down
    assert (roll @ UP)[0] < -0.49  # counterclockwise as seen: the forehead moves to the left


def test_roll_is_the_left_factor():
    angles = np.array([0.3, -0.8, 1.1])
    without_roll = rotation_matrix(angles * [1, 1, 0])
    only_roll = rotation_matrix(angles * [0, 0, 1])
    np.testing.assert_allclose(rotation_matrix(angles), only_roll @ without_roll, atol=1e-12)


def test_head_rotation_is_roll_then_pitch_then_yaw():
    angles = np.array([0.3, -0.8, 1.1])
    pitch, yaw, roll = (rotation_matrix(angles * axis) for axis in np.eye(3))  # the orders agree for one angle
    np.testing.assert_allclose(head_rotation(angles), yaw @ pitch @ roll, atol=1e-12)


@BOTH
def test_rotations_are_orthonormal_and_right_handed(to_matrix, to_angles):
    rotation = to_matrix(np.random.default_rng(0).uniform(-4, 4, (50, 3)))
    np.testing.assert_allclose(rotation @ rotation.swapaxes(1, 2), np.broadcast_to(np.eye(3), (50, 3, 3)), atol=1e-12)
    np.testing.assert_allclose(np.linalg.det(rotation), 1)


def test_angles_round_trip_past_the_profile():
    limits = np.deg2rad([89, 179, 179])
    angles = np.random.default_rng(1).uniform(-limits, limits, (500, 3))
    angles = angles[np.abs(np.abs(angles[:, 1]) - np.pi / 2) > 0.01]
    np.testing.assert_allclose(euler_angles(rotation_matrix(angles)), angles, atol=1e-9)


def test_head_angles_round_trip_for_heads_in_any_direction():
    limits = np.deg2rad([89.9, 180, 180])
    angles = np.random.default_rng(1).uniform(-limits, limits, (2000, 3))
    np.testing.assert_allclose(head_angles(head_rotation(angles)), angles, atol=1e-9)


@pytest.mark.parametrize("yaw", [-180, -135, -90, 90, 135, 180])
def test_head_angles_of_profiles_and_backs_of_heads(yaw):
    angles = np.deg2rad([[20, yaw, 35], [-60, yaw, -10], [0, yaw, 170]])
    rotation = head_rotation(angles)
    measured = head_angles(rotation)
    np.testing.assert_allclose(measured[:, [0, 2]], angles[:, [0, 2]], atol=1e-9)
    np.testing.assert_allclose(np.abs(measured[:, 1]), np.abs(angles[:, 1]), atol=1e-9)  # -180 and 180 are the same yaw
    # In float32 too, as the network gives the rotation.
    np.testing.assert_allclose(head_angles(rotation.astype(np.float32))[:, [0, 2]], angles[:, [0, 2]], atol=1e-5)


def test_yaw_and_pitch_are_the_direction_of_the_nose():
    rotation = rotation_matrix(np.random.default_rng(5).uniform(-3, 3, (200, 3)))
    pitch, yaw, _ = head_angles(rotation).T
    nose = np.stack([np.sin(yaw) * np.cos(pitch), -np.sin(pitch), np.cos(yaw) * np.cos(pitch)], axis=1)
    np.testing.assert_allclose(rotation @ TOWARDS, nose, atol=1e-12)


def test_head_angles_are_continuous_as_a_head_turns_past_the_profile():
    # A head with a constant tilt turns in small steps about the image's y axis, from frontal to the back.
    tilted = rotation_matrix(np.deg2rad([25.0, 0, -15]))
    turns = np.deg2rad(np.arange(0, 180, 0.5))
    angles = head_angles(rotation_matrix(turns[:, None] * UP) @ tilted)
    np.testing.assert_allclose(np.diff(angles[:, 1]), np.deg2rad(0.5), atol=1e-9)
    np.testing.assert_allclose(np.diff(angles[:, [0, 2]], axis=0), 0, atol=1e-9)


@pytest.mark.parametrize("yaw", [60, 89, 90, 91, 120])
def test_a_small_rotation_changes_head_angles_little_at_every_yaw(yaw):
    rng = np.random.default_rng(6)
    poses = rng.uniform(-30, 30, (500, 3)) + np.array([0, yaw, 0])
    one_degree = rng.normal(size=(500, 3))
    one_degree /= np.linalg.norm(one_degree, axis=1, keepdims=True)
    rotation = head_rotation(np.deg2rad(poses))
    moved = rotation @ rotation_matrix(np.deg2rad(one_degree))
    change = np.rad2deg(np.abs(head_angles(moved) - head_angles(rotation)))
    assert np.minimum(change, 360 - change).max() < 1.3  # 1 / cos(30 degrees), and second-order terms


@pytest.mark.parametrize("angle", [90, -90])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_angles_at_gimbal_lock_give_the_same_matrix(angle, dtype):
    for to_matrix, to_angles, angles in (
        (rotation_matrix, euler_angles, (20, angle, 35)),
        (head_rotation, head_angles, (angle, 20, 35)),
    ):
        rotation = to_matrix(np.deg2rad(np.array(angles, dtype)))
        again = to_matrix(to_angles(rotation))
        np.testing.assert_allclose(again, rotation, atol=1e-5)


@BOTH
def test_torch_equals_numpy_with_finite_gradients(to_matrix, to_angles):
    angles = np.random.default_rng(2).uniform(-1.5, 1.5, (4, 5, 3)).astype(np.float32)
    tensor = torch.from_numpy(angles).requires_grad_()
    rotation = to_matrix(tensor)
    np.testing.assert_allclose(rotation.detach().numpy(), to_matrix(angles), atol=1e-6)
    np.testing.assert_allclose(to_angles(rotation).detach().numpy(), to_angles(to_matrix(angles)), atol=1e-5)
    to_angles(rotation).square().sum().backward()
    np.testing.assert_allclose(tensor.grad.numpy(), 2 * angles, atol=1e-3)


@BOTH
def test_wrong_shapes_are_reported(to_matrix, to_angles):
    with pytest.raises(ValueError, match=r"\(\.\.\., 3\)"):
        to_matrix(np.zeros(4))
    with pytest.raises(ValueError, match="3, 3"):
        to_angles(np.zeros((2, 3)))


def test_wrapped_angles_differ_by_full_turns_and_are_within_half_a_turn():
    angles = np.array([0.0, 179, -179, 181, -181, 540, 725, -725, 1e-12])
    np.testing.assert_allclose(wrap_degrees(angles), [0, 179, -179, -179, 179, -180, 5, -5, 0], atol=1e-10)
    assert wrap_degrees(-190.0) == 170
    assert abs(wrap_degrees(180.0)) == 180
    wild = np.random.default_rng(0).uniform(-2000, 2000, (40, 3))
    wrapped = wrap_degrees(wild)
    assert np.abs(wrapped).max() <= 180
    np.testing.assert_allclose(np.remainder(wild - wrapped + 1, 360), 1, atol=1e-9)
    assert np.isnan(wrap_degrees(np.nan))


@pytest.mark.parametrize("degrees", [-179, -135, -90, -30, 0, 10, 90, 135, 180])
def test_the_clockwise_angle_of_an_up_direction(degrees):
    up = 3 * np.array([np.sin(np.radians(degrees)), -np.cos(np.radians(degrees))])  # y points down in the image
    assert clockwise_angle(up) == pytest.approx(degrees)
    torch_up = torch.from_numpy(np.stack([up, up]))
    np.testing.assert_allclose(clockwise_angle(torch_up).numpy(), [degrees, degrees])


def test_the_clockwise_angle_without_a_direction_is_zero():
    np.testing.assert_array_equal(clockwise_angle(np.zeros((2, 3, 2))), np.zeros((2, 3)))


def test_rotation_vectors_turn_about_their_axis_by_their_length():
    quarter = rotation_about(np.array([[0, np.pi / 2, 0], [np.pi / 2, 0, 0], [0, 0, np.pi / 2]]))
    np.testing.assert_allclose(quarter @ TOWARDS, [RIGHT, -UP, TOWARDS], atol=1e-12)
    np.testing.assert_allclose(quarter[2] @ RIGHT, UP, atol=1e-12)
    np.testing.assert_allclose(rotation_about(np.zeros(3)), np.eye(3))


@pytest.mark.parametrize("angle", [0.0, 1e-12, 1e-7, 1e-3, 1.0, 3.1])
def test_rotation_vector_is_the_inverse(angle):
    vectors = angle * np.random.default_rng(0).normal(size=(20, 3))
    vectors *= angle / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-300)
    rotation = rotation_about(vectors)
    np.testing.assert_allclose(rotation @ rotation.swapaxes(-1, -2), np.tile(np.eye(3), (20, 1, 1)), atol=1e-12)
    np.testing.assert_allclose(rotation_vector(rotation), vectors, rtol=1e-6, atol=1e-9)
    of_torch = rotation_vector(rotation_about(torch.from_numpy(vectors)))
    np.testing.assert_allclose(of_torch.numpy(), vectors, rtol=1e-6, atol=1e-9)


def test_rotation_vectors_of_a_wrong_shape_are_refused():
    with pytest.raises(ValueError, match=r"vectors must be \(\.\.\., 3\)"):
        rotation_about(np.zeros((3, 2)))
