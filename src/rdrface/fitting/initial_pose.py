"""Where the fit begins: the mean face, turned several ways, laid over the points; the way that fits best wins."""

import numpy as np

from rdrface.fitting.basis import COEFFICIENTS, LandmarkBasis
from rdrface.fitting.gauss_newton import State, elevation_sigma, step_pose
from rdrface.fitting.observations import Observations
from rdrface.fitting.profile_constraint import FAR, behind, excess
from rdrface.geometry.rotation import rotation_matrix
from rdrface.landmarks import CONTOUR

STARTS = np.deg2rad([(0, -80), (0, -50), (0, -20), (0, 20), (0, 50), (0, 80), (25, 0), (-25, 0)])
"""(8, 2) pitch and yaw of the starts."""
_STEPS = 8
_NOISE = 0.05  # of the mean face's points, in units of sqrt(w h)
_WRONG_SIDE = 4.0  # cost per point and unit of n_z for labeled points on the far side of the head and the reverse


def start(seen: Observations, basis: LandmarkBasis, normals: np.ndarray) -> State:
    """Pose of the mean face for every set of observations.

    Args:
        seen: B faces.
        basis: of the face model.
        normals: (L, 3) unit normals of the mean face at its jawline-convention points.

    Returns:
        State with coefficients 0.
    """
    batch = len(seen.points)
    best: State | None = None
    least = np.full(batch, np.inf)
    for pitch, yaw in STARTS:
        rotation = np.repeat(rotation_matrix(np.array([[pitch, yaw, 0.0]])), batch, axis=0)
        state, cost = _refine(rotation, seen, basis, normals)
        better = cost < least
        least = np.where(better, cost, least)
        best = state if best is None else _merge(better, state, best)
    assert best is not None
    return best


def _refine(
    rotation: np.ndarray, seen: Observations, basis: LandmarkBasis, normals: np.ndarray
) -> tuple[State, np.ndarray]:
    """Fit the pose from one start; cost (B,)."""
    mean = _mean_points(basis, seen, rotation)
    state = _similarity(rotation, mean, seen)
    for i in range(_STEPS):
        if i in (3, 5, 7):
            mean = _mean_points(basis, seen, state.rotation)
        state = step_pose(state, mean, seen, _robust(state, mean, seen)[0])
    _, cost = _robust(state, mean, seen)
    elevation = state.rotation[:, 2, 1]
    ahead, trust, _ = excess(state.see(mean), state.rotation, seen.absent)
    facing = state.rotation[:, 2] @ normals.T
    away = np.maximum(0, -facing - 0.1)
    inner = np.ones(len(normals), bool)
    inner[CONTOUR] = False  # an outline's points are in view wherever the jawline lies
    labeled = np.where(inner | ~seen.outline[:, None], seen.weight, 0)
    # An eye or half a mouth that the head is said to hide cannot look straight at us.
    looking = behind(seen.absent) * np.maximum(0, facing[:, FAR] - 0.5)
    cost = cost + (elevation / elevation_sigma(state.rotation)) ** 2
    cost = cost + _WRONG_SIDE * ((labeled * away).sum(axis=1) + looking.sum(axis=1))
    return state, cost + (trust * (ahead / _NOISE) ** 2).sum(axis=1)


def _mean_points(basis: LandmarkBasis, seen: Observations, rotation: np.ndarray) -> np.ndarray:
    """(B, 68, 3) landmarks of the mean face, the contour where the convention puts it."""
    zero = np.zeros((len(rotation), COEFFICIENTS), np.float32)
    s = np.where(seen.outline[:, None], basis.mean_contour(rotation), 0)
    return basis.at(s).shape(zero)


def _similarity(rotation: np.ndarray, shape: np.ndarray, seen: Observations) -> State:
    """Best roll, shift and scale for points turned by pitch and yaw (weighted least squares in the plane)."""
    turned = shape @ rotation.swapaxes(1, 2)
    model, label = turned[..., 0] + 1j * turned[..., 1], seen.points[..., 0] + 1j * seen.points[..., 1]
    w = seen.weight / seen.weight.sum(axis=1, keepdims=True)
    model_mean, label_mean = (w * model).sum(axis=1), (w * label).sum(axis=1)
    m, p = model - model_mean[:, None], label - label_mean[:, None]
    factor = (w * m.conj() * p).sum(axis=1) / np.maximum((w * np.abs(m) ** 2).sum(axis=1), 1e-9)
    shift = label_mean - factor * model_mean
    roll = np.zeros((len(rotation), 3))
    roll[:, 2] = np.angle(factor)
    return State(
        rotation=rotation_matrix(roll) @ rotation,
        shift=np.stack((shift.real, shift.imag), axis=-1),
        scale=np.abs(factor),
        coefficients=np.zeros((len(rotation), COEFFICIENTS)),
    )


def _robust(state: State, shape: np.ndarray, seen: Observations) -> tuple[np.ndarray, np.ndarray]:
    """Weights (B, 68) and cost (B,) of a Cauchy loss: one wrong label in ten must not turn a head."""
    squared = ((state.see(shape)[..., :2] - seen.points) ** 2).sum(axis=-1) / _NOISE**2
    return seen.weight / (1 + squared / 4), (seen.weight * 4 * np.log1p(squared / 4)).sum(axis=1)


def _merge(better: np.ndarray, a: State, b: State) -> State:
    def pick(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        return np.where(better.reshape(-1, *[1] * (x.ndim - 1)), x, y)

    return State(
        pick(a.rotation, b.rotation),
        pick(a.shift, b.shift),
        pick(a.scale, b.scale),
        pick(a.coefficients, b.coefficients),
    )
