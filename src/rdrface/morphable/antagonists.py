"""Pairs of expression units that pull the same part of the face in opposite directions.

A face shows one of a pair or neither: a jaw cannot be to the left and to the right at once. In a linear model two such
units nearly cancel, so points alone hardly fix how much of both is there.
"""

from collections.abc import Sequence

import numpy as np

SIDEWAYS: tuple[tuple[str, str], ...] = (("jawLeft", "jawRight"), ("mouthLeft", "mouthRight"))
"""The pairs that no face can show together, since one part would be in two places."""

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
"""All pairs, by ARKit's names."""


def pair_indices(names: Sequence[str], pairs: Sequence[tuple[str, str]] = ANTAGONISTS) -> np.ndarray:
    """(P, 2) int64, the places of the pairs in the expression coefficients.

    Args:
        names: of the coefficients, `FaceModel.expression_names`.
        pairs: names of P pairs.

    Raises:
        ValueError: a name is not among `names`.
    """
    names = list(names)
    missing = sorted({name for pair in pairs for name in pair} - set(names))
    if missing:
        raise ValueError(f"the face model has no expression unit {', '.join(missing)}")
    return np.array([[names.index(first), names.index(second)] for first, second in pairs], np.int64).reshape(-1, 2)
