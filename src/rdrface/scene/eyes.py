"""Texture of the eyeballs: what the image shows of them, completed by a drawn eye."""

import numpy as np

from rdrface.scene.pull_push import pull_push

_SCLERA = np.array([226, 218, 212], np.float32)
_IRIS = np.array([88, 62, 44], np.float32)
_PUPIL = np.array([18, 14, 13], np.float32)
"""RGB."""

_IRIS_RADIUS, _PUPIL_RADIUS = 0.38, 0.15
"""Of the island of an eyeball, which is as wide as the eyeball; that of an adult has 24 mm, the iris 11.7 mm."""

_MIN_SHOWN = 0.03
"""Fraction of the island below which the image does not show the eye."""

_MIN_RATIO = 0.6
"""If less of an eye is visible, relative to the other one, it gets the mirrored texture of the other one."""


def eye_colors(seen: np.ndarray, shown: np.ndarray, covered: np.ndarray) -> np.ndarray:
    """Colors of the eyeballs.

    Args:
        seen: (S, S, 3) float32 RGB of the image, on the texture.
        shown: (S, S) float32, 1 where the image shows the eyeball.
        covered: (S, S) float32, 1 on the islands of the eyeballs.

    Returns:
        (S, S, 3) float32; undefined outside the islands.
    """
    size = len(covered)
    result = np.zeros_like(seen)
    halves = slice(0, size // 2), slice(size // 2, size)
    shares = [float(shown[:, half].sum() / max(covered[:, half].sum(), 1)) for half in halves]
    for half, share in zip(halves, shares, strict=True):
        if share >= max(_MIN_SHOWN, _MIN_RATIO * max(shares)):
            result[:, half] = _completed(seen[:, half], shown[:, half], covered[:, half])
        elif max(shares) < _MIN_SHOWN:
            result[:, half] = _completed(seen[:, half], np.zeros_like(shown[:, half]), covered[:, half])
    for half, share in zip(halves, shares, strict=True):
        if max(shares) >= _MIN_SHOWN and share < max(_MIN_SHOWN, _MIN_RATIO * max(shares)):
            result[:, half] = result[:, ::-1][:, half]
    return result


def _completed(seen: np.ndarray, shown: np.ndarray, covered: np.ndarray) -> np.ndarray:
    """One eyeball; the arguments are halves of those of `eye_colors`."""
    result = np.zeros_like(seen)
    rows, columns = np.nonzero(covered)
    island = slice(rows.min(), rows.max() + 1), slice(columns.min(), columns.max() + 1)
    weight = shown[island]
    drawn = _drawn_eye(*weight.shape)
    if weight.any():
        # The drawn eye takes the color of the light from the visible part.
        drawn = drawn + _smooth_difference(seen[island] - drawn, weight)
    result[island] = drawn + weight[..., None] * (seen[island] - drawn)
    return result


def _drawn_eye(height: int, width: int) -> np.ndarray:
    y, x = np.mgrid[:height, :width].astype(np.float32)
    radius = np.hypot((x + 0.5) / width - 0.5, (y + 0.5) / height - 0.5) * 2
    edge = 2.5 / max(height, width) * 2
    iris = ((_IRIS_RADIUS - radius) / edge + 0.5).clip(0, 1)[..., None]
    pupil = ((_PUPIL_RADIUS - radius) / edge + 0.5).clip(0, 1)[..., None]
    eye = _SCLERA * (1 - 0.25 * radius.clip(0, 1) ** 3)[..., None]
    eye = eye + iris * (_IRIS - eye)
    drawn: np.ndarray = eye + pupil * (_PUPIL - eye)
    return drawn.astype(np.float32)


def _smooth_difference(difference: np.ndarray, weight: np.ndarray) -> np.ndarray:
    size = 1 << (max(weight.shape) - 1).bit_length()
    height, width = weight.shape
    padded, known = np.zeros((size, size, 3), np.float32), np.zeros((size, size), np.float32)
    padded[:height, :width], known[:height, :width] = difference, weight
    return pull_push(padded, known)[:height, :width]
