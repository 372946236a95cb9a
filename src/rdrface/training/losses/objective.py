"""What RDR is trained on. The paper's losses are unknown: these are ours, each with its reason.

All lengths are in the crop frame, where the face's side (root of the landmark box's area) is 2 / 1.6 = 1.25.
"""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits

from rdrface.datasets.records import VISIBLE
from rdrface.landmarks import NUM_CONTOUR
from rdrface.morphable.params import EXPRESSION
from rdrface.network.rdr import Prediction, Step
from rdrface.training.losses.expression_losses import coefficient_loss, vector_loss
from rdrface.training.losses.parameter_losses import parameter_distance, vertex_distance, weighted_parameter_distance

LAST = 2.0
"""Weight of the last iteration beside the others: it is what is used, and S_p got worse there at equal weights."""


@dataclass(frozen=True)
class LossWeights:
    """How much each loss counts.

    Attributes:
        landmarks: S_k against the labels, at every k.
        projection: S_p against the labels, at every k: drives pose and shape through the camera.
        projection_jawline: the 68 points of the fitted face in 3D, hidden ones included, at every k: depth and the far side of a
            profile are in no 2D label.
        landmarks_jawline: the contour of S_k on the absolute jawline against that of the fitted face, at every k.
        parameters: whitened coefficients against the fit's; small, since the points above say what matters.
        response: conv6's softmax loss.
        visibility: cross-entropy of the visibility.
        uncertainty: negative log-likelihood of the actual error under the predicted one.
        wpdc: 3DDFA's weighted parameter distance, see `rdrface.training.losses.parameter_losses`; as `parameters`, of the last
            step.
        vertex: mean distance of the fitted face's surface in 3D, likewise.
        vectors: lids, lips, corners of the mouth and brows of S_p and S_k, see `rdrface.training.losses.expression_losses`; at
            every k.
        expression: alpha_exp against the fit's, at every k.
    """

    landmarks: float = 1.0
    projection: float = 0.5
    projection_jawline: float = 0.25
    landmarks_jawline: float = 0.1
    parameters: float = 0.002
    response: float = 0.01
    visibility: float = 0.01
    uncertainty: float = 0.004
    wpdc: float = 0.0
    vertex: float = 0.0
    vectors: float = 1.0
    expression: float = 0.6


@dataclass(frozen=True)
class Targets:
    """Labels of a batch, crop frame.

    Attributes:
        points: (B, 68, 2) labeled landmarks, visible outline; anything where ``weight`` is 0.
        weight: (B, 68) trust in each point: 1 seen, less where somebody or the fit guessed, 0 where there is none.
        labeled: (B, 68) bool, the point is an annotator's, not the fit's.
        state: (B, 68) int, 0 unknown, 1 visible, 2 externally occluded, 3 self-occluded.
        jawline: (B, 68, 3) the fitted face's jawline convention, z included.
        q: (B, 103) the fitted parameters.
        trust: (B,) trust in the fit, 0..1.
        expression_trust: (B,) trust in the fit's expression, 0..1.
    """

    points: Tensor
    weight: Tensor
    labeled: Tensor
    state: Tensor
    jawline: Tensor
    q: Tensor
    trust: Tensor
    expression_trust: Tensor


def smooth_l1(difference: Tensor, beta: float = 0.02) -> Tensor:
    """Elementwise Huber loss, linear beyond ``beta`` (1.6 % of the face's side: about the annotators' own noise)."""
    size = difference.abs()
    return torch.where(size < beta, 0.5 * size * size / beta, size - 0.5 * beta)


def point_loss(predicted: Tensor, truth: Tensor, weight: Tensor) -> Tensor:
    """(B, L, D), (B, L, D), (B, L) -> weighted mean of the Huber loss over the labeled points, summed over D."""
    # NaN of an unlabeled point must not survive the multiplication by a zero weight.
    difference = torch.where(weight.unsqueeze(-1) > 0, predicted - truth, torch.zeros_like(predicted))
    return (smooth_l1(difference).sum(-1) * weight).sum() / weight.sum().clamp(min=1.0)


def response_loss(logits: Tensor, points: Tensor, weight: Tensor) -> Tensor:
    """conv6's softmax regression: the cross-entropy of each landmark's map against its place.

    The target is the bilinear weight of the four nearest cells, so that sub-cell positions are not rounded away.

    Args:
        logits: (B, 68, m, m).
        points: (B, 68, 2) crop frame.
        weight: (B, 68); points outside the map are left out whatever it says.
    """
    size = logits.shape[-1]
    weight = torch.where((points.abs() < 1).all(-1), weight, torch.zeros_like(weight))
    # Cell i has its center at (2 i + 1) / size - 1.
    place = ((torch.nan_to_num(points) + 1) * size / 2 - 0.5).clamp(0, size - 1.001)
    low = place.floor()
    fraction = place - low
    column, row = low.long().unbind(-1)
    cells = torch.stack([row * size + column, row * size + column + 1, (row + 1) * size + column], dim=-1)
    cells = torch.cat([cells, cells[..., 2:] + 1], dim=-1)
    x, y = fraction.unbind(-1)
    shares = torch.stack([(1 - x) * (1 - y), x * (1 - y), (1 - x) * y, x * y], dim=-1)
    # Cross-entropy without writing down the softmax: the maps are the largest tensors of the training.
    flat = logits.flatten(2).float()
    loss = torch.logsumexp(flat, dim=2) - (flat.gather(2, cells) * shares).sum(-1)
    return (loss * weight).sum() / weight.sum().clamp(min=1.0)


def step_losses(step: Step, targets: Targets) -> dict[str, Tensor]:
    """Point losses of one iteration."""
    trust = targets.trust.unsqueeze(1).expand(-1, targets.jawline.shape[1])
    return {
        "landmarks": point_loss(step.landmarks, targets.points, targets.weight),
        "projection": point_loss(step.projection[..., :2], targets.points, targets.weight),
        "projection_jawline": point_loss(step.projection_jawline, targets.jawline, trust),
        "landmarks_jawline": point_loss(
            step.landmarks_jawline[:, :NUM_CONTOUR], targets.jawline[:, :NUM_CONTOUR, :2], trust[:, :NUM_CONTOUR]
        ),
        "vectors": 0.5
        * (
            vector_loss(step.projection[..., :2], targets.points, targets.weight)
            + vector_loss(step.landmarks, targets.points, targets.weight)
        ),
        "expression": coefficient_loss(step.unbounded_expression, targets.q[:, EXPRESSION], targets.expression_trust),
    }


def losses(
    prediction: Prediction, logits: Tensor, targets: Targets, spread: Tensor, weights: LossWeights | None = None
) -> dict[str, Tensor]:
    """Every loss, unweighted, by the names of `LossWeights`; those of the iterations are averaged over k.

    Args:
        prediction: RDR's output.
        logits: (b, 68, m, m), conv6's output for the first b <= B faces.
        targets: the labels.
        spread: (103,) of `ParameterScale`, to compare coefficients in units of their spread.
        weights: where given, `wpdc` and `vertex` are left out if they weigh nothing: they cost time.
    """
    per_step = [step_losses(step, targets) for step in prediction.steps]
    result = {}
    for name in per_step[0]:
        values = torch.stack([one[name] for one in per_step])
        result[name] = (values.sum() + (LAST - 1) * values[-1]) / (len(values) + LAST - 1)

    last = prediction.steps[-1]
    result["parameters"] = parameter_distance(last.q, targets.q, spread, targets.trust)

    judged = len(logits)
    result["response"] = response_loss(logits, targets.points[:judged], targets.weight[:judged])

    known = (targets.state > 0).float()
    seen = (targets.state == VISIBLE).float()
    cross = binary_cross_entropy_with_logits(prediction.visibility_logits, seen, reduction="none")
    result["visibility"] = (cross * known).sum() / known.sum().clamp(min=1.0)

    # Exponential likelihood: its optimum is the mean error itself, so the prediction is calibrated by construction.
    distance = (last.landmarks.detach() - targets.points).norm(dim=-1)
    distance = torch.where(targets.labeled, distance, torch.zeros_like(distance))
    labeled = targets.labeled.float()
    log_error = prediction.log_uncertainty.clamp(-7.0, 1.0)
    result["uncertainty"] = ((distance * torch.exp(-log_error) + log_error) * labeled).sum() / labeled.sum().clamp(
        min=1.0
    )

    if weights is None or weights.wpdc:
        result["wpdc"] = weighted_parameter_distance(last.q, targets.q, spread, targets.trust)
    if weights is None or weights.vertex:
        result["vertex"] = vertex_distance(last.q, targets.q, targets.trust)
    return result


def total(parts: dict[str, Tensor], weights: LossWeights) -> Tensor:
    """The weighted sum of `losses`."""
    return torch.stack([getattr(weights, name) * part for name, part in parts.items()]).sum()
