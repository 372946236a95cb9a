"""The losses of the refinement iterations, averaged over k, and the distance of the coefficients."""

import torch
from torch import Tensor

from rdrface.landmarks import NUM_CONTOUR
from rdrface.morphable.params import EXPRESSION
from rdrface.network.rdr import Step
from rdrface.training.batch import Batch
from rdrface.training.losses.expression_losses import coefficient_loss, vector_loss
from rdrface.training.losses.landmark_losses import point_loss
from rdrface.training.losses.parameter_losses import parameter_distance

LAST_STEP_WEIGHT = 2.0
"""Weight of the last iteration, which is the output, relative to the others. With equal weights, its S_p is less
accurate."""


def iteration_losses(steps: list[Step], batch: Batch, std: Tensor) -> dict[str, Tensor]:
    """Losses () by the names of `LossWeights`: those of `step_losses` averaged over k, and `parameters` of the last k.

    Args:
        steps: RDR's steps.
        batch: the labels.
        std: (103,) of `ParameterScale`, the units of the coefficients.
    """
    per_step = [step_losses(step, batch) for step in steps]
    result = {name: mean_over_iterations([one[name] for one in per_step]) for name in per_step[0]}
    result["parameters"] = parameter_distance(steps[-1].q, batch.q, std, batch.trust)
    return result


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


def mean_over_iterations(values: list[Tensor]) -> Tensor:
    """Weighted mean () of the losses () of the iterations; the last one counts `LAST_STEP_WEIGHT` times."""
    stacked = torch.stack(values)
    return (stacked.sum() + (LAST_STEP_WEIGHT - 1) * stacked[-1]) / (len(stacked) + LAST_STEP_WEIGHT - 1)
