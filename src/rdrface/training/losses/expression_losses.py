"""Losses on expression: on the shape of lids, lips, mouth and brows, and on the expression coefficients.

A closed eye has little effect on a point loss: eight of 68 points move by 3 % of the face size. The losses here compare
vectors between two landmarks, so an error of the pose or of the eye's position does not mask an error of its aperture.
"""

from functools import cache

import torch
from torch import Tensor

from rdrface.landmarks import NUM_LANDMARKS
from rdrface.morphable.model import FaceModel
from rdrface.training.losses.landmark_losses import smooth_l1

# (from, to, weight). Lids and inner lips have larger weights: their vectors are short and annotated precisely.
_VECTORS = (
    *((upper, lower, 3.0) for upper, lower in ((37, 41), (38, 40), (43, 47), (44, 46))),
    *((upper, lower, 2.0) for upper, lower in ((61, 67), (62, 66), (63, 65))),
    *((left, right, 1.0) for left, right in ((48, 54), (60, 64), (51, 57), (33, 48), (33, 54))),
    *((brow, corner, 1.0) for brow, corner in ((17, 36), (19, 36), (21, 39), (22, 42), (24, 45), (26, 45), (21, 22))),
)

_UNITS = {"eyeBlink": 4.0, "jawOpen": 4.0, "mouthSmile": 2.0}
"""Larger weights for the coefficients that are most visible in images and most used."""

_VECTOR_BETA = 0.01  # crop frame: 0.8 % of the face size
_COEFFICIENT_BETA = 0.1


@cache
def compared_vectors(device: torch.device) -> tuple[Tensor, Tensor, Tensor]:
    """First and second landmark of each compared vector, and its weight, (V,) each."""
    first, second, weight = zip(*_VECTORS, strict=True)
    return (
        torch.tensor(first, device=device),
        torch.tensor(second, device=device),
        torch.tensor(weight, device=device),
    )


def vector_loss(predicted: Tensor, truth: Tensor, weight: Tensor) -> Tensor:
    """Weighted mean Huber loss of the vectors between pairs of landmarks.

    Args:
        predicted: (B, 68, 2) crop frame.
        truth: (B, 68, 2).
        weight: (B, 68) weights of the points; a vector has the smaller weight of its two ends.

    Returns:
        () the mean over all vectors.

    Raises:
        ValueError: the shapes do not match.
    """
    if predicted.shape[1:] != (NUM_LANDMARKS, 2):
        raise ValueError(f"predicted must be (B, {NUM_LANDMARKS}, 2); got {tuple(predicted.shape)}")
    first, second, importance = compared_vectors(predicted.device)
    trust = torch.minimum(weight[:, first], weight[:, second]) * importance
    error = (predicted[:, first] - predicted[:, second]) - (truth[:, first] - truth[:, second])
    huber = smooth_l1(torch.where(trust.unsqueeze(-1) > 0, error, torch.zeros_like(error)), _VECTOR_BETA)
    return (huber.sum(-1) * trust).sum() / trust.sum().clamp(min=1.0)


def coefficient_loss(unbounded: Tensor, truth: Tensor, trust: Tensor) -> Tensor:
    """Mean Huber loss of alpha_exp, linear beyond 0.1.

    Fitted expressions are sparse. With a squared error the network would learn the mean of many sparse faces, which is
    not sparse.

    Args:
        unbounded: (B, 46) predicted coefficients; beyond the bounds no other loss has a gradient.
        truth: (B, 46) coefficients of the fit.
        trust: (B,) trust in the fit, 0..1.
    """
    huber = smooth_l1(unbounded - truth, _COEFFICIENT_BETA)
    return ((huber * unit_weights(unbounded.device)).mean(1) * trust).mean()


@cache
def unit_weights(device: torch.device) -> Tensor:
    """(46,) weights of the coefficients, with mean 1."""
    names = FaceModel.load().expression_names
    weights = [next((w for start, w in _UNITS.items() if name.startswith(start)), 1.0) for name in names]
    return torch.tensor(weights, device=device) / (sum(weights) / len(weights))
