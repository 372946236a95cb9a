"""Calibration of visibility and uncertainty on held-out faces, the last step of training.

A network is overconfident on faces that it has not been trained on. Two numbers for each output correct that: the logit
v of the visibility becomes a v + b (Platt scaling: Platt 1999; Guo et al., ICML 2017), and so does the logarithm of the
uncertainty, so sigma becomes exp(b) sigma^a. Both maps are increasing, so the order of the points does not change. They
are folded into the last layer of `rdrface.network.uncertainty.Uncertainty`.
"""

from collections.abc import Callable
from dataclasses import dataclass, fields, replace

import numpy as np
import torch

from rdrface.datasets.crops import PackedCrops
from rdrface.datasets.records import OCCLUDED, UNKNOWN, VISIBLE
from rdrface.evaluation.metrics.uncertainty import UNCERTAINTY_EDGES, VISIBILITY_EDGES, reliability
from rdrface.network.rdr import RDR
from rdrface.network.uncertainty import Uncertainty
from rdrface.training.augmentation.augment import augment
from rdrface.training.augmentation.boxes import points_size
from rdrface.training.augmentation.config import AugmentConfig, no_augmentation, weakened
from rdrface.training.augmentation.crop_batch import CropBatch
from rdrface.training.batch import make_batch

DEGRADED_STRENGTH = 0.4
"""Strength of the augmentation in the second pass: users' images are harder than those of the datasets."""

BATCH_SIZE = 32

MIN_SLOPE = 0.05
"""Minimum slope of the maps, which must be increasing even for a network that was trained for seconds."""

PRIOR_WEIGHT = 10.0
"""Weight, in points, of a prior that keeps both maps near the identity if there are few points."""

Line = tuple[float, float]
"""Slope a and intercept b of x -> a x + b."""

NO_CHANGE: Line = (1.0, 0.0)

Loss = tuple[np.ndarray, np.ndarray, np.ndarray]
"""Loss of every point, and its first two derivatives."""


@dataclass(frozen=True)
class PredictedObserved:
    """Predicted and observed values at the points of held-out faces.

    Attributes:
        logit: (V,) predicted visibility logits of the points with an annotated state.
        visible: (V,) observed visibility, 1 visible, 0 hidden.
        log_uncertainty: (E,) logarithm of the predicted error of the points with an annotated position, crop frame.
        error: (E,) observed error, crop frame.
        unit: (E,) crop frame -> percent of the face size, the unit of `Face.uncertainty`: 100 / sqrt(w h) of the box
            of the predicted landmarks.
    """

    logit: np.ndarray
    visible: np.ndarray
    log_uncertainty: np.ndarray
    error: np.ndarray
    unit: np.ndarray


def calibrate(
    network: RDR, val_faces: PackedCrops, size: int, iterations: int, device: torch.device
) -> dict[str, float]:
    """Calibrate visibility and uncertainty of a network on held-out faces; its `uncertainty` is changed in place.

    Half of the crops are the same as at inference. The other half is slightly shifted, covered and degraded, to
    represent hard images. The result is deterministic, and a second calibration changes almost nothing.

    Args:
        network: trained network on `device`; it is put into evaluation mode.
        val_faces: fitted and packed faces that it was not trained on.
        size: N, side of the crops in pixels.
        iterations: K.
        device: device of the network.

    Returns:
        Mean gaps between predicted and observed values, weighted by points (`Reliability.gap` of
        `rdrface.evaluation.metrics.uncertainty`): ``visibility_gap_before`` and ``visibility_gap_after``, percent;
        ``uncertainty_gap_before`` and ``uncertainty_gap_after``, percent of the face size. The maps:
        ``visibility_slope``, ``visibility_intercept``, ``uncertainty_slope``, ``uncertainty_intercept``. Numbers of
        points: ``visibility_points`` and ``uncertainty_points``.
    """
    network.eval()
    # No mirroring, because `predict` compares points with the states in the pack. No arbitrary rotation: a few faces on
    # which the network fails completely would outweigh all others.
    degraded = replace(weakened(AugmentConfig(), DEGRADED_STRENGTH), mirror=0.0, arbitrary_rotation=0.0)
    passes = [predict(network, val_faces, size, iterations, device, each) for each in (no_augmentation(), degraded)]
    points = PredictedObserved(
        **{each.name: np.concatenate([getattr(one, each.name) for one in passes]) for each in fields(PredictedObserved)}
    )
    visibility, uncertainty = fit_visibility(points), fit_uncertainty(points)
    fold(network.uncertainty, visibility, uncertainty)
    before, after = gaps(points, NO_CHANGE, NO_CHANGE), gaps(points, visibility, uncertainty)
    result: dict[str, float] = {
        "visibility_gap_before": before[0],
        "visibility_gap_after": after[0],
        "uncertainty_gap_before": before[1],
        "uncertainty_gap_after": after[1],
        "visibility_slope": visibility[0],
        "visibility_intercept": visibility[1],
        "uncertainty_slope": uncertainty[0],
        "uncertainty_intercept": uncertainty[1],
        "visibility_points": len(points.logit),
        "uncertainty_points": len(points.error),
    }
    return {name: round(value, 4) for name, value in result.items()}


@torch.no_grad()
def predict(
    network: RDR, faces: PackedCrops, size: int, iterations: int, device: torch.device, config: AugmentConfig
) -> PredictedObserved:
    """Run a network once on every face, in float32, as at inference.

    Labels are those of training (`rdrface.training.batch.make_batch`), which exclude annotation mistakes and contours
    of the other convention. The visibility of points without an annotated state does not count, even if augmentation
    covers them, and neither does that of a face of which only hidden points are known
    (`rdrface.training.fitted_labels`): otherwise only hidden ones of these points would be counted.

    Args:
        network: network in evaluation mode.
        faces: fitted and packed faces.
        size: N, side of the crops in pixels.
        iterations: K.
        device: device of the network.
        config: augmentation without mirroring.
    """
    generator = torch.Generator(device=device).manual_seed(0)
    rows = []
    for start in range(0, len(faces), BATCH_SIZE):
        index = np.arange(start, min(start + BATCH_SIZE, len(faces)))
        crops, labels = augment(CropBatch.of(faces, index, device), size, config, generator)
        batch = make_batch(crops, labels, network.projection)
        prediction = network(batch.crops, iterations)
        landmarks = prediction.steps[-1].landmarks
        error = (landmarks - batch.points).norm(dim=-1)
        face_size = points_size(landmarks).clamp(min=1e-6)
        unit = (100 / face_size).unsqueeze(1).expand_as(error)
        state = faces.state[index]
        by_annotators = np.isin(state, (VISIBLE, OCCLUDED)).any(axis=1, keepdims=True)
        annotated = torch.from_numpy((state != UNKNOWN) & by_annotators).to(device)
        columns = (
            prediction.visibility_logits[annotated],
            (batch.state == VISIBLE)[annotated],
            *(values[batch.labeled] for values in (prediction.log_uncertainty, error, unit)),
        )
        rows.append([column.double().cpu().numpy() for column in columns])
    return PredictedObserved(*(np.concatenate(column) for column in zip(*rows, strict=True)))


def fit_visibility(points: PredictedObserved) -> Line:
    """Maximum-likelihood map of the logits: logistic regression of the observed visibility."""

    def loss(z: np.ndarray) -> Loss:
        probability = _sigmoid(z)
        return (
            np.logaddexp(0, z) - points.visible * z,
            probability - points.visible,
            probability * (1 - probability),
        )

    return _fit(points.logit, loss)


def fit_uncertainty(points: PredictedObserved) -> Line:
    """Maximum-likelihood map of the log uncertainty, for exponentially distributed errors with the predicted means.

    This is the loss of training (`rdrface.training.losses.objective`). A relative error of the prediction has the same
    cost for small and large errors, so the few faces on which the network fails do not dominate. The result does not
    depend on the unit of length.
    """

    def loss(z: np.ndarray) -> Loss:
        ratio = points.error * np.exp(-z)
        return ratio + z, 1 - ratio, ratio

    return _fit(points.log_uncertainty, loss)


def fold(head: Uncertainty, visibility: Line, uncertainty: Line) -> None:
    """Apply a linear map to each of the two outputs of `Uncertainty`, by changing its last layer."""
    slope = torch.tensor([visibility[0], uncertainty[0]], dtype=torch.float64)
    intercept = torch.tensor([visibility[1], uncertainty[1]], dtype=torch.float64)
    with torch.no_grad():
        head.out.copy_(head.out.double().cpu() * slope)
        head.bias.copy_(head.bias.double().cpu() * slope + intercept)


def gaps(points: PredictedObserved, visibility: Line, uncertainty: Line) -> tuple[float, float]:
    """Mean gaps between predicted and observed values after the maps: of the visibility in percent, and of the error in
    percent of the face size."""
    probability = _sigmoid(visibility[0] * points.logit + visibility[1])
    predicted_error = points.unit * np.exp(uncertainty[0] * points.log_uncertainty + uncertainty[1])
    return (
        100 * reliability(probability, points.visible, VISIBILITY_EDGES).gap,
        reliability(predicted_error, points.unit * points.error, UNCERTAINTY_EDGES).gap,
    )


def _fit(x: np.ndarray, loss: Callable[[np.ndarray], Loss]) -> Line:
    """Fit the line z = a x + b with the smallest total loss by Newton's method; `loss` is convex in z."""
    if not len(x):
        return NO_CHANGE
    # z = x + tilt (x - center) + lift: tilt and lift are nearly independent, so one prior is suitable for both.
    center = float(x.mean())
    basis = np.stack([x - center, np.ones_like(x)])

    def newton(step: np.ndarray, free: np.ndarray) -> np.ndarray:
        def cost(at: np.ndarray) -> float:
            with np.errstate(over="ignore"):
                return float(loss(x + at @ basis)[0].sum() + PRIOR_WEIGHT / 2 * at @ at)

        for _ in range(50):
            _, slope, curvature = loss(x + step @ basis)
            gradient = basis @ slope + PRIOR_WEIGHT * step
            hessian = (basis * curvature) @ basis.T + PRIOR_WEIGHT * np.eye(2)
            move = np.zeros(2)
            move[free] = -np.linalg.solve(hessian[np.ix_(free, free)], gradient[free])
            current = cost(step)
            # The exponential grows fast, so a full step from far away may overshoot.
            while cost(step + move) > current and np.abs(move).max() > 1e-9:
                move = move / 2
            step = step + move
            if np.abs(move).max() <= 1e-9:
                break
        return step

    step = newton(np.zeros(2), np.array([0, 1]))
    if 1 + step[0] < MIN_SLOPE:
        step = newton(np.array([MIN_SLOPE - 1, 0.0]), np.array([1]))
    return 1 + float(step[0]), float(step[1] - step[0] * center)


def _sigmoid(z: np.ndarray) -> np.ndarray:
    return 0.5 * (1 + np.tanh(z / 2))
