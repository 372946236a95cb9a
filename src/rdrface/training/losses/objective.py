"""The training objective: network and losses in one module. The paper does not state its losses; these are ours."""

import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits

from rdrface.datasets.records import VISIBLE
from rdrface.landmarks import NUM_CONTOUR
from rdrface.morphable.params import EXPRESSION
from rdrface.network.rdr import RDR, Prediction, Step
from rdrface.training.batch import Batch
from rdrface.training.losses.expression_losses import coefficient_loss, vector_loss
from rdrface.training.losses.landmark_losses import point_loss, response_loss
from rdrface.training.losses.parameter_losses import parameter_distance, vertex_distance, weighted_parameter_distance
from rdrface.training.losses.weights import LossWeights

LAST_STEP_WEIGHT = 2.0
"""Weight of the last iteration, which is the output, relative to the others. With equal weights, its S_p is less
accurate."""

RESPONSE_FRACTION = 4
"""The loss of conv6 uses one of this many faces, because its maps are by far the largest tensors of a step."""

LOG_UNCERTAINTY_RANGE = (-7.0, 1.0)
"""Limits of the predicted log uncertainty in its loss."""


class Objective(nn.Module):
    """Network and losses as one module, so that data-parallel wrappers see one forward call.

    Args:
        network: RDR.
        weights: weights of the losses.
    """

    def __init__(self, network: RDR, weights: LossWeights) -> None:
        super().__init__()
        self.network = network
        self.weights = weights

    def forward(self, batch: Batch, iterations: int) -> tuple[Tensor, dict[str, Tensor]]:
        """The weighted sum () of the losses, and each loss () by name, for a batch of B faces."""
        prediction = self.network(batch.crops, iterations)
        count = max(1, len(batch.crops) // RESPONSE_FRACTION)
        logits = self.network.response(prediction.deconv5[:count])
        parts = losses(prediction, logits, batch, self.network.scale.std, self.weights)
        return total(parts, self.weights), parts


def losses(
    prediction: Prediction, logits: Tensor, batch: Batch, std: Tensor, weights: LossWeights | None = None
) -> dict[str, Tensor]:
    """All losses, unweighted, by the names of `LossWeights`; those of the iterations are averaged over k.

    Args:
        prediction: RDR's output.
        logits: (b, 68, m, m), conv6's output for the first b <= B faces.
        batch: the labels.
        std: (103,) of `ParameterScale`, the units of the coefficients.
        weights: weights of the losses. `wpdc` and `vertex` are slow and not computed if their weight is 0; without
            `weights` all losses are computed.
    """
    per_step = [step_losses(step, batch) for step in prediction.steps]
    result = {name: _mean_over_steps([one[name] for one in per_step]) for name in per_step[0]}
    last = prediction.steps[-1]
    result["parameters"] = parameter_distance(last.q, batch.q, std, batch.trust)
    count = len(logits)
    result["response"] = response_loss(logits, batch.points[:count], batch.weight[:count])
    result["visibility"] = visibility_loss(prediction.visibility_logits, batch)
    result["uncertainty"] = uncertainty_loss(prediction.log_uncertainty, last.landmarks, batch)
    if weights is None or weights.wpdc:
        result["wpdc"] = weighted_parameter_distance(last.q, batch.q, std, batch.trust)
    if weights is None or weights.vertex:
        result["vertex"] = vertex_distance(last.q, batch.q, batch.trust)
    return result


def total(parts: dict[str, Tensor], weights: LossWeights) -> Tensor:
    """The weighted sum (), from the losses () by name that `losses` returns."""
    return torch.stack([getattr(weights, name) * part for name, part in parts.items()]).sum()


def step_losses(step: Step, batch: Batch) -> dict[str, Tensor]:
    """Losses () of one iteration, by the names of `LossWeights`, for a batch of B faces."""
    trust = batch.trust.unsqueeze(1).expand(-1, batch.jawline.shape[1])
    contour = slice(NUM_CONTOUR)
    return {
        "landmarks": point_loss(step.landmarks, batch.points, batch.weight),
        "projection": point_loss(step.projection[..., :2], batch.points, batch.weight),
        "projection_jawline": point_loss(step.projection_jawline, batch.jawline, trust),
        "landmarks_jawline": point_loss(
            step.landmarks_jawline[:, contour], batch.jawline[:, contour, :2], trust[:, contour]
        ),
        "vectors": 0.5
        * (
            vector_loss(step.projection[..., :2], batch.points, batch.weight)
            + vector_loss(step.landmarks, batch.points, batch.weight)
        ),
        "expression": coefficient_loss(step.unbounded_expression, batch.q[:, EXPRESSION], batch.expression_trust),
    }


def visibility_loss(logits: Tensor, batch: Batch) -> Tensor:
    """Mean cross-entropy of the visibility logits (B, 68) over the points whose state is annotated."""
    known = (batch.state > 0).float()
    visible = (batch.state == VISIBLE).float()
    cross_entropy = binary_cross_entropy_with_logits(logits, visible, reduction="none")
    return (cross_entropy * known).sum() / known.sum().clamp(min=1.0)


def uncertainty_loss(log_uncertainty: Tensor, landmarks: Tensor, batch: Batch) -> Tensor:
    """Negative log-likelihood of the observed errors under exponential distributions with the predicted means.

    Its minimum is at the mean error. `landmarks` (B, 68, 2) is detached: only the prediction (B, 68) is trained.
    """
    distance = (landmarks.detach() - batch.points).norm(dim=-1)
    distance = torch.where(batch.labeled, distance, torch.zeros_like(distance))
    labeled = batch.labeled.float()
    log_uncertainty = log_uncertainty.clamp(*LOG_UNCERTAINTY_RANGE)
    likelihood = distance * torch.exp(-log_uncertainty) + log_uncertainty
    return (likelihood * labeled).sum() / labeled.sum().clamp(min=1.0)


def _mean_over_steps(values: list[Tensor]) -> Tensor:
    stacked = torch.stack(values)
    return (stacked.sum() + (LAST_STEP_WEIGHT - 1) * stacked[-1]) / (len(stacked) + LAST_STEP_WEIGHT - 1)
