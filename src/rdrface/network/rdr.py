"""RDR: recurrent 3D-2D dual learning (supplement, Figure 2, section 2). The boxes are the files beside this one."""

from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from rdrface.geometry.contour import slide_contour_line, slide_extreme_x
from rdrface.geometry.rotation import rotation_matrix
from rdrface.morphable.schemes import EXPRESSION, POSE, Slide
from rdrface.network.backbone import Backbone
from rdrface.network.certainty import Certainty
from rdrface.network.initialisation import IDENTITY, ExpressionBounds, ParameterInitialisation, ParameterScale
from rdrface.network.projection import Projection
from rdrface.network.refinement import CLSTM, PELSTM, JawlineReadout
from rdrface.network.regression_features import LandmarkResponse, RegressionFeatures
from rdrface.network.shape_indexed import shape_indexed

FEATURES = ("previous", "projection")
"""Where C-LSTM's features are read: at S_{k-1} (the supplement), or at S_p of the Q that PE-LSTM has just moved."""

CONTOURS: dict[str, Slide] = {"line": slide_contour_line, "extreme": slide_extreme_x}
"""How S_p's contour is found: the paper's method, or HPEN's; see `rdrface.geometry.contour`."""


@dataclass(frozen=True)
class Step:
    """What is known after iteration k; k = 0 is the initialisation. All in the crop frame.

    Attributes:
        q: (B, 103) Q = [alpha_id, P, alpha_exp].
        projection: (B, 68, 3) S_p, the 3D output: visible outline, z towards the viewer.
        jawline: (B, 68, 3) the same face with the contour on the absolute jawline.
        landmarks: (B, 68, 2) S_k, the refined 2D output (3D+2D); at k = 0 the x and y of the projection.
        absolute: (B, 68, 2) S_k with its contour on the absolute jawline; at k = 0 the x and y of the jawline.
        unbounded: (B, 46) alpha_exp as predicted; `q` has the nearest that a face can have.
    """

    q: Tensor
    projection: Tensor
    jawline: Tensor
    landmarks: Tensor
    absolute: Tensor
    unbounded: Tensor


@dataclass(frozen=True)
class Prediction:
    """Output of `RDR`.

    Attributes:
        steps: K + 1 steps, the initialisation first.
        deconv5: (B, 80, N/2, N/2), for conv6's loss in training.
        visible: (B, 68) logit of the probability that the landmark is not hidden.
        log_error: (B, 68) logarithm of the expected distance of S_K from the truth, crop frame.
    """

    steps: list[Step]
    deconv5: Tensor
    visible: Tensor
    log_error: Tensor


class RDR(nn.Module):
    """The whole network. It is handed its parts' sizes nowhere: they are the paper's.

    Args:
        iterations: K, refinement steps; unknown in the paper, 3 by default. The steps share their weights, so a
            trained network may be run with another K.
        features: one of `FEATURES`.
        contour: one of `CONTOURS`.
    """

    def __init__(self, iterations: int = 3, features: str = "previous", contour: str = "line") -> None:
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
        self.backbone = Backbone()
        self.initialisation = ParameterInitialisation()
        self.scale = ParameterScale()
        self.bounds = ExpressionBounds()
        self.projection = Projection(slide=CONTOURS[contour])
        self.regression_features = RegressionFeatures()
        self.response = LandmarkResponse()
        self.pe_lstm = PELSTM()
        self.c_lstm = CLSTM()
        self.jawline = JawlineReadout()
        self.certainty = Certainty()

    def forward(self, crops: Tensor, iterations: int | None = None) -> Prediction:
        """Landmarks and 3D faces of crops.

        Args:
            crops: (B, 3, N, N) RGB, 0..255, cut by `rdrface.crop`; N a multiple of 32, 256 in the paper.
            iterations: K for this call, `self.iterations` if not given.
        """
        res3b, res5b = self.backbone(crops)
        deconv5 = self.regression_features(res3b)
        whitened = self.initialisation(res5b)
        # From here on everything is geometry: a few kiloflops that need all their digits, whatever the backbone used.
        with torch.autocast(crops.device.type, enabled=False):
            return self.refine(deconv5, whitened.float(), self.iterations if iterations is None else iterations)

    def refine(self, deconv5: Tensor, whitened: Tensor, iterations: int) -> Prediction:
        """The dual refinement loop.

        Args:
            deconv5: (B, 80, m, m) regression features.
            whitened: (B, 103) initial parameters, in units of their spread.
            iterations: K.
        """
        step = self._project(whitened)
        steps = [step]
        state_p, state_c = self.pe_lstm.start(whitened), self.c_lstm.start(whitened)
        for _ in range(iterations):
            features = shape_indexed(deconv5, step.landmarks)
            correction, state_p = self.pe_lstm(features, state_p)
            whitened = torch.cat([whitened[:, :IDENTITY], whitened[:, IDENTITY:] + correction], dim=1)
            projected = self._project(whitened)
            if self.features == "projection":
                features = shape_indexed(deconv5, projected.landmarks)
            shift, state_c = self.c_lstm(features, state_c)
            landmarks = projected.landmarks + shift.view(-1, 68, 2)
            absolute = self.jawline(projected.jawline, landmarks, state_c[0])
            step = replace(projected, landmarks=landmarks, absolute=absolute)
            steps.append(step)
        rotation = rotation_matrix(step.q[:, POSE][:, :3])
        visible, log_error = self.certainty(shape_indexed(deconv5, step.landmarks), state_c[0], rotation)
        return Prediction(steps, deconv5, visible, log_error)

    @torch.no_grad()
    def rescale(self, q: Tensor) -> None:
        """Measure the parameters' scale on other faces, and change the heads so that the network computes what it did.

        New faces may move a parameter several times as far, and steps are taken in units of its spread.

        Args:
            q: (N, 103) Q of the faces, crop frame.
        """
        mean, spread = self.scale.mean.clone(), self.scale.spread.clone()
        self.scale.measure(q)
        ratio = spread / self.scale.spread
        shift = (mean - self.scale.mean) / self.scale.spread
        heads = self.initialisation
        for head, part in ((heads.fc6_id, slice(0, IDENTITY)), (heads.fc6_p, POSE), (heads.fc6_exp, EXPRESSION)):
            head.weight.mul_(ratio[part, None])
            head.bias.mul_(ratio[part]).add_(shift[part])
        self.pe_lstm.correct.weight.mul_(ratio[IDENTITY:, None])
        self.pe_lstm.correct.bias.mul_(ratio[IDENTITY:])

    def _project(self, whitened: Tensor) -> Step:
        predicted = self.scale(whitened)
        q = self.bounds(predicted)
        projection, jawline = self.projection(q)
        return Step(q, projection, jawline, projection[..., :2], jawline[..., :2], predicted[:, EXPRESSION])
