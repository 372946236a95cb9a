"""Selection of channels, and linear least squares."""

import numpy as np
import scipy.linalg
import torch
from torch import Tensor

RIDGE = 1e-3
"""Regularization, as a fraction of the mean variance of the inputs."""


def select_channels(values: Tensor, importance: Tensor, count: int) -> Tensor:
    """Choose the channels from which the others can be reconstructed best: QR decomposition with column pivoting.

    Args:
        values: (n, C) samples of the channels.
        importance: (C,) factor of each channel, e.g. the norm of the weights that use it.
        count: number of channels to choose.

    Returns:
        (count,) indices, ascending.
    """
    centered = (values - values.mean(0)) * importance
    gram = (centered.T @ centered).double().cpu().numpy()
    # A matrix with the same inner products as the columns of `centered`, and C rows.
    variances, directions = np.linalg.eigh(gram)
    factor = np.sqrt(np.maximum(variances, 0))[:, None] * directions.T
    pivots = scipy.linalg.qr(factor, mode="r", pivoting=True)[1]
    return torch.from_numpy(np.sort(pivots[:count]).astype(np.int64)).to(values.device)


def linear_map(inputs: Tensor, outputs: Tensor) -> tuple[Tensor, Tensor]:
    """Ridge regression with an intercept.

    Args:
        inputs: (n, I).
        outputs: (n, O).

    Returns:
        Weight (O, I) and bias (O,), float32.
    """
    mean_x, mean_y = inputs.double().mean(0), outputs.double().mean(0)
    # Centered before the products, so that float32 is sufficient.
    x, y = inputs - mean_x.float(), outputs - mean_y.float()
    gram, products = (x.T @ x).double(), (x.T @ y).double()
    gram.diagonal().add_(RIDGE * gram.diagonal().mean() + 1e-12)
    weight = torch.linalg.solve(gram, products).T
    return weight.float(), (mean_y - weight @ mean_x).float()
