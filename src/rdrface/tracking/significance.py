"""Whether a change between two frames is noise or motion."""

import numpy as np

from rdrface.geometry.smoothstep import smoothstep


def excess(ratio: np.ndarray, limits: tuple[float, float]) -> np.ndarray:
    """Weight of the hypothesis that a change is motion.

    Args:
        ratio: (...) squared change in units of the variance that noise explains.
        limits: two ratios; a change up to the first is noise, a change above the second is motion.

    Returns:
        (...) 0 below the limits, 1 above them, smooth and increasing between.
    """
    return smoothstep(ratio, *limits)
