"""Box of a face's 68 landmarks, estimated from the points of another annotation scheme."""

import numpy as np

from rdrface.datasets.records import OCCLUDED, SELF_OCCLUDED
from rdrface.fitting.basis import NUM_COEFFICIENTS, LandmarkBasis, mean_normals
from rdrface.fitting.initial_pose import initial_pose
from rdrface.fitting.observations import MIN_POINTS, OCCLUDED_WEIGHT, Observations, center_and_size
from rdrface.geometry.boxes import bounding_boxes
from rdrface.landmarks import NUM_LANDMARKS
from rdrface.morphable.model import FaceModel
from rdrface.morphable.schemes import surface_points

_BATCH = 256


def landmark_box_of(points: np.ndarray, state: np.ndarray, scheme: str, model: FaceModel | None = None) -> np.ndarray:
    """Estimate the box of the 68 landmarks on the visible outline from other points of the faces.

    The mean face is aligned with the annotated points by a scaled orthographic pose (`rdrface.fitting.initial_pose`);
    the box is that of its 68 projected landmarks. It is an estimate, since no face is the mean face. Points hidden by
    the head are not fitted, even if a dataset gives them a position, but they rule out poses that show their side of
    the face.

    Args:
        points: (N, P, 2) image pixels, NaN without a position.
        state: (N, P) see `rdrface.datasets.records`.
        scheme: annotation scheme of the points, e.g. "aflw21".
        model: the face model; the packaged one by default.

    Returns:
        (N, 4) float64 xyxy image pixels; NaN for faces with fewer than `MIN_POINTS` points.

    Raises:
        ValueError: the scheme does not exist or has another number of points.
    """
    model = FaceModel.load() if model is None else model
    surface = surface_points(model, scheme)
    points = np.asarray(points, np.float64)
    if points.ndim != 3 or points.shape[1:] != (len(surface), 2):
        raise ValueError(f"points of scheme {scheme!r} must be (N, {len(surface)}, 2); got {points.shape}")
    boxes = np.full((len(points), 4), np.nan)
    state = np.asarray(state)
    known = np.isfinite(points).all(-1) & (state != SELF_OCCLUDED)
    enough = np.flatnonzero(known.sum(1) >= MIN_POINTS)
    if not len(enough):
        return boxes
    basis = LandmarkBasis.from_model(model).extended(model.reduced(surface))
    normals = np.concatenate([mean_normals(model, model.points["ibug68"]), mean_normals(model, surface)])
    nearest = _nearest_on_side(basis.mean)
    for first in range(0, len(enough), _BATCH):
        index = enough[first : first + _BATCH]
        observations = _observations(points[index], known[index], state[index], nearest)
        fit = initial_pose(observations, basis, normals)
        zero = np.zeros((len(index), NUM_COEFFICIENTS), np.float32)
        shape = basis.with_contour(basis.contour_positions(zero, fit.rotation)).shape(zero)[:, :NUM_LANDMARKS]
        boxes[index] = bounding_boxes(observations.to_image(fit.project(shape)[..., :2]))
    return boxes


def _nearest_on_side(mean: np.ndarray) -> np.ndarray:
    """(68,) index of the scheme's point nearest to each landmark on the same side of the face; mean (68 + P, 3) mm."""
    distance = np.linalg.norm(mean[:NUM_LANDMARKS, None] - mean[None, NUM_LANDMARKS:], axis=-1)
    other_side = mean[:NUM_LANDMARKS, None, 0] * mean[None, NUM_LANDMARKS:, 0] <= 0
    nearest: np.ndarray = np.argmin(np.where(other_side, np.inf, distance), axis=1)
    return nearest


def _observations(points: np.ndarray, known: np.ndarray, state: np.ndarray, nearest: np.ndarray) -> Observations:
    """Observations with the scheme's points after 68 landmarks of weight 0.

    Each landmark is self-occluded if the nearest point of the scheme is.
    """
    center, size = center_and_size(points, known)
    local = (points - center[:, None]) / size[:, None, None] * (1, -1)
    hidden = state == SELF_OCCLUDED
    after_landmarks = ((0, 0), (NUM_LANDMARKS, 0))
    weight = known * np.where(state == OCCLUDED, OCCLUDED_WEIGHT, 1.0)
    return Observations(
        points=np.pad(np.where(known[..., None], local, 0).astype(np.float32), (*after_landmarks, (0, 0))),
        weight=np.pad(weight.astype(np.float32), after_landmarks),
        outline=np.ones(len(points), bool),
        self_occluded=np.concatenate((hidden[:, nearest], hidden), axis=1),
        lid_aperture=np.full((len(points), 2), np.nan, np.float32),
        center=center,
        size=size,
    )
