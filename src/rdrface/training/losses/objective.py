"""The training objective: network and losses in one module. The paper does not state its losses; these are ours."""

import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits

from rdrface.crop import EXPANSION
from rdrface.datasets.records import VISIBLE
from rdrface.network.rdr import RDR, Prediction
from rdrface.training.batch import Batch
from rdrface.training.losses.distillation import distilled
from rdrface.training.losses.imitation import Imitation
from rdrface.training.losses.iteration_losses import iteration_losses, mean_over_iterations
from rdrface.training.losses.landmark_losses import response_loss
from rdrface.training.losses.parameter_losses import vertex_distance, weighted_parameter_distance
from rdrface.training.losses.weights import LossWeights

RESPONSE_FRACTION = 4
"""The loss of conv6 uses one of this many faces, because its maps are by far the largest tensors of a step."""

LOG_UNCERTAINTY_RANGE = (-7.0, 1.0)
"""Limits of the predicted log uncertainty in its loss."""


class Objective(nn.Module):
    """Network and losses as one module, so that data-parallel wrappers see one forward call.

    Args:
        network: RDR.
        weights: weights of the losses.
        distillation: weight of the teacher, see `rdrface.training.losses.distillation`.
        imitation: loss towards the features of a trained network, or None.
        imitation_weight: its weight.
    """

    def __init__(
        self,
        network: RDR,
        weights: LossWeights,
        distillation: float = 0.0,
        imitation: Imitation | None = None,
        imitation_weight: float = 0.0,
    ) -> None:
        super().__init__()
        self.network = network
        self.weights = weights
        self.distillation = distillation
        self.imitation = imitation
        self.imitation_weight = imitation_weight

    def forward(self, batch: Batch, iterations: int) -> tuple[Tensor, dict[str, Tensor]]:
        """The weighted sum () of the losses, and each loss () by name, for a batch of B faces."""
        features = self.network.extract(batch.crops)
        prediction = self.network.predict(features, iterations)
        logits = None
        if self.weights.response:
            logits = self.network.response(prediction.deconv5[: max(1, len(batch.crops) // RESPONSE_FRACTION)])
        parts = losses(prediction, logits, batch, self.network.scale.std, self.weights, self.distillation)
        loss = total(parts, self.weights)
        if self.imitation is not None:
            parts["imitation"] = self.imitation(features, batch.crops)
            loss = loss + self.imitation_weight * parts["imitation"]
        return loss, parts


def losses(
    prediction: Prediction,
    logits: Tensor | None,
    batch: Batch,
    std: Tensor,
    weights: LossWeights | None = None,
    distillation: float = 0.0,
) -> dict[str, Tensor]:
    """All losses, unweighted, by the names of `LossWeights`; those of the iterations are averaged over k.

    Args:
        prediction: RDR's output.
        logits: (b, 68, m, m), conv6's output for the first b <= B faces; None for no loss of conv6.
        batch: the labels.
        std: (103,) of `ParameterScale`, the units of the coefficients.
        weights: weights of the losses. `wpdc` and `vertex` are not computed if their weight is 0; without
            `weights` all losses are computed.
        distillation: weight of the teacher, see `rdrface.training.losses.distillation`; only with a teacher.
    """
    result = iteration_losses(prediction.steps, batch, std)
    if batch.teacher is not None:
        result = distilled(result, prediction.steps, batch.teacher, std, distillation)
    last = prediction.steps[-1]
    if logits is not None:
        count = len(logits)
        result["response"] = response_loss(logits, batch.points[:count], batch.weight[:count])
    result["visibility"] = visibility_loss(prediction.visibility_logits, batch)
    result["uncertainty"] = uncertainty_loss(prediction.log_uncertainty, last.landmarks, batch)
    if weights is None or weights.wpdc:
        # At every k: on the last iteration alone, it pulls Q away from the best S_p, which gets worse there.
        wpdc = [weighted_parameter_distance(step.q, batch.q, std, batch.trust) for step in prediction.steps]
        result["wpdc"] = mean_over_iterations(wpdc)
    if weights is None or weights.vertex:
        result["vertex"] = vertex_distance(last.q, batch.q, batch.trust)
    return result


def total(parts: dict[str, Tensor], weights: LossWeights) -> Tensor:
    """The weighted sum (), from the losses () by name that `losses` returns."""
    return torch.stack([getattr(weights, name) * part for name, part in parts.items()]).sum()


def visibility_loss(logits: Tensor, batch: Batch) -> Tensor:
    """Mean cross-entropy of the visibility logits (B, 68) over the points whose state is annotated."""
    known = (batch.state > 0).float()
    visible = (batch.state == VISIBLE).float()
    cross_entropy = binary_cross_entropy_with_logits(logits, visible, reduction="none")
    return (cross_entropy * known).sum() / known.sum().clamp(min=1.0)


NO_FACE_ERROR = 0.25 * 2 / EXPANSION
"""Error of every point of a crop without a face in the loss of the uncertainty, crop frame: 25 % of the face size, far
above that of any face."""


def uncertainty_loss(log_uncertainty: Tensor, landmarks: Tensor, batch: Batch) -> Tensor:
    """Negative log-likelihood of the observed errors under exponential distributions with the predicted means.

    Its minimum is at the mean error; that of a crop without a face is `NO_FACE_ERROR`. `landmarks` (B, 68, 2) is
    detached: only the prediction (B, 68) is trained.
    """
    distance = (landmarks.detach() - batch.points).norm(dim=-1)
    distance = torch.where(batch.labeled, distance, torch.zeros_like(distance))
    labeled = batch.labeled
    if batch.no_face is not None:
        no_face = batch.no_face.unsqueeze(1)
        distance = torch.where(no_face, torch.full_like(distance, NO_FACE_ERROR), distance)
        labeled = labeled | no_face
    labeled = labeled.float()
    log_uncertainty = log_uncertainty.clamp(*LOG_UNCERTAINTY_RANGE)
    likelihood = distance * torch.exp(-log_uncertainty) + log_uncertainty
    return (likelihood * labeled).sum() / labeled.sum().clamp(min=1.0)
