"""The last step of a training: what the network says of its own certainty is made true on faces held out.

A network is surer of the faces it has learned from than it may be of others. Two numbers each put that right: the logit
of the visibility v becomes a v + b (Platt scaling: Platt 1999; Guo et al., ICML 2017), and so does the logarithm of the
expected error, so that sigma becomes exp(b) sigma^a. Both maps rise, so what was surer stays surer. They are
folded into the last layer of `Certainty`: nothing after this step has to know of them.
"""

from collections.abc import Callable
from dataclasses import dataclass, fields, replace

import numpy as np
import torch

from rdrface.datasets.crops import PackedCrops
from rdrface.datasets.records import UNKNOWN, VISIBLE
from rdrface.evaluation.metrics.uncertainty import UNCERTAINTY_EDGES, VISIBILITY_EDGES, reliability
from rdrface.network.rdr import RDR
from rdrface.network.uncertainty import Uncertainty
from rdrface.training.augmentation.augment import AugmentConfig, CropBatch, augment, no_augmentation, weakened
from rdrface.training.batches import targets

HARDER = 0.4
"""Share of the training's changes of the pixels in the second pass: photos in use are worse than those of the sets."""

BATCH = 32
"""Faces at a time."""

LEAST_SLOPE = 0.05
"""The maps must rise, whatever a network of a few seconds' training has to say."""

PRIOR = 10.0
"""Weight, in points, with which both maps are held at the identity: nothing runs away where there is little to see."""

Line = tuple[float, float]
"""Slope a and shift b of x -> a x + b."""

IDENTITY: Line = (1.0, 0.0)

Loss = tuple[np.ndarray, np.ndarray, np.ndarray]
"""Of every point, its loss and the first two derivatives."""


@dataclass(frozen=True)
class Observations:
    """What a network said of the points of held-out faces, and what was the case.

    Attributes:
        logit: (V,) visibility logits of the points whose state is known.
        seen: (V,) 1 visible, 0 hidden.
        log_error: (E,) logarithm of the said error of the points with an annotated position, crop frame.
        error: (E,) the measured error, crop frame.
        unit: (E,) crop frame -> percent of the face's size, as `Face.confidence` says it: 100 / sqrt(w h) of the box of
            the predicted landmarks.
    """

    logit: np.ndarray
    seen: np.ndarray
    log_error: np.ndarray
    error: np.ndarray
    unit: np.ndarray


def calibrate(network: RDR, check: PackedCrops, size: int, iterations: int, device: torch.device) -> dict[str, float]:
    """Make `visible` and `log_error` of a network true on held-out faces; its `certainty` is changed in place.

    Half of the crops are those of use; the other half are moved, covered and spoiled a little, so that hard photos are
    represented. The same network and faces give the same result. To calibrate twice does no harm.

    Args:
        network: trained, on `device`; it is put into evaluation mode.
        check: fitted and packed faces that it has not learned from.
        size: N, side of the crops.
        iterations: K.
        device: of the network.

    Returns:
        The mean gap between said and measured, weighted by points (`rdrface.evaluation.metrics.uncertainty.Reliability.gap`):
        ``visible_gap_before`` and ``visible_gap_after``, percent; ``error_gap_before`` and ``error_gap_after``, percent
        of the face's size. The maps: ``visible_slope``, ``visible_shift``, ``error_slope``, ``error_shift``. And
        ``visible_points`` and ``error_points``, how many they were fitted to.
    """
    network.eval()
    # Not mirrored, so that a point's state in the pack is that of the same point of the crop. Not laid on its side:
    # a few faces that are wholly wrong would weigh more than all the others.
    harder = replace(weakened(AugmentConfig(), HARDER), mirror=0.0, spin=0.0)
    found = [observe(network, check, size, iterations, device, config) for config in (no_augmentation(), harder)]
    points = Observations(
        **{each.name: np.concatenate([getattr(one, each.name) for one in found]) for each in fields(Observations)}
    )
    visible, error = fit_visible(points), fit_error(points)
    fold(network.uncertainty, visible, error)
    before, after = gaps(points, IDENTITY, IDENTITY), gaps(points, visible, error)
    figures: dict[str, float] = {
        "visible_gap_before": before[0],
        "visible_gap_after": after[0],
        "error_gap_before": before[1],
        "error_gap_after": after[1],
        "visible_slope": visible[0],
        "visible_shift": visible[1],
        "error_slope": error[0],
        "error_shift": error[1],
        "visible_points": len(points.logit),
        "error_points": len(points.error),
    }
    return {name: round(value, 4) for name, value in figures.items()}


@torch.no_grad()
def observe(
    network: RDR, faces: PackedCrops, size: int, iterations: int, device: torch.device, config: AugmentConfig
) -> Observations:
    """Run a network on every face once.

    In float32, as it will be used. Labels are what they are in training (`rdrface.training.batches.targets`): slips of
    the mouse and contours of the other convention are no errors of the network. A point whose state nobody annotated
    is left out even where an occluder now covers it: of such points only the hidden ones would be known.

    Args:
        config: without mirroring, see `calibrate` for the rest.
    """
    generator = torch.Generator(device=device).manual_seed(0)
    parts = []
    for start in range(0, len(faces), BATCH):
        index = np.arange(start, min(start + BATCH, len(faces)))
        batch = augment(CropBatch.of(faces, index, device), size, config, generator)
        residual = torch.from_numpy(faces.residual[index]).to(device)
        labels = targets(batch, residual, torch.ones_like(residual), network.projection)
        said = network(batch.crops.contiguous(memory_format=torch.channels_last), iterations)
        landmarks = said.steps[-1].landmarks
        distance = (landmarks - labels.points).norm(dim=-1)
        span = (landmarks.amax(1) - landmarks.amin(1)).prod(-1).sqrt().clamp(min=1e-6)
        unit = (100 / span).unsqueeze(1).expand_as(distance)
        annotated = torch.from_numpy(faces.state[index] != UNKNOWN).to(device)
        columns = (
            said.visibility_logits[annotated],
            (batch.state == VISIBLE)[annotated],
            *(values[labels.labeled] for values in (said.log_uncertainty, distance, unit)),
        )
        parts.append([column.double().cpu().numpy() for column in columns])
    return Observations(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def fit_visible(points: Observations) -> Line:
    """The likeliest map of the logits: the logistic regression of being visible on them."""

    def loss(z: np.ndarray) -> Loss:
        probability = _sigmoid(z)
        return np.logaddexp(0, z) - points.seen * z, probability - points.seen, probability * (1 - probability)

    return _fit(points.logit, loss)


def fit_error(points: Observations) -> Line:
    """The likeliest map of the log errors, for errors that are distributed exponentially around what is said: the loss
    that the network was trained with (`rdrface.training.losses.objective`). It weighs what is wrong by half alike at small errors
    and at large ones, so the few faces that failed do not decide; and it is the same in any unit of length."""

    def loss(z: np.ndarray) -> Loss:
        ratio = points.error * np.exp(-z)
        return ratio + z, 1 - ratio, ratio

    return _fit(points.log_error, loss)


def fold(uncertainty: Uncertainty, visible: Line, error: Line) -> None:
    """Let the two outputs of `Certainty` go through a line each; only its last layer changes."""
    slope = torch.tensor([visible[0], error[0]], dtype=torch.float64)
    shift = torch.tensor([visible[1], error[1]], dtype=torch.float64)
    with torch.no_grad():
        uncertainty.out.copy_(uncertainty.out.double().cpu() * slope)
        uncertainty.bias.copy_(uncertainty.bias.double().cpu() * slope + shift)


def gaps(points: Observations, visible: Line, error: Line) -> tuple[float, float]:
    """Mean gap between said and measured through these lines: of the visibility, and of the error; both percent."""
    probability = _sigmoid(visible[0] * points.logit + visible[1])
    said = points.unit * np.exp(error[0] * points.log_error + error[1])
    return (
        100 * reliability(probability, points.seen, VISIBILITY_EDGES).gap,
        reliability(said, points.unit * points.error, UNCERTAINTY_EDGES).gap,
    )


def _fit(x: np.ndarray, loss: Callable[[np.ndarray], Loss]) -> Line:
    """The line z = a x + b of the least total loss, by Newton's method; the loss is convex in z."""
    if not len(x):
        return IDENTITY
    # z = x + tilt (x - center) + lift: the two hardly depend on each other, and the prior means the same for both.
    center = float(x.mean())
    basis = np.stack([x - center, np.ones_like(x)])

    def newton(step: np.ndarray, free: np.ndarray) -> np.ndarray:
        def cost(at: np.ndarray) -> float:
            with np.errstate(over="ignore"):
                return float(loss(x + at @ basis)[0].sum() + PRIOR / 2 * at @ at)

        for _ in range(50):
            _, slope, curvature = loss(x + step @ basis)
            gradient = basis @ slope + PRIOR * step
            hessian = (basis * curvature) @ basis.T + PRIOR * np.eye(2)
            move = np.zeros(2)
            move[free] = -np.linalg.solve(hessian[np.ix_(free, free)], gradient[free])
            here = cost(step)
            # The exponential grows fast: a full step from afar may overshoot.
            while cost(step + move) > here and np.abs(move).max() > 1e-9:
                move = move / 2
            step = step + move
            if np.abs(move).max() <= 1e-9:
                break
        return step

    step = newton(np.zeros(2), np.array([0, 1]))
    if 1 + step[0] < LEAST_SLOPE:
        step = newton(np.array([LEAST_SLOPE - 1, 0.0]), np.array([1]))
    return 1 + float(step[0]), float(step[1] - step[0] * center)


def _sigmoid(z: np.ndarray) -> np.ndarray:
    return 0.5 * (1 + np.tanh(z / 2))
