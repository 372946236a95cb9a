"""Where the 68 landmarks of a face lie, from the few points that a set annotates: the box that an aligner looks in."""

import numpy as np

from rdrface.datasets.records import OCCLUDED, SELF_OCCLUDED
from rdrface.fitting.basis import COEFFICIENTS, LandmarkBasis
from rdrface.fitting.initial_pose import start
from rdrface.fitting.observations import LEAST_POINTS, OCCLUDED_WEIGHT, Observations
from rdrface.geometry.boxes import bounding_boxes
from rdrface.landmarks import NUM_LANDMARKS
from rdrface.morphable.model import FaceModel
from rdrface.morphable.schemes import surface_points

_BATCH = 256


def landmark_box_of(points: np.ndarray, state: np.ndarray, scheme: str, model: FaceModel | None = None) -> np.ndarray:
    """Estimate the box of the 68 landmarks of the visible outline from other points of the faces.

    The mean face is laid over the annotated points by a scaled orthographic pose (`rdrface.fitting.initial_pose`), and its 68
    projected landmarks have the box. Nobody's face is the mean face, so the box is an estimate. Points hidden by the
    head are not looked at, even where a set guesses them, but they keep their side of the face from being in view.

    Args:
        points: (N, P, 2) photo pixels, NaN where there is no position.
        state: (N, P) see `rdrface.datasets.records`.
        scheme: which points of the face model the P are, e.g. "aflw21".
        model: the face model; the packaged one by default.

    Returns:
        (N, 4) float64 xyxy photo pixels; NaN for faces with fewer than `LEAST_POINTS` points.

    Raises:
        ValueError: there is no such scheme, or it has another number of points.
    """
    model = FaceModel.load() if model is None else model
    chosen = surface_points(model, scheme)
    points = np.asarray(points, np.float64)
    if points.ndim != 3 or points.shape[1:] != (len(chosen), 2):
        raise ValueError(f"points of scheme {scheme!r} must be (N, {len(chosen)}, 2), got {points.shape}")
    boxes = np.full((len(points), 4), np.nan)
    state = np.asarray(state)
    known = np.isfinite(points).all(-1) & (state != SELF_OCCLUDED)
    enough = np.flatnonzero(known.sum(1) >= LEAST_POINTS)
    if not len(enough):
        return boxes
    basis, normals = _with_points(model, scheme)
    nearest = _nearest_on_side(basis.mean)
    for first in range(0, len(enough), _BATCH):
        index = enough[first : first + _BATCH]
        seen = _seen(points[index], known[index], state[index], nearest)
        fitted = start(seen, basis, normals)
        zero = np.zeros((len(index), COEFFICIENTS), np.float32)
        shape = basis.at(basis.contour(zero, fitted.rotation)).shape(zero)[:, :NUM_LANDMARKS]
        local = fitted.see(shape)[..., :2] * (1, -1)
        boxes[index] = bounding_boxes(local * seen.size[:, None, None] + seen.center[:, None])
    return boxes


def _with_points(model: FaceModel, scheme: str) -> tuple[LandmarkBasis, np.ndarray]:
    """The fitter's 68 points with the scheme's behind them, and the normals of all."""
    joined = LandmarkBasis.from_model(model).joined(model.reduced(surface_points(model, scheme)))
    normals = []
    for name in ("ibug68", scheme):
        a, b, c = (corner.mean for corner in model.corners(surface_points(model, name)))
        normal = np.cross(b - a, c - a)
        normals.append(normal / np.linalg.norm(normal, axis=1, keepdims=True))
    return joined, np.concatenate(normals)


def _nearest_on_side(mean: np.ndarray) -> np.ndarray:
    """(68,) index of the scheme's point next to each of the 68, on the same side of the face; mean (68 + P, 3) mm."""
    distance = np.linalg.norm(mean[:NUM_LANDMARKS, None] - mean[None, NUM_LANDMARKS:], axis=-1)
    across = mean[:NUM_LANDMARKS, None, 0] * mean[None, NUM_LANDMARKS:, 0] <= 0
    return np.argmin(np.where(across, np.inf, distance), axis=1)


def _seen(points: np.ndarray, known: np.ndarray, state: np.ndarray, nearest: np.ndarray) -> Observations:
    """The scheme's points behind 68 that nobody annotated, which are as hidden as the scheme's points next to them."""
    boxes = bounding_boxes(np.where(known[..., None], points, np.nan))
    center = (boxes[:, :2] + boxes[:, 2:]) / 2
    size = np.sqrt(np.maximum((boxes[:, 2:] - boxes[:, :2]).prod(1), 1e-6))
    local = (points - center[:, None]) / size[:, None, None] * (1, -1)
    hidden = state == SELF_OCCLUDED
    behind68 = ((0, 0), (NUM_LANDMARKS, 0))
    weight = known * np.where(state == OCCLUDED, OCCLUDED_WEIGHT, 1.0)
    return Observations(
        points=np.pad(np.where(known[..., None], local, 0).astype(np.float32), (*behind68, (0, 0))),
        weight=np.pad(weight.astype(np.float32), behind68),
        outline=np.ones(len(points), bool),
        absent=np.concatenate((hidden[:, nearest], hidden), axis=1),
        lid_gap=np.full((len(points), 2), np.nan, np.float32),
        center=center,
        size=size,
    )
