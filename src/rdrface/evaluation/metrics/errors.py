"""Landmark and pose errors: the error of each face, and means over faces."""

from dataclasses import dataclass

import numpy as np

from rdrface.geometry.boxes import bounding_boxes, box_size
from rdrface.geometry.rotation import wrap_degrees
from rdrface.geometry.yaw_bins import YAW_BINS, yaw_index
from rdrface.landmarks import GROUPS, OUTER_EYE_CORNERS


@dataclass(frozen=True)
class BinnedError:
    """Mean errors of a set of faces by absolute yaw.

    Attributes:
        bins: mean of each of `YAW_BINS`; NaN for an empty bin.
        counts: number of faces counted in each bin.
        mean_of_bins: mean of the three bins with equal weights, the "mean" of the papers; NaN if a bin is empty.
        mean: mean over all counted faces. It is lower than `mean_of_bins` on sets with many frontal faces, so the two
            must not be compared.
    """

    bins: tuple[float, float, float]
    counts: tuple[int, int, int]
    mean_of_bins: float
    mean: float

    @property
    def cells(self) -> tuple[float, ...]:
        """The bins, their mean, and the mean over all faces: one row of the papers' tables."""
        return (*self.bins, self.mean_of_bins, self.mean)


def bounding_box_size(points: np.ndarray) -> np.ndarray:
    """Size sqrt(width * height) of the bounding box of each face's points: the usual normalizer of landmark errors.

    Args:
        points: (B, N, 2) pixels; points with a NaN coordinate are ignored.

    Returns:
        (B,) float64 pixels, positive.

    Raises:
        ValueError: a face has no point with a position, or its points span no area.
    """
    points = np.asarray(points, np.float64)
    known = np.isfinite(points).all(-1)
    if not known.any(1).all():
        raise ValueError(f"face {int(np.argmin(known.any(1)))} has no point with a position, so its box has no size")
    boxes = bounding_boxes(np.where(known[..., None], points, np.nan))
    return _positive(box_size(boxes), "landmark box's size")


def interocular(points: np.ndarray) -> np.ndarray:
    """(B,) distance between the outer eye corners of points (B, 68, 2): the normalizer of 300-W.

    Raises:
        ValueError: a corner has no position, or the two coincide.
    """
    points = np.asarray(points, np.float64)
    left, right = OUTER_EYE_CORNERS
    return _positive(
        np.linalg.norm(points[:, left] - points[:, right], axis=-1), "distance between the outer eye corners"
    )


def interpupil(points: np.ndarray) -> np.ndarray:
    """(B,) distance between the means of each eye's six points (B, 68, 2): the normalizer of early 300-W papers.

    Raises:
        ValueError: an eye point has no position, or the two means coincide.
    """
    points = np.asarray(points, np.float64)
    left, right = (points[:, list(GROUPS[eye])].mean(1) for eye in ("left_eye", "right_eye"))
    return _positive(np.linalg.norm(left - right, axis=-1), "distance between the pupils")


def nme(predicted: np.ndarray, truth: np.ndarray, size: np.ndarray, mask: np.ndarray | None = None) -> np.ndarray:
    """Normalized mean error (NME) of every face, in percent.

    Points without a true position (NaN) and points excluded by `mask` are not counted. The error is NaN for a face that
    was not found (all its predicted coordinates are NaN) and for a face without any counted point; the caller must
    report how many there are.

    Args:
        predicted: (B, N, 2) pixels.
        truth: (B, N, 2) pixels; NaN for points without a position.
        size: (B,) pixels, the normalizer, e.g. `bounding_box_size`.
        mask: (B, N) or (N,) bool, the points to count; all points by default.

    Returns:
        (B,) float64.

    Raises:
        ValueError: the shapes do not match, a normalizer is not positive, or a face has predictions for only some of
            its counted points.
    """
    predicted, truth = np.asarray(predicted, np.float64), np.asarray(truth, np.float64)
    size = np.asarray(size, np.float64)
    if predicted.shape != truth.shape or predicted.ndim != 3 or predicted.shape[-1] != 2:
        raise ValueError(f"predicted and truth must both be (B, N, 2); got {predicted.shape} and {truth.shape}")
    if size.shape != predicted.shape[:1]:
        raise ValueError(f"size must be ({len(predicted)},), one normalizer per face; got {size.shape}")
    _positive(size, "normalizer")
    counted = np.isfinite(truth).all(-1)
    if mask is not None:
        counted = counted & np.broadcast_to(np.asarray(mask, bool), counted.shape)
    placed = np.isfinite(predicted).all(-1)
    partly = (counted & placed).any(1) & (counted & ~placed).any(1)
    if partly.any():
        raise ValueError(f"face {int(np.argmax(partly))} has predictions for only some of its points")
    distance = np.where(counted, np.linalg.norm(predicted - np.where(counted[..., None], truth, 0.0), axis=-1), 0.0)
    number = counted.sum(1)
    total = distance.sum(1)
    error: np.ndarray = 100 * np.divide(total, number, out=np.full(len(total), np.nan), where=number > 0) / size
    return error


def by_yaw(errors: np.ndarray, yaw: np.ndarray) -> BinnedError:
    """Mean errors by absolute yaw.

    Args:
        errors: (B,) error of each face; faces with NaN (not found) are not counted.
        yaw: (B,) degrees, of either sign.

    Raises:
        ValueError: the shapes do not match, or a yaw is NaN.
    """
    errors, yaw = np.asarray(errors, np.float64), np.asarray(yaw, np.float64)
    if errors.shape != yaw.shape or errors.ndim != 1:
        raise ValueError(f"errors and yaw must both be (B,); got {errors.shape} and {yaw.shape}")
    index = yaw_index(yaw)
    if (index < 0).any():
        raise ValueError("yaw contains NaN: every face needs an annotated yaw to be assigned to a bin")
    counted = np.isfinite(errors)
    parts = [errors[counted & (index == i)] for i in range(len(YAW_BINS))]
    first, second, third = (float(part.mean()) if len(part) else float("nan") for part in parts)
    return BinnedError(
        bins=(first, second, third),
        counts=(len(parts[0]), len(parts[1]), len(parts[2])),
        mean_of_bins=(first + second + third) / 3,
        mean=mean_of_counted(errors),
    )


def mean_known(values: np.ndarray, axis: int) -> np.ndarray:
    """Mean of values (...) along an axis, ignoring NaN: float64 without this axis; NaN where all values are NaN."""
    known = np.isfinite(values)
    number = known.sum(axis)
    total = np.where(known, values, 0.0).sum(axis)
    mean: np.ndarray = np.divide(total, number, out=np.full(number.shape, np.nan), where=number > 0)
    return mean


def mean_of_counted(errors: np.ndarray) -> float:
    """Mean of the errors (B,) that are not NaN; NaN if there are none."""
    counted = errors[np.isfinite(errors)]
    return float(counted.mean()) if len(counted) else float("nan")


def angle_errors(predicted: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Signed differences predicted - truth of angles (...) in degrees, wrapped to -180..180."""
    errors: np.ndarray = wrap_degrees(np.asarray(predicted, np.float64) - np.asarray(truth, np.float64))
    return errors


def geodesic(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """(...) degrees: the angle of the rotation between two rotations (..., 3, 3), 0..180; NaN where one is NaN."""
    between = np.asarray(first, np.float64).swapaxes(-1, -2) @ np.asarray(second, np.float64)
    # atan2 is accurate for small angles, unlike acos of the trace.
    skew = between - between.swapaxes(-1, -2)
    sine = np.sqrt(skew[..., 2, 1] ** 2 + skew[..., 0, 2] ** 2 + skew[..., 1, 0] ** 2)
    angle: np.ndarray = np.degrees(np.arctan2(sine, np.trace(between, axis1=-2, axis2=-1) - 1))
    return angle


def _positive(size: np.ndarray, name: str) -> np.ndarray:
    bad = ~(np.isfinite(size) & (size > 0))
    if bad.any():
        raise ValueError(f"face {int(np.argmax(bad))}: the {name} must be positive, got {size[bad][0]}")
    return size
