"""From Q to the 68 landmarks in both contour conventions."""

import numpy as np
import pytest
import torch

from rdrface.geometry.camera import mirror_pose
from rdrface.geometry.contour import points_on_lines, slide_extreme_x
from rdrface.landmarks import MIRROR
from rdrface.morphable.landmark_model import LandmarkModel, outline68, shapes68
from rdrface.morphable.model import FaceModel
from rdrface.morphable.params import (
    EXPRESSION,
    IDENTITY,
    NUM_EXPRESSION,
    NUM_IDENTITY,
    NUM_PARAMETERS,
    PITCH,
    POSE,
    ROLL,
    SCALE,
    TRANSLATION,
    YAW,
)

FLIP = np.array([-1, 1, 1], np.float32)


@pytest.fixture(scope="module")
def model() -> FaceModel:
    return FaceModel.load()


@pytest.fixture(scope="module")
def landmarks(model: FaceModel) -> LandmarkModel:
    return LandmarkModel.from_face_model(model)


def random_parameters(count: int, seed: int = 0) -> np.ndarray:
    """(count, 103) Q with yaws up to profile."""
    rng = np.random.default_rng(seed)
    q = np.zeros((count, NUM_PARAMETERS), np.float32)
    q[:, IDENTITY] = rng.normal(0, 1, (count, NUM_IDENTITY))
    pose = q[:, POSE]  # a view
    pose[:, PITCH] = rng.uniform(-0.5, 0.5, count)
    pose[:, YAW] = rng.uniform(-1.5, 1.5, count)
    pose[:, ROLL] = rng.uniform(-0.5, 0.5, count)
    pose[:, TRANSLATION] = rng.normal(0, 2, (count, 3))
    pose[:, SCALE] = rng.uniform(0.8, 1.2, count)
    q[:, EXPRESSION] = rng.uniform(0, 0.3, (count, NUM_EXPRESSION))
    return q


def test_parallel_lines_start_at_the_jawline_and_are_smooth(landmarks: LandmarkModel) -> None:
    q = random_parameters(4)
    jawline, lines, normals = shapes68(landmarks.buffers(), q)
    np.testing.assert_allclose(lines[:, :, 0], jawline[:, :17], atol=1e-3)
    steps = np.linalg.norm(np.diff(lines, axis=2), axis=-1)
    assert steps.max() < 12 and steps.min() > 0.1
    _, mean_lines, _ = shapes68(landmarks.buffers(), np.zeros((1, NUM_PARAMETERS), np.float32))
    mean_steps = np.linalg.norm(np.diff(mean_lines, axis=2), axis=-1)[0]
    assert mean_steps.max() < 6 and (mean_steps.max(1) < 2 * mean_steps.min(1)).all()
    # Normals point away from the center of the head.
    outward = (normals * (lines - np.array([0, 0, -45], np.float32))).sum(-1)
    assert (outward > 0).mean() > 0.99
    assert (np.abs(mean_lines[0, :, -1, 0]) < 30).all()


def test_outline_is_near_the_jawline_of_frontal_faces_and_far_from_it_in_profile(landmarks: LandmarkModel) -> None:
    q = np.zeros((3, NUM_PARAMETERS), np.float32)
    q[:, POSE][:, SCALE] = 1
    q[:, POSE][:, YAW] = [0.0, 1.0, -1.0]
    outline, jawline = landmarks.outline68(q)
    assert outline.shape == jawline.shape == (3, 68, 3)
    moved = np.linalg.norm(outline - jawline, axis=-1)
    assert moved[0].max() < 20 and moved[:, 17:].max() == 0
    # Yaw > 0 turns the nose to the right of the image: the right half of the contour slides.
    assert moved[1, 12:16].min() > 20 and moved[1, 1:6].max() < 12
    assert moved[2, 1:5].min() > 20 and moved[2, 11:16].max() < 12


def test_the_mirrored_face_has_mirrored_landmarks(model: FaceModel, landmarks: LandmarkModel) -> None:
    q = random_parameters(6, seed=3)
    other = q.copy()
    other[:, IDENTITY] *= model.identity_mirror
    other[:, EXPRESSION] = q[:, EXPRESSION][:, model.expression_mirror]
    other[:, POSE] = mirror_pose(q[:, POSE])
    for first, second in zip(landmarks.outline68(q), landmarks.outline68(other), strict=True):
        np.testing.assert_allclose(second[:, MIRROR] * FLIP, first, atol=0.05)


def test_torch_equals_numpy_and_is_differentiable(landmarks: LandmarkModel) -> None:
    q = random_parameters(3, seed=5)
    outline, jawline = landmarks.outline68(q)
    buffers = {name: torch.from_numpy(array) for name, array in landmarks.buffers().items()}
    tensor = torch.from_numpy(q).requires_grad_()
    torch_outline, torch_jawline = outline68(buffers, tensor)
    np.testing.assert_allclose(torch_outline.detach().numpy(), outline, atol=5e-3)
    np.testing.assert_allclose(torch_jawline.detach().numpy(), jawline, atol=5e-3)
    torch_outline.sum().backward()
    assert tensor.grad is not None and torch.isfinite(tensor.grad).all()
    assert (tensor.grad[:, POSE].abs().sum(0) > 0).all()


def test_the_contour_method_can_be_chosen(landmarks: LandmarkModel) -> None:
    q = random_parameters(2, seed=8)
    extreme, _ = outline68(landmarks.buffers(), q, slide_extreme_x)
    _, lines, normals = shapes68(landmarks.buffers(), q)
    s = slide_extreme_x(lines, normals, q[:, POSE])
    assert points_on_lines(lines, s).shape == (2, 17, 3)
    assert np.isfinite(extreme).all()
    with pytest.raises(ValueError, match=str(NUM_PARAMETERS)):
        landmarks.outline68(q[:, :100])
