"""Expression is sparse and one-sided: few units are active, each between 0 and 1, and of two antagonists one at most.

A Gaussian prior spreads one movement over all units that cause a part of it: a closed eye becomes a third of a blink, a
squint, a look down and a narrower eye. The prior here is that of reweighted l1 minimization (Candes, Wakin & Boyd
2008): the first tenth of a unit costs most, the rest little, so that one unit goes all the way.
"""

import numpy as np

from rdrface.morphable.antagonists import pair_indices

_COST = 3.0
"""Slope of the prior's cost at 0, in units of the log-likelihood per unit of strength."""
_COSTS = {
    "eyeBlink": 2.0,
    "jawOpen": 1.0,
    **dict.fromkeys(("eyeSquint", "eyeLook", "cheek", "noseSneer"), 6.0),
    **dict.fromkeys(("mouthFunnel", "mouthShrug", "mouthRoll"), 8.0),
    **dict.fromkeys(("mouthUpperUp", "mouthLowerDown"), 6.0),
    **dict.fromkeys(("jawLeft", "jawRight", "mouthLeft", "mouthRight", "brow"), 4.0),
}
"""The same for units that are commonly active, and for those that landmarks seldom tell from another: a lid comes down
in a blink far more often than in a look down, and lips part because the jaw opens."""
_KNEE = 0.1
"""Strength at which the slope has fallen to a half."""
_RIDGE = 1.0
"""Weight of a quadratic cost of every unit: what the points do not show stays at 0 and the systems stay regular."""
_SWEEPS = 6
_TINY = 1e-9


def prior_costs(names: tuple[str, ...]) -> np.ndarray:
    """(46,) slope of the cost of each unit at strength 0."""
    return np.array([next((c for start, c in _COSTS.items() if name.startswith(start)), _COST) for name in names])


def slopes(costs: np.ndarray, strength: np.ndarray) -> np.ndarray:
    """(46,) costs at 0, (B, 46) strengths -> (B, 46) slopes there."""
    return costs / (1 + strength / _KNEE)


def bounded_step(
    hessian: np.ndarray, gradient: np.ndarray, strength: np.ndarray, slope: np.ndarray, limit: np.ndarray
) -> np.ndarray:
    """Minimize a quadratic model of the log-likelihood plus the prior within the bounds, by coordinate descent.

    Args:
        hessian: (B, 46, 46) of the log-likelihood, positive semidefinite.
        gradient: (B, 46) its ascent direction at `strength`.
        strength: (B, 46) the coefficients.
        slope: (B, 46) of the prior.
        limit: (B, 46) upper bounds; the lower are 0.

    Returns:
        (B, 46) new coefficients in 0..limit.
    """
    # Coordinates first: each step then touches contiguous rows of all faces.
    rows = np.ascontiguousarray(hessian.transpose(1, 2, 0))
    ascent = np.ascontiguousarray((gradient - slope - _RIDGE * strength).T)
    at = np.ascontiguousarray(strength.T)
    bound = limit.T
    units = len(at)
    curvature = rows[np.arange(units), np.arange(units)] + _RIDGE + _TINY
    for _ in range(_SWEEPS):
        for i in range(units):
            moved = np.clip(at[i] + ascent[i] / curvature[i], 0, bound[i])
            change = moved - at[i]
            if not change.any():
                continue
            at[i] = moved
            ascent -= rows[i] * change
            ascent[i] -= _RIDGE * change
    return at.T


def exclude_weaker(strength: np.ndarray, limit: np.ndarray, names: tuple[str, ...]) -> np.ndarray:
    """Of two antagonists that are both active, forbid the weaker one: new upper bounds (B, 46)."""
    limit = limit.copy()
    for first, second in pair_indices(names):
        both = (strength[:, first] > 0) & (strength[:, second] > 0)
        weaker = strength[:, first] < strength[:, second]
        limit[both & weaker, first] = 0
        limit[both & ~weaker, second] = 0
    return limit
