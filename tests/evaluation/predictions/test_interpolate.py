"""The 2D output at mesh points: exact at the 68 landmarks, interpolated elsewhere."""

from dataclasses import replace

import numpy as np
import pytest

from rdrface.evaluation.predictions.interpolate import interpolated_landmarks, interpolation_weights
from rdrface.face import Face, packaged_model
from rdrface.morphable.schemes import WFLW98_TO_IBUG68
from some_face import some_face


def moved(face: Face, by: np.ndarray) -> Face:
    """The face with its 2D output displaced by `by` (68, 2) pixels from the 3D output."""
    jawline = face.landmarks_3d[:, :2] + by
    return replace(face, landmarks_jawline=jawline.astype(np.float32))


@pytest.mark.parametrize("scheme", ["ibug68", "inner51", "aflw21", "aflw34", "wflw98"])
def test_weights_are_positive_and_sum_to_one(scheme: str) -> None:
    weights = interpolation_weights(packaged_model(), scheme)
    assert weights.shape[1] == 68 and (weights >= 0).all()
    np.testing.assert_allclose(weights.sum(1), 1)


def test_a_point_of_the_68_moves_with_that_one_alone() -> None:
    np.testing.assert_array_equal(interpolation_weights(packaged_model(), "ibug68"), np.eye(68))
    weights = interpolation_weights(packaged_model(), "wflw98")
    for point, landmark in WFLW98_TO_IBUG68.items():
        assert weights[point, landmark] == 1
    face = moved(some_face(), np.random.default_rng(3).normal(0, 5, (68, 2)))
    np.testing.assert_allclose(interpolated_landmarks(face, "ibug68"), face.landmarks_jawline, atol=1e-3)
    np.testing.assert_allclose(
        interpolated_landmarks(face, "wflw98")[list(WFLW98_TO_IBUG68)],
        face.landmarks_jawline[list(WFLW98_TO_IBUG68.values())],
        atol=1e-3,
    )


def test_without_displacement_the_points_are_those_of_the_mesh() -> None:
    face = moved(some_face(), np.zeros((68, 2)))
    np.testing.assert_allclose(interpolated_landmarks(face, "aflw21"), face.points("aflw21")[:, :2], atol=1e-3)


def test_moving_all_landmarks_moves_all_points_and_moving_the_eye_moves_only_nearby_points() -> None:
    face = some_face()
    plain = interpolated_landmarks(moved(face, np.zeros((68, 2))), "wflw98")
    np.testing.assert_allclose(
        interpolated_landmarks(moved(face, np.full((68, 2), 3.0)), "wflw98") - plain, 3, atol=1e-3
    )
    eye = np.zeros((68, 2))
    eye[36:42, 1] = 4
    change = (interpolated_landmarks(moved(face, eye), "wflw98") - plain)[:, 1]
    np.testing.assert_allclose(change[[96, 62, 66]], 4, atol=0.3)
    assert np.abs(change[[97, 85, 54, 16]]).max() < 0.01
    assert 0 < change[39] < 1.5  # the lower edge of the brow moves with the brow
    with pytest.raises(ValueError, match="wflw98"):
        interpolated_landmarks(face, "wflw99")
