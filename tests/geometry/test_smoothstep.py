"""The smooth step between two limits."""

import numpy as np

from rdrface.geometry.smoothstep import smoothstep


def test_the_step_rises_from_0_to_1_and_keeps_the_type():
    values = np.array([-5, 2, 3, 4, 9], np.float32)
    step = smoothstep(values, 2, 4)
    assert step.dtype == np.float32
    np.testing.assert_allclose(step, [0, 0, 0.5, 1, 1])


def test_a_step_whose_limits_are_reversed_falls():
    np.testing.assert_allclose(smoothstep(np.array([0.0, 0.25, 1.0]), 1, 0), [1, 0.84375, 0])
