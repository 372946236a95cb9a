"""Feasible expression coefficients: each is between 0 and 1, and at most one of two antagonists is active."""

from typing import Any

import numpy as np
from array_api_compat import array_namespace

from rdrface.morphable.antagonists import pair_indices


def antagonist_index(names: tuple[str, ...]) -> tuple[np.ndarray, np.ndarray]:
    """The antagonist of every expression coefficient.

    Args:
        names: names of the 46 coefficients.

    Returns:
        index: (46,) int64, index of each coefficient's antagonist; 0 for a coefficient without one.
        present: (46,) float32, 1 for a coefficient with an antagonist, else 0.
    """
    index, present = np.zeros(len(names), np.int64), np.zeros(len(names), np.float32)
    for first, second in pair_indices(names):
        index[[first, second]] = second, first
        present[[first, second]] = 1
    return index, present


def feasible(expression: Any, index: Any, present: Any) -> Any:
    """Feasible coefficients for given ones.

    Values are clipped to 0..1. Where two antagonists are active, the weaker one is subtracted from both: their common
    part does not move the face.

    Args:
        expression: (B, 46) alpha_exp, NumPy or PyTorch.
        index, present: (46,) from `antagonist_index`, as arrays of the same kind.

    Returns:
        (B, 46).
    """
    xp = array_namespace(expression)
    strength = xp.clip(expression, 0.0, 1.0)
    return xp.clip(strength - xp.take(strength, index, axis=1) * present, 0.0, 1.0)
