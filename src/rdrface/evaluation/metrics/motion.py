"""Errors of landmarks over time: jitter, deviation on a still face, lag.

There is no standard definition of jitter. Here it is the normalized mean flicker (NMF) of LDEQ (Micaelli et al.,
Recurrence without Recurrence: Stable Video Landmark Detection with Deep Equilibrium Models, CVPR 2023) in percent of
the face size. LDEQ uses another unit, so its values differ from these by a constant factor.
"""

import numpy as np

from rdrface.landmarks import GROUPS

LAGS = np.arange(-2.0, 6.01, 0.25)
"""Lags that are tried, frames."""

MIN_LAG_FRAMES = 20
"""Frames that a lag needs."""

_EYES = [*GROUPS["left_eye"], *GROUPS["right_eye"]]
_MOUTH = list(GROUPS["outer_lip"])


def squared_jitter(predicted: np.ndarray, truth: np.ndarray, size: np.ndarray, same: np.ndarray) -> np.ndarray:
    """Squared jitter of every pair of successive frames.

    The error of a landmark is its predicted minus its true position. The jitter of a pair of frames is the root mean
    square, over the landmarks, of the change of the error, divided by the face size. A constant error is no jitter, and
    neither is a motion that is followed exactly.

    Args:
        predicted: (T, P, 2) pixels; NaN where the face was not found.
        truth: (T, P, 2) pixels; NaN for landmarks that are not counted.
        size: (T,) face size, pixels.
        same: (T - 1,) bool, pairs of frames that are counted.

    Returns:
        (M,) squares, percent of the face size; one per counted pair with a landmark known in both frames. The jitter of
        a clip, and of several clips, is the square root of their mean.
    """
    change = np.diff(predicted - truth, axis=0)
    square = (change**2).sum(axis=-1) / size[1:, None] ** 2
    known = np.isfinite(square)
    total = np.where(known, square, 0).sum(axis=1)
    counted = same & known.any(axis=1)
    squares: np.ndarray = 1e4 * total[counted] / known.sum(axis=1)[counted]
    return squares


def squared_deviation(predicted: np.ndarray, size: float) -> np.ndarray:
    """Variance of the landmarks of a still face over time.

    Without smoothing it is half the squared jitter. Slow changes, which smoothing does not remove, count fully here and
    little in the jitter.

    Args:
        predicted: (T, P, 2) pixels; frames with NaN are ignored.
        size: face size, pixels.

    Returns:
        (M,) mean square, over the landmarks, of the distance from the mean over time, squares of percent of the face
        size; one per frame in which the face was found.
    """
    found = predicted[np.isfinite(predicted).all((1, 2))]
    if not len(found):
        return np.empty(0)
    distance = ((found - found.mean(axis=0)) ** 2).sum(axis=-1)
    squares: np.ndarray = 1e4 * distance.mean(axis=1) / size**2
    return squares


def lag(predicted: np.ndarray, truth: np.ndarray) -> float:
    """Lag of the predictions: the delay of the true motion that minimizes the distance from the predictions.

    For each of `LAGS`, the true landmarks are interpolated between frames (cubic), and the errors are converted to the
    frame of the face, where their mean over time is subtracted: a constant error of a landmark moves with the face. A
    parabola through the smallest mean square and its neighbors gives the lag to a fraction of a frame.

    Args:
        predicted: (T, 68, 2) pixels; NaN where the face was not found.
        truth: (T, 68, 2) pixels; NaN for landmarks that are not counted.

    Returns:
        Frames; positive if the predictions are late. NaN with fewer than `MIN_LAG_FRAMES` frames, or if no
        lag within `LAGS` is best.
    """
    inside = np.arange(int(LAGS[-1]) + 1, len(truth) - int(-LAGS[0]) - 1)
    landmarks = np.isfinite(truth).all((0, 2))
    used = inside[np.isfinite(predicted[inside]).all((1, 2))]
    if len(used) < MIN_LAG_FRAMES or not (landmarks[_EYES].any() and landmarks[_MOUTH].any()):
        return float("nan")
    costs = np.array([_cost(predicted[used], _interpolated(truth, used - shift), landmarks) for shift in LAGS])
    best = int(costs.argmin())
    if best in (0, len(LAGS) - 1):
        return float("nan")
    before, at, after = costs[best - 1 : best + 2]
    curvature = before - 2 * at + after
    return float(LAGS[best] + (LAGS[1] - LAGS[0]) * ((before - after) / (2 * curvature) if curvature > 0 else 0))


def _cost(predicted: np.ndarray, truth: np.ndarray, landmarks: np.ndarray) -> float:
    """Mean square (T, 68, 2) of the changing part of the errors in the frame of the face."""
    eyes, mouth = (truth[:, [point for point in group if landmarks[point]]].mean(axis=1) for group in (_EYES, _MOUTH))
    # The line from the eyes to the mouth: unlike the line between the eyes, it does not shorten when the head turns.
    down = mouth - eyes
    length = (down**2).sum(axis=1)[:, None]
    error = predicted[:, landmarks] - truth[:, landmarks]
    along = (error * down[:, None]).sum(axis=-1) / length
    across = (error[..., 0] * down[:, None, 1] - error[..., 1] * down[:, None, 0]) / length
    return float(along.var(axis=0).mean() + across.var(axis=0).mean())


def _interpolated(values: np.ndarray, at: np.ndarray) -> np.ndarray:
    """Values (T, ...) at positions (M,) between 1 and T - 2, by the cubic of Catmull and Rom."""
    first = np.floor(at).astype(int)
    t = (at - first).reshape(-1, *[1] * (values.ndim - 1))
    a, b, c, d = (values[(first + i).clip(0, len(values) - 1)] for i in (-1, 0, 1, 2))
    result: np.ndarray = b + t / 2 * (c - a + t * (2 * a - 5 * b + 4 * c - d + t * (3 * (b - c) + d - a)))
    return result
