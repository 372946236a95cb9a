"""The smooth step between two limits."""

import numpy as np


def smoothstep(values: np.ndarray, low: float = 0.0, high: float = 1.0) -> np.ndarray:
    """The cubic Hermite step, whose derivative is 0 at both limits.

    Args:
        values: (...) float, of any unit.
        low: limit below which the result is 0, in the same unit.
        high: limit above which it is 1; not equal to `low`.

    Returns:
        (...) with the dtype of `values`, 0 to 1.
    """
    share = ((values - low) / (high - low)).clip(0, 1)
    step: np.ndarray = share * share * (3 - 2 * share)
    return step
