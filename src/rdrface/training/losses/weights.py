"""Weights of the losses. This module does not need PyTorch, so that configurations can be checked without it."""

from collections.abc import Mapping
from dataclasses import dataclass, fields

from rdrface.errors import ConfigError


@dataclass(frozen=True)
class LossWeights:
    """Weight of each loss in the sum.

    Attributes:
        landmarks: S_k against the labels, at every k.
        projection: S_p against the labels, at every k; its gradient reaches pose and shape through the projection.
        projection_jawline: 68 points in 3D against those of the fitted face, including hidden points, at every k. 2D
            labels have no depth and no far side of a profile.
        landmarks_jawline: the contour of S_k on the absolute jawline against that of the fitted face, at every k.
        parameters: standardized coefficients against those of the fit, last iteration only; small, because the
            losses on points measure the actual goal.
        response: softmax loss of conv6; with 0, conv6 is not computed.
        visibility: cross-entropy of the visibility. With a third of this weight it was 1 % of the sum, and points
            behind objects were recognized less well.
        uncertainty: negative log-likelihood of the observed error under the predicted one.
        wpdc: 3DDFA's weighted parameter distance, see `rdrface.training.losses.parameter_losses`, at every k.
        vertex: mean 3D distance of the surface of the fitted face; last iteration only.
        vectors: lids, lips, corners of the mouth and brows of S_p and S_k, at every k, see
            `rdrface.training.losses.expression_losses`.
        expression: alpha_exp against that of the fit, at every k.
    """

    landmarks: float = 1.0
    projection: float = 0.5
    projection_jawline: float = 0.25
    landmarks_jawline: float = 0.1
    parameters: float = 0.002
    response: float = 0.01
    visibility: float = 0.03
    uncertainty: float = 0.004
    wpdc: float = 0.0
    vertex: float = 0.0
    vectors: float = 1.0
    expression: float = 0.6


def check_losses(loss: Mapping[str, object]) -> None:
    """Check the table `[loss]` of a configuration: names of losses -> weights.

    Raises:
        ConfigError: an entry is not the name of a loss, or its weight is not a number.
    """
    names = [field.name for field in fields(LossWeights)]
    for name, value in loss.items():
        if name not in names:
            raise ConfigError(f"loss has an unknown entry {name!r}; the losses are {', '.join(names)}")
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise ConfigError(f"loss.{name} must be a number; got {value!r}")
