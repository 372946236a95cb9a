"""Prior of the expression coefficients: sparse, bounded to 0..1, and at most one of two antagonists is active.

A Gaussian prior distributes one movement over all coefficients that cause a part of it: a closed eye becomes a third
of a blink, a squint, a look down and a narrowed eye. This prior is that of reweighted l1 minimization (Candes, Wakin &
Boyd 2008): its slope is steep near 0 and decreases from there, so that a single coefficient explains the movement.
"""

import numpy as np

from rdrface.morphable.antagonists import pair_indices

_COST = 3.0
"""Slope of the prior at strength 0, in units of the log-likelihood."""
_COSTS = {
    "eyeBlink": 2.0,
    "jawOpen": 1.0,
    **dict.fromkeys(("eyeSquint", "eyeLook", "cheek", "noseSneer"), 6.0),
    **dict.fromkeys(("mouthFunnel", "mouthShrug", "mouthRoll"), 8.0),
    **dict.fromkeys(("mouthUpperUp", "mouthLowerDown"), 6.0),
    **dict.fromkeys(("jawLeft", "jawRight", "mouthLeft", "mouthRight", "brow"), 4.0),
}
"""Slopes by prefix of the coefficient's name. Coefficients that are often active cost less; coefficients that landmarks
can hardly distinguish from a more common one cost more: a lid closes in a blink far more often than in a look down, and
lips usually part because the jaw opens."""
_KNEE = 0.1
"""Strength at which the slope is halved."""
_RIDGE = 1.0
"""Weight of a quadratic cost of every coefficient. It keeps the linear systems regular and holds coefficients at 0
that the points do not constrain."""
_SWEEPS = 6
_TINY = 1e-9


def prior_costs(names: tuple[str, ...]) -> np.ndarray:
    """(46,) slope of each coefficient's cost at strength 0."""
    return np.array([next((c for prefix, c in _COSTS.items() if name.startswith(prefix)), _COST) for name in names])


def prior_slopes(costs: np.ndarray, strength: np.ndarray) -> np.ndarray:
    """Slopes of the prior at the current coefficients.

    Args:
        costs: (46,) slopes at 0, from `prior_costs`.
        strength: (B, 46) coefficients.

    Returns:
        (B, 46).
    """
    return costs / (1 + strength / _KNEE)


def bounded_step(
    hessian: np.ndarray, gradient: np.ndarray, strength: np.ndarray, slope: np.ndarray, upper_bound: np.ndarray
) -> np.ndarray:
    """Maximize a quadratic model of the log-likelihood minus the prior within the bounds, by coordinate descent.

    Args:
        hessian: (B, 46, 46) negative Hessian of the log-likelihood, positive semidefinite.
        gradient: (B, 46) gradient of the log-likelihood at `strength`.
        strength: (B, 46) current coefficients.
        slope: (B, 46) slopes of the prior.
        upper_bound: (B, 46) upper bounds; the lower bounds are 0.

    Returns:
        (B, 46) new coefficients.
    """
    # With the axis of the coefficients first, each step reads contiguous rows of all faces.
    rows = np.ascontiguousarray(hessian.transpose(1, 2, 0))
    ascent = np.ascontiguousarray((gradient - slope - _RIDGE * strength).T)
    current = np.ascontiguousarray(strength.T)
    bound = upper_bound.T
    count = len(current)
    curvature = rows[np.arange(count), np.arange(count)] + _RIDGE + _TINY
    for _ in range(_SWEEPS):
        for i in range(count):
            updated = np.clip(current[i] + ascent[i] / curvature[i], 0, bound[i])
            change = updated - current[i]
            if not change.any():
                continue
            current[i] = updated
            ascent -= rows[i] * change
            ascent[i] -= _RIDGE * change
    return current.T


def exclude_weaker(strength: np.ndarray, upper_bound: np.ndarray, names: tuple[str, ...]) -> np.ndarray:
    """New upper bounds (B, 46): 0 for the weaker of two antagonists that are both active.

    Args:
        strength: (B, 46) coefficients.
        upper_bound: (B, 46) current bounds.
        names: names of the coefficients, `FaceModel.expression_names`.
    """
    upper_bound = upper_bound.copy()
    for first, second in pair_indices(names):
        both = (strength[:, first] > 0) & (strength[:, second] > 0)
        weaker = strength[:, first] < strength[:, second]
        upper_bound[both & weaker, first] = 0
        upper_bound[both & ~weaker, second] = 0
    return upper_bound
