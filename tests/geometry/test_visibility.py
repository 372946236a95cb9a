"""Visibility of points on an ellipsoid."""

import numpy as np
import torch

import ellipsoid
from rdrface.geometry.rotation import rotation_matrix
from rdrface.geometry.visibility import facing, occluded_by_mesh

POSES = ellipsoid.random_poses(12, seed=8)


def surface(batch: int, count: int) -> np.ndarray:
    unit = np.random.default_rng(9).normal(size=(batch, count, 3))
    return (unit / np.linalg.norm(unit, axis=-1, keepdims=True) * ellipsoid.AXES).astype(np.float32)


def test_the_front_of_an_ellipsoid_is_visible_and_its_back_is_hidden():
    points = surface(12, 200)
    vertices, triangles = ellipsoid.mesh()
    hidden = occluded_by_mesh(points, np.repeat(vertices[None], 12, 0), triangles, POSES)
    cosine = facing(points / ellipsoid.AXES.astype(np.float32) ** 2, POSES)
    clear = np.abs(cosine) > 0.15
    np.testing.assert_array_equal(hidden[clear], cosine[clear] < 0)


def test_the_bias_is_the_minimum_distance_of_an_occluder():
    vertices = np.float32([[[-50, -50, 10], [50, -50, 10], [0, 50, 10]]])
    points, pose = np.zeros((1, 1, 3), np.float32), np.float32([[0, 0, 0, 0, 0, 0, 1]])
    triangles = np.array([[0, 1, 2]])
    assert occluded_by_mesh(points, vertices, triangles, pose, bias=9).all()
    assert not occluded_by_mesh(points, vertices, triangles, pose, bias=11).any()
    assert not occluded_by_mesh(points + np.float32([60, 0, 0]), vertices, triangles, pose, bias=9).any()


def test_facing_is_the_z_of_the_rotated_normal_and_ignores_roll():
    normals = surface(12, 5)
    rotated = (normals @ rotation_matrix(POSES[:, :3]).swapaxes(1, 2))[..., 2]
    expected = rotated / np.linalg.norm(normals, axis=-1)
    np.testing.assert_allclose(facing(normals, POSES), expected, atol=1e-5)
    np.testing.assert_allclose(facing(normals, POSES * np.float32([1, 1, 0, 1, 1, 1, 1])), expected, atol=1e-5)


def test_facing_has_finite_gradients_in_torch_for_a_normal_of_length_0():
    normals = torch.zeros(1, 2, 3)
    normals[0, 0, 2] = 3
    normals.requires_grad_()
    value = facing(normals, torch.from_numpy(POSES[:1]))
    value.sum().backward()
    assert torch.isfinite(normals.grad).all()
    assert abs(value[0, 0].item()) <= 1
