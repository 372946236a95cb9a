"""Which expression coefficients a face can have: each between 0 and 1, and of two antagonists one at most."""

from typing import Any

import numpy as np
from array_api_compat import array_namespace

from rdrface.morphable.antagonists import pair_indices


def opposites(names: tuple[str, ...]) -> tuple[np.ndarray, np.ndarray]:
    """The antagonist of every unit.

    Args:
        names: of the 46 coefficients.

    Returns:
        (46,) int64 index of each unit's antagonist (0 for a unit without one) and (46,) float32, 1 where there is one.
    """
    index, present = np.zeros(len(names), np.int64), np.zeros(len(names), np.float32)
    for first, second in pair_indices(names):
        index[[first, second]] = second, first
        present[[first, second]] = 1
    return index, present


def feasible(expression: Any, opposite: Any, present: Any) -> Any:
    """The nearest coefficients that a face can have.

    Values are clipped to 0..1. Where two antagonists are active, the weaker one is subtracted from both: their common
    part moves nothing.

    Args:
        expression: (B, 46).
        opposite, present: (46,) of `opposites`, as arrays of the same kind.

    Returns:
        (B, 46).
    """
    xp = array_namespace(expression)
    strength = xp.clip(expression, 0.0, 1.0)
    return xp.clip(strength - xp.take(strength, opposite, axis=1) * present, 0.0, 1.0)
