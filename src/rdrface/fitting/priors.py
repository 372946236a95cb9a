"""What is likely of a face before it is seen: standard deviations of the 96 coefficients."""

import numpy as np

from rdrface.fitting.basis import IDENTITIES

_LARGE = ("eyeBlink", "jawOpen")
"""Units whose full strength moves landmarks by tens of millimetres: seldom near 1."""


def prior_sigma(expression_names: tuple[str, ...]) -> np.ndarray:
    """(96,) float64: 1 for identity, by construction of the face model; 0.2 to 0.4 for expression units."""
    expression = [0.25 if name.startswith(_LARGE) else 0.35 for name in expression_names]
    return np.concatenate((np.ones(IDENTITIES), expression))
