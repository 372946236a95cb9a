"""The constraint that hidden points do not project outside the profile."""

import numpy as np

from rdrface.fitting.profile_constraint import FAR, hidden_groups, profile_excess
from rdrface.geometry.rotation import rotation_matrix
from rdrface.morphable.model import FaceModel

RIGHT_EYE = range(42, 48)


def excess_at(yaw: float, hidden: range) -> tuple[np.ndarray, np.ndarray]:
    """Excess and weight (38,) of the mean face at a yaw in degrees."""
    model = FaceModel.load()
    landmarks = model.reduced(model.points["ibug68"]).mean[None] / 120
    rotation = rotation_matrix(np.deg2rad(np.array([[0.0, yaw, 0.0]])))
    self_occluded = np.zeros((1, 68), bool)
    self_occluded[0, list(hidden)] = True
    excess, weight, _ = profile_excess(landmarks @ rotation.swapaxes(1, 2), rotation, self_occluded)
    return excess[0], weight[0]


def test_a_hidden_eye_outside_the_profile_is_penalized() -> None:
    excess, weight = excess_at(40, RIGHT_EYE)
    eye = np.isin(FAR, list(RIGHT_EYE))
    assert (excess[eye] > 0).any()
    assert (weight[eye & (excess > 0)] > 0).all() and (weight[~eye] == 0).all()


def test_a_profile_that_hides_the_eye_is_not_penalized() -> None:
    _, weight = excess_at(90, RIGHT_EYE)
    assert (weight == 0).all()


def test_a_group_counts_only_when_all_its_points_are_hidden() -> None:
    self_occluded = np.zeros((1, 68), bool)
    self_occluded[0, 42:47] = True
    assert not hidden_groups(self_occluded).any()
    self_occluded[0, 47] = True
    np.testing.assert_array_equal(hidden_groups(self_occluded)[0], np.isin(FAR, list(RIGHT_EYE)))
