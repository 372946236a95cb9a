"""`rdrface.fit`: a face from its 2D landmarks."""

import numpy as np
import pytest

import rdrface
from rdrface.morphable.landmark_model import LandmarkModel
from rdrface.morphable.model import FaceModel
from rdrface.morphable.params import NUM_PARAMETERS, POSE, expression_index


@pytest.fixture(scope="module")
def winking_face() -> tuple[np.ndarray, np.ndarray]:
    """Q (103,) and landmarks (68, 2) of a turned face with its left eye closed and its mouth open."""
    model = FaceModel.load()
    q = np.zeros((1, NUM_PARAMETERS), np.float32)
    q[0, POSE] = *np.deg2rad([5, -25, 10]), 200, -150, 0, 1.5
    for name, value in (("eyeBlinkLeft", 1.0), ("jawOpen", 0.5)):
        q[0, expression_index(name, model.expression_names)] = value
    outline, _ = LandmarkModel.from_face_model(model).outline68(q)
    return q[0], outline[0, :, :2]


def test_points_determine_pose_expression_and_mesh(winking_face: tuple[np.ndarray, np.ndarray]) -> None:
    _, points = winking_face
    face = rdrface.fit(points)
    assert abs(face.pose.yaw + 25) < 4
    assert face.blendshapes["eyeBlinkLeft"] > 0.8
    assert face.blendshapes["eyeBlinkRight"] < 0.1
    assert abs(face.blendshapes["jawOpen"] - 0.5) < 0.12
    np.testing.assert_allclose(face.landmarks, points, atol=1e-3)
    size = np.sqrt(np.ptp(points, axis=0).prod())
    assert np.linalg.norm(face.projection - points, axis=1).mean() < 0.012 * size
    assert np.isfinite(face.mesh().vertices).all()
    assert face.uncertainty.mean() < 1.2


def test_missing_points_are_filled_in_from_the_fit(winking_face: tuple[np.ndarray, np.ndarray]) -> None:
    _, points = winking_face
    some = points.copy()
    some[[3, 20, 50]] = np.nan
    face = rdrface.fit(some)
    size = np.sqrt(np.ptp(points, axis=0).prod())
    assert np.isfinite(face.landmarks).all()
    assert np.linalg.norm(face.landmarks - points, axis=1)[[3, 20, 50]].max() < 0.06 * size


def test_the_face_can_be_converted_to_a_dict_and_back(winking_face: tuple[np.ndarray, np.ndarray]) -> None:
    face = rdrface.fit(winking_face[1])
    restored = rdrface.Face.from_dict(face.to_dict())
    np.testing.assert_allclose(restored.landmarks_3d, face.landmarks_3d, rtol=1e-5)


def test_impossible_input_is_an_error(winking_face: tuple[np.ndarray, np.ndarray]) -> None:
    _, points = winking_face
    with pytest.raises(ValueError, match=r"\(68, 2\)"):
        rdrface.fit(points[:5])
    with pytest.raises(ValueError, match="needs 6 points"):
        rdrface.fit(np.where(np.arange(68)[:, None] < 3, points, np.nan))
    with pytest.raises(ValueError, match="one line"):
        rdrface.fit(np.ones((68, 2)))
    with pytest.raises(ValueError, match="contour must be"):
        rdrface.fit(points, contour="jaw")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="do not form a face"):
        rdrface.fit(np.random.default_rng(0).uniform(0, 200, (68, 2)))
    with pytest.raises(ValueError, match=r"do not form a face.*y down"):
        rdrface.fit(points * (1, -1))
    with pytest.raises(ValueError, match="visibility"):
        rdrface.fit(points, visibility=[True])
    with pytest.raises(ValueError, match="probabilities"):
        rdrface.fit(points, visibility=np.full(68, 2.0))
    with pytest.raises(ValueError, match="one line"):
        rdrface.fit(np.repeat(np.arange(68.0)[:, None], 2, axis=1))
    with pytest.raises(ValueError, match="numbers"):
        rdrface.fit("abc")
    with pytest.raises(ValueError, match="do not form a face"):
        rdrface.fit(points * (-1, 1) + (600, 0))  # points of a mirrored image in the original order
    with pytest.raises(ValueError, match="image pixels"):
        rdrface.fit(points * 1e8)


def test_the_fit_does_not_depend_on_the_position_in_the_image(winking_face: tuple[np.ndarray, np.ndarray]) -> None:
    near, far = rdrface.fit(winking_face[1]), rdrface.fit(winking_face[1] + 100_000)
    assert far.pose.yaw == pytest.approx(near.pose.yaw, abs=0.1)
    assert far.uncertainty.mean() == pytest.approx(near.uncertainty.mean(), abs=0.1)


def test_points_that_form_no_face_are_an_rdr_error(winking_face: tuple[np.ndarray, np.ndarray]) -> None:
    _, points = winking_face
    shuffled = points[np.random.default_rng(0).permutation(68)]
    cases = (np.full((68, 2), np.nan), np.full((68, 2), np.inf), np.full((68, 2), 50.0), shuffled, points * 1e-6)
    for data in (*cases, points * 1e6, np.where(points > points.mean(), 1e308, -1e308)):
        with pytest.raises(rdrface.errors.FitError) as raised:
            rdrface.fit(data)
        assert isinstance(raised.value, rdrface.errors.RdrError) and isinstance(raised.value, ValueError)
    for wrong in (points[:5], points.astype(str)):
        with pytest.raises(ValueError) as raised_for_argument:
            rdrface.fit(wrong)
        assert not isinstance(raised_for_argument.value, rdrface.errors.RdrError)
