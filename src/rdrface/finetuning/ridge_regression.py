"""Fitting the two corrections of custom landmarks by robust ridge regression.

The network is frozen and both corrections are linear, so the optimal weights are the exact solution of a linear system:
no learning rate or schedule is needed. The ridge penalty is chosen by cross-validation over photos.
"""

import numpy as np
import torch
from torch import Tensor

from rdrface.finetuning.views import FeatureCache
from rdrface.landmarks import NUM_LANDMARKS
from rdrface.network.custom_landmarks import CustomLandmarks

GLOBAL_PENALTIES = tuple(float(x) for x in 10.0 ** np.arange(-4, 3.1, 0.5))
LOCAL_PENALTIES = tuple(float(x) for x in 10.0 ** np.arange(-4, 3.1, 1.0))
"""Candidate ridge penalties, per view and in units of the mean square of the inputs. The global correction has several
times as many inputs per landmark, so its penalty matters more and is chosen on a finer grid."""

FOLDS = 5
"""Number of folds, over photos, of the cross-validation that chooses the penalty."""

VALIDATION_POINTS = 16
"""Maximum number of landmarks in the cross-validation: all landmarks share one penalty, so a subset is enough."""

REWEIGHTINGS = 3
"""Number of solutions per landmark: the first weights all annotations equally, the others down-weight outliers."""

HUBER_THRESHOLD = 0.02
"""Distance between prediction and annotation, crop frame, from which the loss is linear instead of quadratic."""


def fit_global_correction(readout: CustomLandmarks, cache: FeatureCache) -> float:
    """Fit the first correction, a linear function of the context, and write its weights into `readout`.

    Returns:
        The chosen penalty.
    """
    targets = cache.labels - cache.base
    scale = context_scale(cache.context)
    inputs = (cache.context / scale).unsqueeze(1).expand(-1, readout.count, -1)
    weights, bias, penalty = fit_ridge(inputs, targets, cache.photo, GLOBAL_PENALTIES)
    with torch.no_grad():
        readout.place.weight.copy_((weights / scale[:, None]).transpose(1, 2).reshape(-1, cache.context.shape[1]))
        readout.place.bias.copy_(bias.reshape(-1))
    return penalty


def fit_local_correction(readout: CustomLandmarks, cache: FeatureCache) -> float:
    """Fit the second correction, a linear function of each landmark's local feature, to the residual of the first.

    Args:
        readout: custom landmarks with the first correction already fitted; the weights of the second are written into
            it.
        cache: features sampled at the landmarks after the first correction.

    Returns:
        The chosen penalty.
    """
    with torch.no_grad():
        targets = cache.labels - readout.placed(cache.base, cache.context)
    scale = _rms(cache.features.flatten(1).float())[0]
    weights, bias, penalty = fit_ridge(cache.features, targets, cache.photo, LOCAL_PENALTIES, scale)
    with torch.no_grad():
        readout.local.copy_(weights / scale)
        readout.local_bias.copy_(bias)
    return penalty


def context_scale(context: Tensor) -> Tensor:
    """(D,) divisors of the context (M, D). The hidden state and the landmark offsets have different units: each block
    gets a mean square of 1."""
    hidden = context.shape[1] - 2 * NUM_LANDMARKS
    return torch.cat([_rms(context[:, :hidden]), _rms(context[:, hidden:])])


def fit_ridge(
    inputs: Tensor, targets: Tensor, photos: Tensor, penalties: tuple[float, ...], scale: Tensor | float = 1.0
) -> tuple[Tensor, Tensor, float]:
    """Fit one robust ridge regression per landmark, all with the same penalty.

    Args:
        inputs: (M, L, D); divided by `scale`, their mean square should be about 1.
        targets: (M, L, 2); NaN where a point has no position.
        photos: (M,) number of each view's photo; all views of a photo are in the same fold of the cross-validation.
        penalties: candidate penalties.
        scale: divisor of the inputs.

    Returns:
        Weights (L, D, 2), biases (L, 2), and the penalty.
    """
    count = inputs.shape[1]
    penalty = _choose_penalty(inputs, targets, photos, penalties, scale)
    weights = inputs.new_zeros(count, inputs.shape[2], 2, dtype=torch.float32)
    bias = torch.zeros(count, 2)
    for k in range(count):
        design, target, _ = _labeled_views(inputs[:, k], targets[:, k], photos, scale)
        if not len(design):
            continue
        robust = torch.ones(len(design))
        for _ in range(REWEIGHTINGS):
            solution = _solve(*_normal_equations(design, target, robust), penalty)
            distance = (target - design @ solution).norm(dim=1)
            robust = HUBER_THRESHOLD / distance.clamp(min=HUBER_THRESHOLD)
        weights[k], bias[k] = solution[:-1], solution[-1]
    return weights, bias, penalty


def _choose_penalty(
    inputs: Tensor, targets: Tensor, photos: Tensor, penalties: tuple[float, ...], scale: Tensor | float
) -> float:
    """Return the penalty with the lowest cross-validation error; arguments as for `fit_ridge`."""
    points = np.unique(np.linspace(0, inputs.shape[1] - 1, VALIDATION_POINTS).astype(int)).tolist()
    error = torch.zeros(len(penalties), dtype=torch.float64)
    for k in points:
        design, target, fold = _labeled_views(inputs[:, k], targets[:, k], photos % FOLDS, scale)
        ones = torch.ones(len(design))
        parts = [_normal_equations(design[fold == f], target[fold == f], ones[fold == f]) for f in range(FOLDS)]
        gram_sum, cross_sum, count_sum = (torch.stack(column).sum(0) for column in zip(*parts, strict=True))
        for f, (gram, cross, count) in enumerate(parts):
            rest = count_sum - count
            if not count or not rest:
                continue
            for i, penalty in enumerate(penalties):
                solution = _solve(gram_sum - gram, cross_sum - cross, rest, penalty)
                residual = target[fold == f] - design[fold == f] @ solution
                error[i] += residual.norm(dim=1).sum()
    return penalties[int(error.argmin())]


def _labeled_views(
    inputs: Tensor, targets: Tensor, groups: Tensor, scale: Tensor | float
) -> tuple[Tensor, Tensor, Tensor]:
    """Select the m views in which one landmark is annotated.

    Returns:
        Design matrix (m, D + 1), whose last column is 1, targets (m, 2), and groups (m,).
    """
    known = torch.isfinite(targets).all(1)
    values = inputs[known].float() / scale
    return torch.cat([values, values.new_ones(len(values), 1)], 1), targets[known], groups[known]


def _normal_equations(design: Tensor, target: Tensor, weights: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Gram matrix (D + 1, D + 1), cross products (D + 1, 2) and sum of the weights (m,), all float64."""
    weighted = design * weights[:, None]
    return (weighted.T @ design).double(), (weighted.T @ target).double(), weights.sum().double()


def _solve(gram: Tensor, cross: Tensor, count: Tensor, penalty: float) -> Tensor:
    """(D + 1, 2) float32 ridge solution; the bias, in the last row, is not penalized."""
    diagonal = torch.full((len(gram),), penalty, dtype=torch.float64)
    diagonal[-1] = 1e-9
    solution: Tensor = torch.linalg.solve(gram / count + torch.diag(diagonal), cross / count).float()
    return solution


def _rms(values: Tensor) -> Tensor:
    """(D,) root mean square over all elements of a block of inputs (M, D), repeated for each column."""
    rms = values.square().mean().sqrt().clamp(min=1e-6)
    return rms.expand(values.shape[1] if values.ndim > 1 else 1)
