"""RDR: recurrent 3D-2D dual learning (supplement, Figure 2, section 2). Each box is a file of this package."""

from dataclasses import dataclass, replace
from typing import NamedTuple

import torch
from torch import Tensor, nn

from rdrface.geometry.contour import slide_contour_line, slide_extreme_x
from rdrface.geometry.rotation import rotation_matrix
from rdrface.landmarks import NUM_LANDMARKS
from rdrface.morphable.landmark_model import Slide
from rdrface.morphable.params import EXPRESSION, IDENTITY, NUM_IDENTITY, POSE, ROTATION
from rdrface.network.backbone import Backbone
from rdrface.network.dual_refinement import CLSTM, PELSTM, JawlineReadout
from rdrface.network.parameter_initialization import ExpressionBounds, ParameterInitialization, ParameterScale
from rdrface.network.projection import Projection
from rdrface.network.regression_features import LandmarkResponse, RegressionFeatures
from rdrface.network.shape_indexed import ShapeIndexedFeatures
from rdrface.network.sizes import FULL, NetworkSizes
from rdrface.network.uncertainty import Uncertainty

FEATURES = ("previous", "projection")
"""Where C-LSTM's features are sampled: at S_{k-1} (the supplement), or at S_p of the Q that PE-LSTM has just
refined."""

CONTOURS: dict[str, Slide] = {"line": slide_contour_line, "extreme": slide_extreme_x}
"""Methods for the contour of S_p: the paper's, and HPEN's; see `rdrface.geometry.contour`."""


@dataclass(frozen=True)
class Step:
    """The state after iteration k, in the crop frame; k = 0 is the initialization.

    Attributes:
        q: (B, 103) Q = [alpha_id, P, alpha_exp].
        projection: (B, 68, 3) S_p, the 3D output: contour on the visible outline, z towards the viewer.
        projection_jawline: (B, 68, 3) the same face with the contour on the absolute jawline.
        landmarks: (B, 68, 2) S_k, the refined 2D output (3D+2D); at k = 0 x and y of `projection`.
        landmarks_jawline: (B, 68, 2) S_k with the contour on the absolute jawline; at k = 0 x and y of
            `projection_jawline`.
        unbounded_expression: (B, 46) alpha_exp as predicted; in `q` it is limited by `ExpressionBounds`.
    """

    q: Tensor
    projection: Tensor
    projection_jawline: Tensor
    landmarks: Tensor
    landmarks_jawline: Tensor
    unbounded_expression: Tensor


@dataclass(frozen=True)
class Prediction:
    """Output of `RDR`.

    Attributes:
        steps: K + 1 steps, the initialization first.
        deconv5: (B, 80, N/2, N/2) regression features (80 with `FULL`), for the loss of conv6 in training.
        visibility_logits: (B, 68) logit of the probability that the landmark is visible.
        log_uncertainty: (B, 68) logarithm of the expected error of S_K, crop frame.
    """

    steps: list[Step]
    deconv5: Tensor
    visibility_logits: Tensor
    log_uncertainty: Tensor


class Features(NamedTuple):
    """The convolutional features of B crops of N pixels; channels as in `FULL`.

    Attributes:
        res3b: (B, 128, N/8, N/8), input of the regression feature network.
        res5b: (B, 512, N/32, N/32), input of pool5.
        deconv5: (B, 80, N/2, N/2) regression features.
    """

    res3b: Tensor
    res5b: Tensor
    deconv5: Tensor


class RDR(nn.Module):
    """The whole network.

    Args:
        iterations: K, the number of refinement steps; the paper does not state it. The steps share their weights, so a
            trained network can be run with another K.
        features: one of `FEATURES`.
        contour: one of `CONTOURS`.
        sizes: layer sizes; default: those of the paper.
    """

    def __init__(
        self, iterations: int = 3, features: str = "previous", contour: str = "line", sizes: NetworkSizes = FULL
    ) -> None:
        super().__init__()
        if iterations < 0:
            raise ValueError(f"iterations must be 0 or more; got {iterations}")
        if features not in FEATURES:
            raise ValueError(f"features must be one of {', '.join(FEATURES)}; got {features!r}")
        if contour not in CONTOURS:
            raise ValueError(f"contour must be one of {', '.join(CONTOURS)}; got {contour!r}")
        self.iterations = iterations
        self.features = features
        self.contour = contour
        self.sizes = sizes
        self.backbone = Backbone(sizes)
        self.initialization = ParameterInitialization(sizes)
        self.scale = ParameterScale()
        self.bounds = ExpressionBounds()
        self.projection = Projection(slide=CONTOURS[contour])
        self.regression_features = RegressionFeatures(sizes)
        self.response = LandmarkResponse(sizes)
        self.pe_lstm = PELSTM(sizes)
        self.c_lstm = CLSTM(sizes)
        self.jawline_readout = JawlineReadout(sizes)
        self.uncertainty = Uncertainty(sizes)

    def forward(self, crops: Tensor, iterations: int | None = None) -> Prediction:
        """Predict landmarks and 3D faces.

        Args:
            crops: (B, 3, N, N) RGB, 0..255, cut by `rdrface.crop`; N a multiple of 32, 256 in the paper.
            iterations: K for this call; default: `self.iterations`.
        """
        return self.predict(self.extract(crops), self.iterations if iterations is None else iterations)

    def extract(self, crops: Tensor) -> Features:
        """The features of crops (B, 3, N, N)."""
        res3b, res5b = self.backbone(crops)
        return Features(res3b, res5b, self.regression_features(res3b))

    def predict(self, features: Features, iterations: int) -> Prediction:
        """Initialization and `iterations` refinement steps from the features of B crops."""
        standardized = self.initialization(features.res5b)
        # The geometry needs float32, even if the backbone runs in reduced precision.
        with torch.autocast(standardized.device.type, enabled=False):
            return self.refine(features.deconv5, standardized.float(), iterations)

    def refine(self, deconv5: Tensor, standardized: Tensor, iterations: int) -> Prediction:
        """The dual refinement loop.

        Args:
            deconv5: (B, 80, m, m) regression features.
            standardized: (B, 103) initial parameters, see `ParameterScale`.
            iterations: K.
        """
        indexed = ShapeIndexedFeatures(deconv5)
        step = self._project(standardized)
        steps = [step]
        state_p, state_c = self.pe_lstm.start(standardized), self.c_lstm.start(standardized)
        for _ in range(iterations):
            features = indexed.at(step.landmarks)
            correction, state_p = self.pe_lstm(features, state_p)
            standardized = torch.cat([standardized[:, IDENTITY], standardized[:, NUM_IDENTITY:] + correction], dim=1)
            projected = self._project(standardized)
            if self.features == "projection":
                features = indexed.at(projected.landmarks)
            shift, state_c = self.c_lstm(features, state_c)
            landmarks = projected.landmarks + shift.view(-1, NUM_LANDMARKS, 2)
            landmarks_jawline = self.jawline_readout(projected.projection_jawline, landmarks, state_c[0])
            step = replace(projected, landmarks=landmarks, landmarks_jawline=landmarks_jawline)
            steps.append(step)
        rotation = rotation_matrix(step.q[:, POSE][:, ROTATION])
        logits, log_uncertainty = self.uncertainty(indexed.at(step.landmarks), state_c[0], rotation)
        return Prediction(steps, deconv5, logits, log_uncertainty)

    @torch.no_grad()
    def rescale(self, q: Tensor) -> None:
        """Measure the scale of the parameters on other faces, and adapt the heads so that the output does not change.

        Training steps are proportional to the standard deviation of a parameter, which may be several times larger on
        the new faces.

        Args:
            q: (N, 103) Q of the faces, crop frame.
        """
        mean, std = self.scale.mean.clone(), self.scale.std.clone()
        self.scale.measure(q)
        ratio = std / self.scale.std
        shift = (mean - self.scale.mean) / self.scale.std
        heads = self.initialization
        for head, part in ((heads.fc6_id, IDENTITY), (heads.fc6_p, POSE), (heads.fc6_exp, EXPRESSION)):
            head.weight.mul_(ratio[part, None])
            head.bias.mul_(ratio[part]).add_(shift[part])
        self.pe_lstm.correct.weight.mul_(ratio[NUM_IDENTITY:, None])
        self.pe_lstm.correct.bias.mul_(ratio[NUM_IDENTITY:])

    def _project(self, standardized: Tensor) -> Step:
        predicted = self.scale(standardized)
        q = self.bounds(predicted)
        projection, jawline = self.projection(q)
        return Step(q, projection, jawline, projection[..., :2], jawline[..., :2], predicted[:, EXPRESSION])
