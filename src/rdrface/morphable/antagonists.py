"""Antagonists: pairs of expression coefficients that move the same part of the face in opposite directions.

A face shows at most one of a pair: a jaw cannot be shifted to the left and to the right at once. In a linear model the
two nearly cancel, so landmarks hardly determine their common part.
"""

from collections.abc import Sequence

import numpy as np

SIDEWAYS: tuple[tuple[str, str], ...] = (("jawLeft", "jawRight"), ("mouthLeft", "mouthRight"))
"""Pairs that cannot occur together, because a part of the face cannot move to both sides at once."""

ANTAGONISTS: tuple[tuple[str, str], ...] = (
    *SIDEWAYS,
    ("mouthSmileLeft", "mouthFrownLeft"),
    ("mouthSmileRight", "mouthFrownRight"),
    ("eyeBlinkLeft", "eyeWideLeft"),
    ("eyeBlinkRight", "eyeWideRight"),
    ("eyeLookUpLeft", "eyeLookDownLeft"),
    ("eyeLookUpRight", "eyeLookDownRight"),
    ("browDownLeft", "browOuterUpLeft"),
    ("browDownRight", "browOuterUpRight"),
)
"""All pairs, by their ARKit names."""


def pair_indices(names: Sequence[str], pairs: Sequence[tuple[str, str]] = ANTAGONISTS) -> np.ndarray:
    """Indices of pairs among the expression coefficients.

    Args:
        names: names of the coefficients, `FaceModel.expression_names`.
        pairs: names of the coefficients of P pairs.

    Returns:
        (P, 2) int64.

    Raises:
        ValueError: a name is not in `names`.
    """
    names = list(names)
    missing = sorted({name for pair in pairs for name in pair} - set(names))
    if missing:
        raise ValueError(f"the face model has no expression coefficient {', '.join(missing)}")
    return np.array([[names.index(first), names.index(second)] for first, second in pairs], np.int64).reshape(-1, 2)
