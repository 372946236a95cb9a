"""Feasible expression coefficients."""

import numpy as np
import torch

from rdrface.morphable.feasible import antagonist_index, feasible
from rdrface.morphable.model import FaceModel

NAMES = FaceModel.load().expression_names


def test_strengths_are_clipped_and_antagonists_lose_their_common_part() -> None:
    expression = np.zeros((1, len(NAMES)), np.float32)
    index = [NAMES.index(name) for name in ("jawLeft", "jawRight", "jawOpen", "mouthLeft", "mouthRight")]
    expression[0, index] = 0.75, 0.25, 1.5, -0.5, 0.5
    result = feasible(expression, *antagonist_index(NAMES))
    np.testing.assert_allclose(result[0, index], [0.5, 0.0, 1.0, 0.0, 0.5])
    assert np.delete(result[0], index).tolist() == [0] * (len(NAMES) - 5)


def test_feasible_coefficients_are_unchanged_for_numpy_and_torch() -> None:
    expression = np.zeros((2, len(NAMES)), np.float32)
    expression[0, [NAMES.index(name) for name in ("jawLeft", "jawOpen", "eyeBlinkLeft")]] = 0.3, 0.9, 1.0
    antagonist, present = antagonist_index(NAMES)
    np.testing.assert_array_equal(feasible(expression, antagonist, present), expression)
    tensors = feasible(torch.from_numpy(expression), torch.from_numpy(antagonist), torch.from_numpy(present))
    np.testing.assert_array_equal(tensors.numpy(), expression)
