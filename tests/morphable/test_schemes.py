"""Named points: on the outer surface, mirrored like the landmarks, lines that start at the jawline; Q to landmarks."""

import numpy as np
import pytest
import torch

from rdrface.geometry.contour import points_on_lines, slide_extreme_x
from rdrface.geometry.mesh import triangle_normals
from rdrface.landmarks import MIRROR
from rdrface.model_building.learn_landmarks import visible_from_front
from rdrface.morphable import FaceModel, LandmarkModel
from rdrface.morphable.landmark_model import outline68, shapes68
from rdrface.morphable.schemes import SCHEMES, WFLW98_BROWS, WFLW98_EVEN, WFLW98_IS, WFLW98_MIRROR, surface_points
from rdrface.morphable.surface import positions

FLIP = np.array([-1, 1, 1], np.float32)


@pytest.fixture(scope="module")
def model() -> FaceModel:
    return FaceModel.load()


@pytest.fixture(scope="module")
def landmarks(model: FaceModel) -> LandmarkModel:
    return LandmarkModel.from_face_model(model)


def parameters(count: int, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    q = np.zeros((count, 103), np.float32)
    q[:, :50] = rng.normal(0, 1, (count, 50))
    q[:, 50] = rng.uniform(-0.5, 0.5, count)
    q[:, 51] = rng.uniform(-1.5, 1.5, count)
    q[:, 52] = rng.uniform(-0.5, 0.5, count)
    q[:, 53:56] = rng.normal(0, 2, (count, 3))
    q[:, 56] = rng.uniform(0.8, 1.2, count)
    q[:, 57:] = rng.uniform(0, 0.3, (count, 46))
    return q


def test_every_scheme_is_there(model: FaceModel) -> None:
    sizes = {"ibug68": 68, "inner51": 51, "aflw21": 21, "aflw34": 34, "eye_centers": 2, "ear_lobes": 2, "wflw98": 98}
    for name in SCHEMES:
        points = surface_points(model, name)
        assert len(points) == sizes.get(name, len(points))
        np.testing.assert_allclose(points.barycentric.sum(1), 1, atol=1e-6)
        assert points.barycentric.min() >= 0 and points.triangle.max() < len(model.triangles)
    assert len(surface_points(model, "parallel_lines")) % 17 == 0
    with pytest.raises(ValueError, match="ibug68"):
        surface_points(model, "ibug86")


def test_landmarks_are_mirrored_in_mirror_order(model: FaceModel) -> None:
    at = positions(model.mean, model.triangles, model.points["ibug68"])
    np.testing.assert_allclose(at[MIRROR] * FLIP, at, atol=1e-3)
    lines = positions(model.mean, model.triangles, model.points["parallel_lines"]).reshape(17, -1, 3)
    np.testing.assert_allclose(lines[::-1] * FLIP, lines, atol=1e-3)
    for name in ("eye_centers", "ear_lobes"):
        left, right = positions(model.mean, model.triangles, model.points[name])
        np.testing.assert_allclose(left * FLIP, right, atol=1e-3)


def test_landmarks_are_anatomically_ordered(model: FaceModel) -> None:
    at = positions(model.mean, model.triangles, model.points["ibug68"])
    x, y = at[:, 0], at[:, 1]
    assert (np.diff(x[:17]) > 0).all() and y[8] == y.min()
    assert (np.diff(x[17:27]) > 0).all() and y[17:27].min() > y[36:48].max()
    assert (np.diff(y[27:31]) < 0).all() and (np.diff(x[31:36]) > 0).all() and y[30] > y[33]
    assert x[36] < x[37] < x[38] < x[39] < 0 < x[42] < x[43] < x[44] < x[45]
    assert (y[[37, 38]] > y[[41, 40]] + 4).all()
    assert (np.diff(x[48:55]) > 0).all() and (np.diff(x[60:65]) > 0).all()
    assert (y[[61, 62, 63]] > y[[67, 66, 65]]).all() and (y[[50, 51, 52]] > y[[61, 62, 63]] + 3).all()
    assert x[48] < x[60] and x[64] < x[54] and y[57] < y[66] - 5


def test_wflw98_is_placed_as_its_order_says(model: FaceModel) -> None:
    at = positions(model.mean, model.triangles, model.points["wflw98"])
    known = positions(model.mean, model.triangles, model.points["ibug68"])
    np.testing.assert_allclose(at[WFLW98_MIRROR] * FLIP, at, atol=1e-3)
    np.testing.assert_array_equal(at[list(WFLW98_IS)], known[list(WFLW98_IS.values())])
    x, y = at[:, 0], at[:, 1]
    assert (np.diff(x[:33]) > 0).all() and y[16] == y.min()
    contour = np.linalg.norm(np.diff(at[:33], axis=0), axis=1).reshape(16, 2)
    np.testing.assert_allclose(contour[:, 0], contour[:, 1], rtol=0.1)
    for below, above in WFLW98_BROWS.items():
        assert abs(x[below] - x[above]) < 1e-3 and y[above] - y[below] == pytest.approx(7, abs=1e-3)
    assert y[WFLW98_MIRROR[41]] > y[70] and y[38] > y[62]
    # Between the landmarks of its line, a millimeter off it at most where the surface bends.
    for line, cuts in WFLW98_EVEN:
        ends = known[[line[0], line[-1]]]
        chain = np.concatenate([ends[:1], at[list(cuts)], ends[1:]])
        steps = np.linalg.norm(np.diff(chain, axis=0), axis=1)
        assert steps.max() < 1.25 * steps.min(), line
    pupils = positions(model.mean, model.triangles, model.points["eye_centers"])
    np.testing.assert_array_equal(at[96:], pupils)


def test_wflw98_keeps_to_its_own_lip(model: FaceModel) -> None:
    drop = model.reduced(model.points["wflw98"]).expression_basis[model.expression_names.index("jawOpen")][:, 1]
    assert drop[[89, 90, 91]].min() > drop[[88, 92]].max() + 5
    assert drop[[93, 94, 95]].max() < drop[[88, 92]].min() - 5


def test_points_lie_on_the_outer_surface(model: FaceModel) -> None:
    for name in ("ibug68", "parallel_lines", "ear_lobes", "wflw98"):
        points = model.points[name]
        at = positions(model.mean, model.triangles, points)
        normals = triangle_normals(model.mean[model.triangles])[points.triangle]
        seen = visible_from_front(at, model.mean, model.triangles, normals, 0.5)
        assert seen.all(), f"{name}: {np.flatnonzero(~seen)} are seen from nowhere"


def test_lines_start_at_the_jawline_and_are_smooth(landmarks: LandmarkModel) -> None:
    q = parameters(4)
    jawline, lines, normals = shapes68(landmarks.buffers(), q)
    np.testing.assert_allclose(lines[:, :, 0], jawline[:, :17], atol=1e-3)
    steps = np.linalg.norm(np.diff(lines, axis=2), axis=-1)
    assert steps.max() < 12 and steps.min() > 0.1
    _, mean_lines, _ = shapes68(landmarks.buffers(), np.zeros((1, 103), np.float32))
    mean_steps = np.linalg.norm(np.diff(mean_lines, axis=2), axis=-1)[0]
    assert mean_steps.max() < 6 and (mean_steps.max(1) < 2 * mean_steps.min(1)).all()
    # Away from the center of the head means outwards.
    outward = (normals * (lines - np.array([0, 0, -45], np.float32))).sum(-1)
    assert (outward > 0).mean() > 0.99
    assert (np.abs(mean_lines[0, :, -1, 0]) < 30).all()


def test_frontal_outline_is_near_the_jawline_and_profiles_slide_far(landmarks: LandmarkModel) -> None:
    q = np.zeros((3, 103), np.float32)
    q[:, 56] = 1
    q[:, 51] = [0.0, 1.0, -1.0]
    outline, jawline = landmarks.outline68(q)
    assert outline.shape == jawline.shape == (3, 68, 3)
    moved = np.linalg.norm(outline - jawline, axis=-1)
    assert moved[0].max() < 20 and moved[:, 17:].max() == 0
    # Yaw > 0 turns the nose to the picture's right: the right half of the contour slides.
    assert moved[1, 12:16].min() > 20 and moved[1, 1:6].max() < 12
    assert moved[2, 1:5].min() > 20 and moved[2, 11:16].max() < 12


def test_outline_of_the_mirrored_face(model: FaceModel, landmarks: LandmarkModel) -> None:
    q = parameters(6, seed=3)
    other = q.copy()
    other[:, :50] *= model.identity_mirror
    other[:, 57:] = q[:, 57:][:, model.expression_mirror]
    other[:, [51, 52, 53]] *= -1
    for first, second in zip(landmarks.outline68(q), landmarks.outline68(other), strict=True):
        np.testing.assert_allclose(second[:, MIRROR] * FLIP, first, atol=0.05)


def test_outline_is_the_same_in_torch_and_differentiable(landmarks: LandmarkModel) -> None:
    q = parameters(3, seed=5)
    outline, jawline = landmarks.outline68(q)
    buffers = {name: torch.from_numpy(array) for name, array in landmarks.buffers().items()}
    tensor = torch.from_numpy(q).requires_grad_()
    torch_outline, torch_jawline = outline68(buffers, tensor)
    np.testing.assert_allclose(torch_outline.detach().numpy(), outline, atol=5e-3)
    np.testing.assert_allclose(torch_jawline.detach().numpy(), jawline, atol=5e-3)
    torch_outline.sum().backward()
    assert tensor.grad is not None and torch.isfinite(tensor.grad).all()
    assert (tensor.grad[:, 50:57].abs().sum(0) > 0).all()


def test_the_contour_method_can_be_chosen(landmarks: LandmarkModel) -> None:
    q = parameters(2, seed=8)
    extreme, _ = outline68(landmarks.buffers(), q, slide_extreme_x)
    _, lines, normals = shapes68(landmarks.buffers(), q)
    s = slide_extreme_x(lines, normals, q[:, 50:57])
    assert points_on_lines(lines, s).shape == (2, 17, 3)
    assert np.isfinite(extreme).all()
    with pytest.raises(ValueError, match="103"):
        landmarks.outline68(q[:, :100])
