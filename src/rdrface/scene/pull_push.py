"""Smooth interpolation of images with holes (the pull-push algorithm of Gortler et al., The Lumigraph, 1996)."""

import numpy as np

_ENOUGH = 1e-6


def pull_push(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Fill the holes of an image with smooth transitions between the known pixels.

    Args:
        values: (S, S, C) float32; S is a power of two.
        weights: (S, S) float32 in 0..1: 1 keeps a pixel, 0 is a hole.

    Returns:
        (S, S, C) float32; 0 everywhere if all pixels are holes.
    """
    size = len(weights)
    if size == 1:
        return np.where(weights[..., None] > _ENOUGH, values, 0)
    blocks = weights.reshape(size // 2, 2, size // 2, 2)
    total = blocks.sum(axis=(1, 3))
    weighted = (values * weights[..., None]).reshape(size // 2, 2, size // 2, 2, -1).sum(axis=(1, 3))
    mean = weighted / np.maximum(total, _ENOUGH)[..., None]
    coarse = pull_push(mean, np.minimum(total, 1))
    filled: np.ndarray = values * weights[..., None] + _doubled(coarse) * (1 - weights[..., None])
    return filled


def _doubled(image: np.ndarray) -> np.ndarray:
    """Bilinear enlargement of (S, S, C) by two."""
    return _doubled_rows(_doubled_rows(image).swapaxes(0, 1)).swapaxes(0, 1)


def _doubled_rows(image: np.ndarray) -> np.ndarray:
    padded = np.concatenate([image[:1], image, image[-1:]])
    doubled = np.empty((2 * len(image), *image.shape[1:]), image.dtype)
    doubled[0::2] = 0.75 * image + 0.25 * padded[:-2]
    doubled[1::2] = 0.75 * image + 0.25 * padded[2:]
    return doubled
