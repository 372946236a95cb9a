"""Means over faces with their standard errors."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class MeanError:
    """Mean of a set of faces.

    Attributes:
        mean: NaN without any face.
        standard_error: of the mean; NaN with fewer than two groups of faces.
        faces: number of counted faces.
    """

    mean: float
    standard_error: float
    faces: int


def mean_error(values: np.ndarray, groups: np.ndarray | None = None) -> MeanError:
    """Mean over the counted faces, and its standard error.

    Args:
        values: (N,) error of each face, or difference of two errors; faces with NaN are not counted.
        groups: (N,) keys that are equal for images of the same face, whose errors are not independent. The standard
            error is then that of a cluster sample (Cochran, Sampling Techniques, 1977, section 9A). By default every
            face is a group of its own: standard deviation divided by the square root of N.
    """
    counted = np.isfinite(values)
    faces = int(counted.sum())
    if not faces:
        return MeanError(float("nan"), float("nan"), 0)
    mean = float(values[counted].mean())
    keys = np.arange(len(values)) if groups is None else np.asarray(groups)
    _, index = np.unique(keys[counted], return_inverse=True)
    sums = np.bincount(index, weights=values[counted] - mean)
    if len(sums) < 2:
        return MeanError(mean, float("nan"), faces)
    variance = len(sums) / (len(sums) - 1) * float((sums**2).sum()) / faces**2
    return MeanError(mean, variance**0.5, faces)
