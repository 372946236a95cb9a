"""Initial pose of the fit: the mean face is aligned with the points from several angles; the best result is kept."""

import numpy as np

from rdrface.fitting.basis import NUM_COEFFICIENTS, LandmarkBasis
from rdrface.fitting.gauss_newton import FitState, elevation_std, step_pose
from rdrface.fitting.observations import Observations
from rdrface.fitting.profile_constraint import FAR, hidden_groups, profile_excess
from rdrface.geometry.camera import ROLL
from rdrface.geometry.rotation import rotation_matrix
from rdrface.landmarks import CONTOUR

START_ANGLES = np.deg2rad([(0, -80), (0, -50), (0, -20), (0, 20), (0, 50), (0, 80), (25, 0), (-25, 0)])
"""(8, 2) pitch and yaw, radians, from which the pose is refined."""
_STEPS = 8
_CONTOUR_UPDATES = (3, 5, 7)  # steps before which the contour is recomputed for the new pose
_STD = 0.05  # standard deviation of a face's points from the mean face, in units of sqrt(w h)
_WRONG_SIDE = 4.0  # cost per point and unit of n_z: annotated points that face away, hidden points that face the viewer


def initial_pose(observations: Observations, basis: LandmarkBasis, normals: np.ndarray) -> FitState:
    """Pose of the mean face that explains the points best.

    Args:
        observations: B faces.
        basis: basis of the face model, L points.
        normals: (L, 3) unit normals of the mean face at its points, with the contour on the jawline.

    Returns:
        State with all coefficients 0.
    """
    batch = len(observations.points)
    best: FitState | None = None
    least = np.full(batch, np.inf)
    for pitch, yaw in START_ANGLES:
        rotation = np.repeat(rotation_matrix(np.array([[pitch, yaw, 0.0]])), batch, axis=0)
        state, cost = _refine(rotation, observations, basis, normals)
        better = cost < least
        least = np.where(better, cost, least)
        best = state if best is None else _choose(better, state, best)
    assert best is not None
    return best


def _refine(
    rotation: np.ndarray, observations: Observations, basis: LandmarkBasis, normals: np.ndarray
) -> tuple[FitState, np.ndarray]:
    """The pose refined from one rotation (B, 3, 3), and its cost (B,)."""
    mean = _mean_points(basis, observations, rotation)
    state = _similarity(rotation, mean, observations)
    for i in range(_STEPS):
        if i in _CONTOUR_UPDATES:
            mean = _mean_points(basis, observations, state.rotation)
        state = step_pose(state, mean, observations, _robust(state, mean, observations)[0])
    _, cost = _robust(state, mean, observations)
    elevation = state.rotation[:, 2, 1]
    excess, excess_weight, _ = profile_excess(state.project(mean), state.rotation, observations.self_occluded)
    facing = state.rotation[:, 2] @ normals.T
    facing_away = np.maximum(0, -facing - 0.1)
    inner = np.ones(len(normals), bool)
    inner[CONTOUR] = False  # points on the visible outline never face away
    annotated = np.where(inner | ~observations.outline[:, None], observations.weight, 0)
    # An eye or half a mouth that is annotated as hidden by the head cannot face the viewer.
    facing_viewer = hidden_groups(observations.self_occluded) * np.maximum(0, facing[:, FAR] - 0.5)
    cost = cost + (elevation / elevation_std(state.rotation)) ** 2
    cost = cost + _WRONG_SIDE * ((annotated * facing_away).sum(axis=1) + facing_viewer.sum(axis=1))
    return state, cost + (excess_weight * (excess / _STD) ** 2).sum(axis=1)


def _mean_points(basis: LandmarkBasis, observations: Observations, rotation: np.ndarray) -> np.ndarray:
    """(B, L, 3) points of the mean face, with the contour of each face's convention."""
    zero = np.zeros((len(rotation), NUM_COEFFICIENTS), np.float32)
    s = np.where(observations.outline[:, None], basis.mean_contour_positions(rotation), 0)
    return basis.with_contour(s).shape(zero)


def _similarity(rotation: np.ndarray, shape: np.ndarray, observations: Observations) -> FitState:
    """Best roll, shift and scale for a given pitch and yaw: weighted least squares in the image plane."""
    rotated = shape @ rotation.swapaxes(1, 2)
    # Image points as complex numbers: roll and scale are one complex factor.
    model = rotated[..., 0] + 1j * rotated[..., 1]
    label = observations.points[..., 0] + 1j * observations.points[..., 1]
    w = observations.weight / observations.weight.sum(axis=1, keepdims=True)
    model_mean, label_mean = (w * model).sum(axis=1), (w * label).sum(axis=1)
    m, p = model - model_mean[:, None], label - label_mean[:, None]
    factor = (w * m.conj() * p).sum(axis=1) / np.maximum((w * np.abs(m) ** 2).sum(axis=1), 1e-9)
    shift = label_mean - factor * model_mean
    roll = np.zeros((len(rotation), 3))
    roll[:, ROLL] = np.angle(factor)
    return FitState(
        rotation=rotation_matrix(roll) @ rotation,
        shift=np.stack((shift.real, shift.imag), axis=-1),
        scale=np.abs(factor),
        coefficients=np.zeros((len(rotation), NUM_COEFFICIENTS)),
    )


def _robust(state: FitState, shape: np.ndarray, observations: Observations) -> tuple[np.ndarray, np.ndarray]:
    """Weights (B, L) and cost (B,) of a Cauchy loss, so that a single wrong annotation does not determine the pose."""
    squared = ((state.project(shape)[..., :2] - observations.points) ** 2).sum(axis=-1) / _STD**2
    cost = (observations.weight * 4 * np.log1p(squared / 4)).sum(axis=1)
    return observations.weight / (1 + squared / 4), cost


def _choose(better: np.ndarray, first: FitState, second: FitState) -> FitState:
    """`first` for the faces where `better` (B,) is true, `second` for the others."""

    def pick(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        return np.where(better.reshape(-1, *[1] * (x.ndim - 1)), x, y)

    return FitState(
        pick(first.rotation, second.rotation),
        pick(first.shift, second.shift),
        pick(first.scale, second.scale),
        pick(first.coefficients, second.coefficients),
    )
