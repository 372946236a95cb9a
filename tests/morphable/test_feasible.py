"""Coefficients that a face can have."""

import numpy as np
import torch

from rdrface.morphable.feasible import feasible, opposites

NAMES = ("jawLeft", "jawRight", "jawOpen", "mouthLeft", "mouthRight", "mouthSmileLeft", "mouthFrownLeft") + (
    "mouthSmileRight",
    "mouthFrownRight",
    "eyeBlinkLeft",
    "eyeWideLeft",
    "eyeBlinkRight",
    "eyeWideRight",
    "eyeLookUpLeft",
    "eyeLookDownLeft",
    "eyeLookUpRight",
    "eyeLookDownRight",
    "browDownLeft",
    "browOuterUpLeft",
    "browDownRight",
    "browOuterUpRight",
)


def test_strengths_are_clipped_and_antagonists_lose_their_common_part() -> None:
    expression = np.zeros((1, len(NAMES)), np.float32)
    expression[0, :5] = 0.75, 0.25, 1.5, -0.5, 0.5
    result = feasible(expression, *opposites(NAMES))
    np.testing.assert_allclose(result[0, :5], [0.5, 0.0, 1.0, 0.0, 0.5])
    assert (result[0, 5:] == 0).all()


def test_feasible_coefficients_stay_as_they_are_on_arrays_and_tensors_alike() -> None:
    expression = np.zeros((2, len(NAMES)), np.float32)
    expression[0, [0, 2, 9]] = 0.3, 0.9, 1.0
    index, present = opposites(NAMES)
    np.testing.assert_array_equal(feasible(expression, index, present), expression)
    tensors = feasible(torch.from_numpy(expression), torch.from_numpy(index), torch.from_numpy(present))
    np.testing.assert_array_equal(tensors.numpy(), expression)
