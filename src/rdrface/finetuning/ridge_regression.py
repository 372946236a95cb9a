"""Fitting the read-out of a setting: two robust ridge regressions, each solved exactly.

The network holds still and the corrections are linear, so the best weights need no learning rate, no schedule and no
luck: they are the solution of a linear system. How strongly they are held small is decided on faces left out.
"""

import numpy as np
import torch
from torch import Tensor

from rdrface.finetuning.views import Notes
from rdrface.network.custom_landmarks import CustomLandmarks

STRENGTHS = tuple(float(x) for x in 10.0 ** np.arange(-4, 3.1, 1.0))
"""Ridge penalties tried, per view and in units of the inputs' mean square."""

FOLDS = 5
"""Parts of the faces for the choice of the penalty."""

JUDGES = 16
"""Points by which the penalty is chosen: it is one number for all, so some of them are enough."""

ROUNDS = 3
"""Solutions per point: the first trusts every label, the next those less that lie far from it."""

HUBER = 0.02
"""Crop frame; labels further from the prediction than this pull with constant force (compare the training's losses)."""


def fit_place(readout: CustomLandmarks, notes: Notes) -> float:
    """Fit the first correction; the weights are written into `readout`.

    Returns:
        The penalty chosen.
    """
    targets = notes.labels - notes.surface
    # The hidden state and the landmarks' shifts have different units: each block is brought to mean square 1.
    hidden = notes.context.shape[1] - 2 * 68
    scale = torch.cat([_block_scale(notes.context[:, :hidden]), _block_scale(notes.context[:, hidden:])])
    inputs = (notes.context / scale).unsqueeze(1).expand(-1, readout.count, -1)
    weights, bias, penalty = _fit(inputs, targets, notes.face)
    with torch.no_grad():
        readout.place.weight.copy_((weights / scale[:, None]).transpose(1, 2).reshape(-1, notes.context.shape[1]))
        readout.place.bias.copy_(bias.reshape(-1))
    return penalty


def fit_local(readout: CustomLandmarks, notes: Notes) -> float:
    """Fit the second correction to what the first leaves, on features sampled where the first put the points.

    Returns:
        The penalty chosen.
    """
    with torch.no_grad():
        targets = notes.labels - readout.placed(notes.surface, notes.context)
    scale = _block_scale(notes.features.flatten(1).float())[0]
    weights, bias, penalty = _fit(notes.features, targets, notes.face, scale)
    with torch.no_grad():
        readout.local.copy_(weights / scale)
        readout.local_bias.copy_(bias)
    return penalty


def _fit(inputs: Tensor, targets: Tensor, groups: Tensor, scale: Tensor | float = 1.0) -> tuple[Tensor, Tensor, float]:
    """Ridge regression per point, with one penalty for all.

    Args:
        inputs: (M, L, D); divided by `scale`, their mean square should be about 1.
        targets: (M, L, 2), NaN where there is none.
        groups: (M,) views of one face stay together when the penalty is chosen.
        scale: of the inputs.

    Returns:
        Weights (L, D, 2), bias (L, 2), and the penalty.
    """
    count = inputs.shape[1]
    penalty = _choose_penalty(inputs, targets, groups, scale)
    weights = inputs.new_zeros(count, inputs.shape[2], 2, dtype=torch.float32)
    bias = torch.zeros(count, 2)
    for k in range(count):
        design, wanted, _ = _known(inputs[:, k], targets[:, k], groups, scale)
        if not len(design):
            continue
        trust = torch.ones(len(design))
        for _ in range(ROUNDS):
            solution = _solve(*_sums(design, wanted, trust), penalty)
            off = (wanted - design @ solution).norm(dim=1)
            trust = HUBER / off.clamp(min=HUBER)
        weights[k], bias[k] = solution[:-1], solution[-1]
    return weights, bias, penalty


def _choose_penalty(inputs: Tensor, targets: Tensor, groups: Tensor, scale: Tensor | float) -> float:
    judges = np.unique(np.linspace(0, inputs.shape[1] - 1, JUDGES).astype(int)).tolist()
    error = torch.zeros(len(STRENGTHS), dtype=torch.float64)
    for k in judges:
        design, wanted, fold = _known(inputs[:, k], targets[:, k], groups % FOLDS, scale)
        ones = torch.ones(len(design))
        parts = [_sums(design[fold == f], wanted[fold == f], ones[fold == f]) for f in range(FOLDS)]
        whole_gram, whole_cross, views = (torch.stack(column).sum(0) for column in zip(*parts, strict=True))
        for f, (gram, cross, its_views) in enumerate(parts):
            rest = views - its_views
            if not its_views or not rest:
                continue
            for i, strength in enumerate(STRENGTHS):
                solution = _solve(whole_gram - gram, whole_cross - cross, rest, strength)
                off = wanted[fold == f] - design[fold == f] @ solution
                error[i] += off.norm(dim=1).sum()
    return STRENGTHS[int(error.argmin())]


def _known(inputs: Tensor, targets: Tensor, groups: Tensor, scale: Tensor | float) -> tuple[Tensor, Tensor, Tensor]:
    """Of one point the views with a label: design (m, D + 1), whose last column is 1, targets (m, 2), groups (m,)."""
    known = torch.isfinite(targets).all(1)
    values = inputs[known].float() / scale
    return torch.cat([values, values.new_ones(len(values), 1)], 1), targets[known], groups[known]


def _sums(design: Tensor, wanted: Tensor, trust: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """The normal equations: (D + 1, D + 1), (D + 1, 2), and the number of views, all float64."""
    weighted = design * trust[:, None]
    return (weighted.T @ design).double(), (weighted.T @ wanted).double(), trust.sum().double()


def _solve(gram: Tensor, cross: Tensor, count: Tensor, penalty: float) -> Tensor:
    """(D + 1, 2) float32 ridge solution; the constant, last, is free."""
    held = torch.full((len(gram),), penalty, dtype=torch.float64)
    held[-1] = 1e-9
    return torch.linalg.solve(gram / count + torch.diag(held), cross / count).float()


def _block_scale(values: Tensor) -> Tensor:
    """(D,) the root mean square of a block of inputs (M, D), the same for all of its columns."""
    size = values.square().mean().sqrt().clamp(min=1e-6)
    return size.expand(values.shape[1] if values.ndim > 1 else 1)
