"""Errors as the field defines them. Everything is per face first; means come last and say over what they are taken."""

from dataclasses import dataclass

import numpy as np

from rdrface.geometry.boxes import bounding_boxes
from rdrface.landmarks import GROUPS, OUTER_EYE_CORNERS

YAW_BINS = ((0.0, 30.0), (30.0, 60.0), (60.0, 90.0))
"""Degrees of |yaw|: [0, 30], (30, 60], (60, 90]. Faces beyond 90 belong to the last, as in 3DDFA's evaluation code."""

YAW_BIN_NAMES = ("[0,30]", "(30,60]", "(60,90]")
"""How the columns of `YAW_BINS` are called."""


@dataclass(frozen=True)
class BinnedError:
    """Errors of a set of faces by how far they are turned.

    Attributes:
        bins: mean of each of `YAW_BINS`; NaN for an empty bin.
        counts: faces counted in each bin.
        mean_of_bins: the "mean" of the papers: every bin weighs the same. NaN when a bin is empty.
        mean: over all counted faces, lower on sets with many frontal faces. Never mix the two.
    """

    bins: tuple[float, float, float]
    counts: tuple[int, int, int]
    mean_of_bins: float
    mean: float

    @property
    def cells(self) -> tuple[float, ...]:
        """The bins, their mean, and the mean over all faces: a row of the papers' tables."""
        return (*self.bins, self.mean_of_bins, self.mean)


def box_size(points: np.ndarray) -> np.ndarray:
    """(B,) sqrt(width * height) of the box around the known points of each face (B, N, 2): the usual normalizer.

    Raises:
        ValueError: a face without known points or whose points span no area.
    """
    points = np.asarray(points, np.float64)
    known = np.isfinite(points).all(-1)
    if not known.any(1).all():
        raise ValueError(f"face {int(np.argmin(known.any(1)))} has no known point, so there is no box to normalize by")
    boxes = bounding_boxes(np.where(known[..., None], points, np.nan))
    size = np.sqrt((boxes[:, 2:] - boxes[:, :2]).prod(1))
    return _positive(size, "landmark box's size")


def interocular(points: np.ndarray) -> np.ndarray:
    """(B,) distance of the outer eye corners, 300-W's normalizer; points (B, 68, 2).

    Raises:
        ValueError: a corner has no position, or both coincide.
    """
    points = np.asarray(points, np.float64)
    left, right = OUTER_EYE_CORNERS
    return _positive(np.linalg.norm(points[:, left] - points[:, right], axis=-1), "distance of the outer eye corners")


def interpupil(points: np.ndarray) -> np.ndarray:
    """(B,) distance of the means of the two eyes' six points, the normalizer of early 300-W papers; points (B, 68, 2).

    Raises:
        ValueError: a point of an eye has no position, or both means coincide.
    """
    points = np.asarray(points, np.float64)
    left, right = (points[:, list(GROUPS[eye])].mean(1) for eye in ("left_eye", "right_eye"))
    return _positive(np.linalg.norm(left - right, axis=-1), "distance of the pupils")


def nme(predicted: np.ndarray, truth: np.ndarray, size: np.ndarray, mask: np.ndarray | None = None) -> np.ndarray:
    """Normalized mean error of every face, in percent.

    Points without a true position (NaN) are not counted, nor are those that `mask` leaves out. A face that was not
    found (all its predicted coordinates NaN) and a face without any counted point give NaN: the caller must say how
    many there were.

    Args:
        predicted: (B, N, 2) pixels.
        truth: (B, N, 2) pixels, NaN where unknown.
        size: (B,) the normalizer in pixels, e.g. `box_size`.
        mask: (B, N) or (N,) bool, points to count; all by default.

    Returns:
        (B,) float64.

    Raises:
        ValueError: shapes that do not fit, a normalizer that is not positive, or a face with some but not all of its
            counted points predicted.
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
        raise ValueError(f"face {int(np.argmax(partly))} has predictions for some of its points only")
    distance = np.where(counted, np.linalg.norm(predicted - np.where(counted[..., None], truth, 0.0), axis=-1), 0.0)
    number = counted.sum(1)
    total = distance.sum(1)
    return 100 * np.divide(total, number, out=np.full(len(total), np.nan), where=number > 0) / size


def by_yaw(errors: np.ndarray, yaw: np.ndarray) -> BinnedError:
    """Sort errors (B,) into `YAW_BINS` by |yaw| (B,) degrees; NaN errors (faces not found) are not counted."""
    errors, yaw = np.asarray(errors, np.float64), np.asarray(yaw, np.float64)
    if errors.shape != yaw.shape or errors.ndim != 1:
        raise ValueError(f"errors and yaw must both be (B,); got {errors.shape} and {yaw.shape}")
    index = yaw_index(yaw)
    if (index < 0).any():
        raise ValueError("yaw holds NaN: every face needs an annotated yaw to be put into a bin")
    counted = np.isfinite(errors)
    parts = [errors[counted & (index == i)] for i in range(len(YAW_BINS))]
    first, second, third = (float(part.mean()) if len(part) else float("nan") for part in parts)
    return BinnedError(
        bins=(first, second, third),
        counts=(len(parts[0]), len(parts[1]), len(parts[2])),
        mean_of_bins=(first + second + third) / 3,
        mean=mean_of_counted(errors),
    )


def yaw_index(yaw: np.ndarray) -> np.ndarray:
    """(B,) place of each face in `YAW_BINS` by |yaw| (B,) degrees; -1 where it is NaN."""
    turn = np.abs(np.asarray(yaw, np.float64))
    return np.where(np.isnan(turn), -1, np.digitize(turn, [YAW_BINS[1][0], YAW_BINS[2][0]], right=True))


def mean_known(values: np.ndarray, axis: int) -> np.ndarray:
    """Mean along an axis over what is known (not NaN); NaN where nothing is."""
    known = np.isfinite(values)
    number = known.sum(axis)
    total = np.where(known, values, 0.0).sum(axis)
    return np.divide(total, number, out=np.full(number.shape, np.nan), where=number > 0)


def mean_of_counted(errors: np.ndarray) -> float:
    """Mean over the faces that have an error (not NaN); NaN when there are none."""
    counted = errors[np.isfinite(errors)]
    return float(counted.mean()) if len(counted) else float("nan")


def angle_errors(predicted: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """(..., ) signed differences predicted - truth of angles in degrees, brought to -180..180."""
    return (np.asarray(predicted, np.float64) - np.asarray(truth, np.float64) + 180) % 360 - 180


def _positive(size: np.ndarray, name: str) -> np.ndarray:
    bad = ~(np.isfinite(size) & (size > 0))
    if bad.any():
        raise ValueError(f"face {int(np.argmax(bad))}: the {name} must be positive, got {size[bad][0]}")
    return size
