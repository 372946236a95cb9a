"""Smooth curves through landmarks, and points on them between the landmarks."""

import numpy as np

_STEPS = 16
"""Line segments per stretch between two landmarks when lengths are measured."""


def smooth_line(line: np.ndarray, pieces: int) -> np.ndarray:
    """Cubic curve through all points of a line, sampled.

    The tangent at a point is that of the parabola through the point and its two neighbors; the parameter is the
    length of the chords (Catmull & Rom, 1974, with uneven steps). The curve therefore does not overshoot where short
    and long stretches meet, as on the far side of a profile.

    Args:
        line: (..., n, d), n at least 3.
        pieces: segments per stretch between two points, 1 or more.

    Returns:
        (..., (n - 1) * pieces + 1, d) float64. Every `pieces`-th sample is a point of the line. NaN near NaN.

    Raises:
        ValueError: fewer than 3 points.
    """
    points = np.asarray(line, np.float64)
    if points.ndim < 2 or points.shape[-2] < 3:
        raise ValueError(f"a smooth line needs points of shape (..., n, d) with n of 3 or more; got {points.shape}")
    step = np.diff(points, axis=-2)
    length = np.maximum(np.linalg.norm(step, axis=-1, keepdims=True), 1e-9)
    slope = step / length
    before, after = length[..., :-1, :], length[..., 1:, :]
    inner = (after * slope[..., :-1, :] + before * slope[..., 1:, :]) / (before + after)
    first, last = 2 * slope[..., :1, :] - inner[..., :1, :], 2 * slope[..., -1:, :] - inner[..., -1:, :]
    tangent = np.concatenate([first, inner, last], axis=-2)
    # Hermite form of the cubic; t goes from 0 to 1 along a stretch.
    t = (np.arange(pieces) / pieces)[:, None]
    a, b = points[..., :-1, None, :], points[..., 1:, None, :]
    leaving, arriving = (tangent[..., i, None, :] * length[..., None, :] for i in (slice(-1), slice(1, None)))
    rise = t * t * (3 - 2 * t)
    cubic = a + (b - a) * rise + t * (1 - t) * ((1 - t) * leaving - t * arriving)
    samples = cubic.reshape(*points.shape[:-2], -1, points.shape[-1])
    return np.concatenate([samples, points[..., -1:, :]], axis=-2)


def midpoints(line: np.ndarray) -> np.ndarray:
    """(..., n, d) -> (..., n - 1, d): the middle of each stretch of the smooth line through the points."""
    return smooth_line(line, 2)[..., 1::2, :]


def evenly_spaced(line: np.ndarray, count: int) -> np.ndarray:
    """Points of the smooth line at equal distances along it, from its first to its last point.

    Args:
        line: (..., n, d), n at least 3.
        count: number of points, both ends included; 2 or more.

    Returns:
        (..., count, d) float64, the ends exact; NaN where a point of the line is NaN.
    """
    fine = smooth_line(line, _STEPS)
    flat = fine.reshape(-1, *fine.shape[-2:])
    result = np.empty((len(flat), count, fine.shape[-1]))
    for resampled, points in zip(result, flat, strict=True):
        length = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(points, axis=0), axis=1))])
        targets = np.linspace(0, length[-1], count)
        for axis in range(points.shape[1]):
            resampled[:, axis] = np.interp(targets, length, points[:, axis]) if np.isfinite(length[-1]) else np.nan
    return result.reshape(*fine.shape[:-2], count, fine.shape[-1])
