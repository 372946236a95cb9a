"""The three methods for the contour landmarks, on an ellipsoid with a known contour."""

import numpy as np
import pytest
import torch

import ellipsoid
from rdrface.geometry.camera import mirror_pose, project
from rdrface.geometry.contour import points_on_lines, slide_contour_line, slide_extreme_x, slide_silhouette
from rdrface.geometry.visibility import facing

METHODS = [slide_extreme_x, slide_contour_line]
POSES = ellipsoid.random_poses(40, seed=6)
LINES, NORMALS = ellipsoid.lines_and_normals(40)


def test_contour_line_finds_the_rim_of_an_ellipsoid():
    rim = ellipsoid.rim(POSES)
    reached = rim < ellipsoid.SAMPLES - 1  # elsewhere the whole line faces away
    assert (rim[reached] > 0).mean() > 0.4
    s = slide_contour_line(LINES, NORMALS, POSES)
    cosine = facing(points_on_lines(NORMALS, s), POSES)
    crossed = (rim > 1) & (rim < ellipsoid.SAMPLES - 2)
    assert np.abs(cosine[crossed]).max() < 0.03  # radians off the rim
    assert np.median(np.abs(s - rim)[reached]) < 0.02
    assert (s[rim == 0] == 0).all()


def test_silhouette_finds_the_rim_of_an_ellipsoid():
    vertices, triangles = ellipsoid.mesh()
    s = slide_silhouette(LINES[:12], NORMALS[:12], POSES[:12], np.repeat(vertices[None], 12, 0), triangles, bias=0.5)
    rim = ellipsoid.rim(POSES[:12])
    inside = (rim > 0.5) & (rim < ellipsoid.SAMPLES - 1.5)
    assert inside.mean() > 0.3
    cosine = facing(points_on_lines(NORMALS[:12], s), POSES[:12])
    assert np.abs(cosine[inside]).max() < 0.15  # radians off the rim
    assert (s[rim == 0] < 0.5).all()


def test_extreme_x_is_correct_only_without_pitch():
    level = POSES * np.float32([0, 1, 1, 1, 1, 1, 1])
    side = slide_extreme_x(LINES, NORMALS, level)
    ears = [0, 16]  # their lines are in the plane y = 0, where the extreme x is the rim
    np.testing.assert_allclose(side[:, ears], ellipsoid.rim(level)[:, ears], atol=0.51)
    pitched = np.float32([[0.7, 1.0, 0, 0, 0, 0, 1]])
    error = np.abs(slide_extreme_x(LINES[:1], NORMALS[:1], pitched) - ellipsoid.rim(pitched))
    assert error.max() > 3


def test_extreme_x_moves_only_the_far_side():
    s = slide_extreme_x(LINES, NORMALS, POSES)
    right = POSES[:, 1] > 0
    assert (s[right, :9] == 0).all()
    assert (s[~right, 8:] == 0).all()
    assert (s[right, 9:].max(1) > 0).all()
    assert (s[~right, :8].max(1) > 0).all()


@pytest.mark.parametrize("slide", METHODS)
def test_roll_f_and_t_have_no_influence(slide):
    other = POSES.copy()
    other[:, 2:] = ellipsoid.random_poses(40, seed=7, roll=3)[:, 2:]
    np.testing.assert_array_equal(slide(LINES, NORMALS, POSES), slide(LINES, NORMALS, other))


@pytest.mark.parametrize("slide", METHODS)
def test_a_mirrored_face_has_mirrored_landmarks(slide):
    flip = np.float32([-1, 1, 1])
    s = slide(LINES, NORMALS, POSES)
    mirrored = slide(LINES[:, ::-1] * flip, NORMALS[:, ::-1] * flip, mirror_pose(POSES))
    np.testing.assert_allclose(mirrored[:, ::-1], s, atol=1e-4)


@pytest.mark.parametrize("slide", METHODS)
def test_torch_equals_numpy_without_gradient(slide):
    lines = torch.from_numpy(LINES).requires_grad_()
    pose = torch.from_numpy(POSES).requires_grad_()
    s = slide(lines, torch.from_numpy(NORMALS), pose)
    assert not s.requires_grad
    np.testing.assert_allclose(s.numpy(), slide(LINES, NORMALS, POSES), atol=1e-4)
    points = project(points_on_lines(lines, s), pose)
    points.sum().backward()
    assert torch.isfinite(lines.grad).all()
    assert torch.isfinite(pose.grad).all()


def test_crossings_behind_the_contour_are_ignored():
    normals = NORMALS[:1].copy()
    pose = np.float32([[0, 1.0, 0, 0, 0, 0, 1]])
    expected = ellipsoid.rim(pose)
    normals[:, 14, 3] = [0, 0, 1]  # a dent behind the rim that faces the viewer, such as an eye socket
    normals[:, 14, 21] = [0, 0, -1]  # a visible dent that faces away
    np.testing.assert_allclose(slide_contour_line(LINES[:1], normals, pose), expected, atol=0.15)


def test_a_line_that_faces_away_gives_its_outermost_point():
    pose = np.float32([[0, 1.2, 0, 0, 0, 0, 1]])
    normals = NORMALS[:1].copy()
    normals[:, 16] = [0, 0, -1]
    x = project(LINES[:1, 16], pose)[0, :, 0]
    assert slide_contour_line(LINES[:1], normals, pose)[0, 16] == x.argmax()


def test_points_on_lines_interpolates_and_clips():
    s = np.full((1, 17), 2.25, np.float32)
    s[0, 0], s[0, 1] = -1, 99
    points = points_on_lines(LINES[:1], s)[0]
    np.testing.assert_allclose(points[5], 0.75 * LINES[0, 5, 2] + 0.25 * LINES[0, 5, 3], rtol=1e-5)
    np.testing.assert_allclose(points[0], LINES[0, 0, 0], rtol=1e-5)
    np.testing.assert_allclose(points[1], LINES[0, 1, -1], rtol=1e-5)
