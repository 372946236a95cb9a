"""Depth of blinks in predicted landmarks and coefficients."""

import numpy as np

from rdrface.geometry.eyes import eye_aspect

_AFTER = 2
"""Frames after a blink that still belong to it: predictions may be late."""


def blink_depth(predicted: np.ndarray, truth: np.ndarray, closing: np.ndarray) -> np.ndarray:
    """How far the predicted eyelids close, relative to the true ones.

    The fall of the eye aspect (`rdrface.geometry.eyes.eye_aspect`) from its median over the frames with open eyes to
    its minimum in a blink, predicted divided by true; the mean of both eyes.

    Args:
        predicted: (T, 68, 2) pixels; NaN where the face was not found.
        truth: (T, 68, 2) pixels.
        closing: (T,) true closing of the eyes, 0 open to 1 closed.

    Returns:
        (B,) percent, one per blink. NaN if the face was not found in the blink.
    """
    falls = [_falls(eye_aspect(points).astype(np.float64), closing) for points in (predicted, truth)]
    depth: np.ndarray = 100 * falls[0].mean(axis=1) / falls[1].mean(axis=1)
    return depth


def blink_peak(coefficients: np.ndarray, closing: np.ndarray) -> np.ndarray:
    """Rise of eyeBlink in blinks, from its median with open eyes to its maximum.

    Args:
        coefficients: (T, 2) eyeBlinkLeft and eyeBlinkRight; NaN where the face was not found.
        closing: (T,) true closing of the eyes.

    Returns:
        (B,) mean of both eyes, one per blink.
    """
    peak: np.ndarray = _falls(-coefficients, closing).mean(axis=1)
    return peak


def _falls(values: np.ndarray, closing: np.ndarray) -> np.ndarray:
    """(B, 2) median of values (T, 2) with open eyes minus their minimum in each of B blinks."""
    closed = np.concatenate([[False], closing > 0, [False]])
    starts, ends = np.flatnonzero(closed[1:] & ~closed[:-1]), np.flatnonzero(~closed[1:] & closed[:-1])
    blinks = [values[start : end + _AFTER] for start, end in zip(starts.tolist(), ends.tolist(), strict=True)]
    open_values = values[_far_from_blinks(closing)]
    open_values = open_values[np.isfinite(open_values).all(axis=1)]
    if not len(open_values) or not blinks:
        return np.full((len(blinks), 2), np.nan)
    lowest = [part[np.isfinite(part).all(axis=1)].min(axis=0, initial=np.inf) for part in blinks]
    falls = np.median(open_values, axis=0) - np.array(lowest)
    return np.where(np.isfinite(falls), falls, np.nan)


def _far_from_blinks(closing: np.ndarray) -> np.ndarray:
    """(T,) bool, frames that belong to no blink, with `_AFTER` frames of distance."""
    near = np.convolve(closing > 0, np.ones(2 * _AFTER + 1), "same") > 0
    return ~near
