"""Projection, and the pose after a similarity or a mirroring of the image."""

import numpy as np
import pytest
import torch

from ellipsoid import random_poses
from rdrface.geometry.camera import mirror_pose, project, transform_pose

POINTS = np.random.default_rng(3).normal(0, 60, (6, 10, 3))
POSES = random_poses(6, seed=4).astype(np.float64)


def test_image_y_points_down():
    pose = np.array([[0, 0, 0, 10, 20, 30, 2.0]])
    np.testing.assert_allclose(project(np.array([[[1.0, 2.0, 3.0]]]), pose), [[[22, -44, 66]]])


def test_transform_pose_moves_the_projected_points():
    rng = np.random.default_rng(5)
    scale, angle, shift = rng.uniform(0.2, 5, 6), rng.uniform(-3, 3, 6), rng.normal(0, 100, (6, 2))
    before, after = project(POINTS, POSES), project(POINTS, transform_pose(POSES, scale, angle, shift))
    c, s = np.cos(angle), np.sin(angle)
    matrix = np.stack((np.stack((c, -s), -1), np.stack((s, c), -1)), -2) * scale[:, None, None]
    np.testing.assert_allclose(after[..., :2], before[..., :2] @ matrix.swapaxes(1, 2) + shift[:, None])
    np.testing.assert_allclose(after[..., 2], before[..., 2] * scale[:, None])


def test_a_positive_angle_rotates_the_image_clockwise():
    pose = np.array([[0, 0, 0, 0, 0, 0, 1.0]])
    rotated = transform_pose(pose, np.ones(1), np.full(1, np.pi / 2), np.zeros((1, 2)))
    np.testing.assert_allclose(project(np.array([[[0.0, 10.0, 0.0]]]), rotated)[0, 0, :2], [10, 0], atol=1e-9)


def test_mirror_pose_negates_x():
    mirrored = project(POINTS * [-1, 1, 1], mirror_pose(POSES))
    np.testing.assert_allclose(mirrored, project(POINTS, POSES) * [-1, 1, 1])


def test_torch_equals_numpy_with_finite_gradients():
    points, pose = (torch.from_numpy(each.astype(np.float32)).requires_grad_() for each in (POINTS, POSES))
    moved = transform_pose(pose, torch.full((6,), 0.5), torch.full((6,), 0.2), torch.ones(6, 2))
    projected = project(points, mirror_pose(moved))
    expected = project(POINTS, mirror_pose(transform_pose(POSES, np.full(6, 0.5), np.full(6, 0.2), np.ones((6, 2)))))
    np.testing.assert_allclose(projected.detach().numpy(), expected, rtol=1e-4, atol=1e-3)
    projected.sum().backward()
    assert all(torch.isfinite(each.grad).all() and each.grad.abs().sum() > 0 for each in (points, pose))


def test_wrong_shapes_are_reported():
    with pytest.raises(ValueError, match="pitch, yaw, roll"):
        project(POINTS, POSES[:, :6])
    with pytest.raises(ValueError, match=r"\(B, N, 3\)"):
        project(POINTS[0], POSES)
