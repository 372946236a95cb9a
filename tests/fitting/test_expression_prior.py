"""The prior of the expression coefficients: bounded, sparse, one of two antagonists."""

import numpy as np

from rdrface.fitting.expression_prior import bounded_step, exclude_weaker, prior_costs, prior_slopes
from rdrface.morphable.model import FaceModel

NAMES = FaceModel.load().expression_names


def test_one_of_two_equal_coefficients_explains_the_whole_movement() -> None:
    # Both coefficients move the same points; the data require a total of 0.8.
    hessian = np.full((1, 2, 2), 1000.0)
    strength, costs = np.array([[0.05, 0.04]]), np.full(2, 3.0)
    for _ in range(20):
        gradient = 1000.0 * (0.8 - strength.sum(axis=1, keepdims=True)) * np.ones((1, 2))
        strength = bounded_step(hessian, gradient, strength, prior_slopes(costs, strength), np.ones((1, 2)))
    assert abs(strength.sum() - 0.8) < 0.02
    assert strength.min() == 0


def test_steps_stay_within_the_bounds() -> None:
    rng = np.random.default_rng(0)
    factor = rng.normal(0, 1, (3, 46, 46))
    upper_bound = rng.uniform(0, 1, (3, 46))
    strength = bounded_step(
        factor @ factor.swapaxes(1, 2), rng.normal(0, 100, (3, 46)), 0.5 * upper_bound, np.ones((3, 46)), upper_bound
    )
    assert (strength >= 0).all() and (strength <= upper_bound).all()


def test_the_weaker_antagonist_is_excluded() -> None:
    strength, upper_bound = np.zeros((1, len(NAMES))), np.ones((1, len(NAMES)))
    left, right, smile = (NAMES.index(name) for name in ("jawLeft", "jawRight", "mouthSmileLeft"))
    strength[0, [left, right, smile]] = 0.2, 0.6, 0.4
    excluded = exclude_weaker(strength, upper_bound, NAMES)
    assert np.flatnonzero(excluded[0] == 0).tolist() == [left]
    assert (upper_bound == 1).all()


def test_a_blink_costs_less_than_a_look_down() -> None:
    costs = prior_costs(NAMES)
    assert costs[NAMES.index("eyeBlinkLeft")] < costs[NAMES.index("eyeLookDownLeft")]
