"""The three bins of absolute yaw in which the papers on large poses report their errors."""

import numpy as np

YAW_BINS = ((0.0, 30.0), (30.0, 60.0), (60.0, 90.0))
"""Degrees of |yaw|: [0, 30], (30, 60], (60, 90]. Faces beyond 90 are in the last bin, as in 3DDFA's evaluation code."""

YAW_BIN_NAMES = ("[0,30]", "(30,60]", "(60,90]")
"""Names of `YAW_BINS` in tables."""


def yaw_index(yaw: np.ndarray) -> np.ndarray:
    """(B,) index of each face's bin in `YAW_BINS`; -1 where the yaw is NaN.

    Args:
        yaw: (B,) degrees, of either sign.
    """
    absolute = np.abs(np.asarray(yaw, np.float64))
    return np.where(np.isnan(absolute), -1, np.digitize(absolute, [YAW_BINS[1][0], YAW_BINS[2][0]], right=True))
