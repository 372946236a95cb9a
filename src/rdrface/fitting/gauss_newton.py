"""Gauss-Newton steps of many faces at once: rotation, translation, scale, identity and expression together."""

from dataclasses import dataclass, replace

import numpy as np

from rdrface.fitting.apertures import GAP_NOISE, LOWER, UPPER, observed, robust
from rdrface.fitting.basis import COEFFICIENTS, IDENTITIES, PlacedBasis
from rdrface.fitting.expression_prior import bounded_step
from rdrface.fitting.observations import Observations
from rdrface.fitting.profile_constraint import FAR, MIDDLE, excess

POSE = 6  # rotation vector 3, translation 2, log of the scale 1
NOISE = 0.0175
"""Standard deviation of an annotated coordinate, in units of sqrt(w h)."""
_LARGEST_TURN = 0.5  # radians per step
_DAMPING = 1e-3


@dataclass(frozen=True)
class State:
    """B faces in the frames of their observations: camera = scale * rotation @ S + shift, y up.

    Attributes:
        rotation: (B, 3, 3) float64. shift: (B, 2) float64. scale: (B,) float64, units per mm.
        coefficients: (B, 96) float64, identity first.
    """

    rotation: np.ndarray
    shift: np.ndarray
    scale: np.ndarray
    coefficients: np.ndarray

    def see(self, shape: np.ndarray) -> np.ndarray:
        """(B, N, 3) mm -> (B, N, 3) float64: x, y (up) and z in the observations' frame, without the shift in z."""
        camera = shape @ (self.rotation * self.scale[:, None, None]).swapaxes(1, 2)
        camera[..., :2] += self.shift[:, None]
        return camera


@dataclass(frozen=True)
class Prior:
    """What is likely of the coefficients.

    Attributes:
        identity: standard deviation of the identity coefficients.
        slope: (B, 46) cost of a unit's strength, see `rdrface.fitting.expression_prior`.
        limit: (B, 46) upper bounds of the strengths.
    """

    identity: float
    slope: np.ndarray
    limit: np.ndarray


@dataclass(frozen=True)
class _Rows:
    """One linear system per face: residuals (B, R), weights (B, R), derivatives by the pose (B, R, 6).

    The rows are x and y of the N points in turn, then the elevation, then what `excess` gives, then the gaps.
    `direction` (B, 2) is needed to carry the derivatives of points over to the rows of `excess`.
    """

    residual: np.ndarray
    weight: np.ndarray
    pose: np.ndarray
    direction: np.ndarray


def elevation_sigma(rotation: np.ndarray) -> np.ndarray:
    """(B, 3, 3) -> (B,) standard deviation of the sine of the angle from which a face is seen above its own level.

    Heads nod more than they lean to the side: a frontal face varies more than a profile.
    """
    return 0.08 + 0.24 * np.maximum(rotation[:, 2, 2], 0)


def step_pose(state: State, shape: np.ndarray, seen: Observations, weight: np.ndarray) -> State:
    """One step of rotation, shift and scale; the shape (B, L, 3) stays. weight (B, L)."""
    rows = _rows(state, shape, seen, weight)
    transposed = rows.pose.swapaxes(1, 2) * rows.weight[:, None]
    normal = transposed @ rows.pose + _DAMPING * np.eye(POSE)
    return _moved(state, np.linalg.solve(normal, transposed @ rows.residual[..., None])[..., 0])


def step_all(state: State, basis: PlacedBasis, seen: Observations, weight: np.ndarray, prior: Prior) -> State:
    """One step of everything: expression within its bounds, pose and identity at their best for it.

    Args:
        state: where to start from.
        basis: the landmarks as they lie on the face now.
        seen: the labels.
        weight: (B, L), trust in each label, robust weights included.
        prior: of the coefficients.
    """
    shape = basis.shape(state.coefficients)
    rows = _with_gaps(_rows(state, shape, seen, weight), state, shape, seen)
    full = np.concatenate((rows.pose.astype(np.float32), _bend(state, basis, rows)), axis=2)
    transposed = (full * (rows.weight / NOISE**2).astype(np.float32)[..., None]).swapaxes(1, 2)
    normal = np.matmul(transposed, full).astype(np.float64)
    right = np.matmul(transposed, rows.residual.astype(np.float32)[..., None])[..., 0].astype(np.float64)

    identity = slice(POSE, POSE + IDENTITIES)
    right[:, identity] -= state.coefficients[:, :IDENTITIES] / prior.identity**2
    diagonal = np.arange(POSE + IDENTITIES)
    normal[:, diagonal[:POSE], diagonal[:POSE]] *= 1 + _DAMPING
    normal[:, diagonal[POSE:], diagonal[POSE:]] += 1 / prior.identity**2

    # Pose and identity have no bounds: they are eliminated (Schur complement), and follow the expression.
    free = POSE + IDENTITIES
    across = normal[:, :free, free:]
    solved = np.linalg.solve(normal[:, :free, :free], np.concatenate((across, right[:, :free, None]), axis=2))
    follows, alone = solved[..., :-1], solved[..., -1]
    hessian = normal[:, free:, free:] - np.matmul(across.swapaxes(1, 2), follows)
    gradient = right[:, free:] - np.matmul(across.swapaxes(1, 2), alone[..., None])[..., 0]
    strength = state.coefficients[:, IDENTITIES:]
    change = bounded_step(hessian, gradient, strength, prior.slope, prior.limit) - strength
    step = alone - np.matmul(follows, change[..., None])[..., 0]
    return _moved(state, np.concatenate((step, change), axis=1))


def _rows(state: State, shape: np.ndarray, seen: Observations, weight: np.ndarray) -> _Rows:
    """Residuals, label minus model, and the model's derivatives by the pose; without the gaps."""
    camera = state.see(shape)
    batch, count = camera.shape[:2]
    points = _turned_by(camera, state)
    ahead, trust, direction = excess(camera, state.rotation, seen.absent)
    vertical = state.rotation[:, :, 1]
    level = np.zeros((batch, 1, POSE))
    level[:, 0, 0], level[:, 0, 1] = vertical[:, 1], -vertical[:, 0]
    return _Rows(
        residual=np.concatenate(((seen.points - camera[..., :2]).reshape(batch, -1), -vertical[:, 2:], -ahead), axis=1),
        weight=np.concatenate(
            (np.repeat(weight, 2, axis=1), (NOISE / elevation_sigma(state.rotation)[:, None]) ** 2, trust), axis=1
        ),
        pose=np.concatenate(
            (points.reshape(batch, 2 * count, POSE), level, _along(points[:, FAR] - points[:, MIDDLE], direction)),
            axis=1,
        ),
        direction=direction,
    )


def _with_gaps(rows: _Rows, state: State, shape: np.ndarray, seen: Observations) -> _Rows:
    """The rows with those of the lids' and lips' gaps behind them."""
    camera = state.see(shape)
    up = vertical(state)
    labeled, trust = observed(seen, up)
    off = labeled - np.matmul(camera[:, UPPER, :2] - camera[:, LOWER, :2], up[:, :, None])[..., 0]
    points = _turned_by(camera, state)
    return replace(
        rows,
        residual=np.concatenate((rows.residual, off), axis=1),
        weight=np.concatenate((rows.weight, robust(off, trust) * (NOISE / GAP_NOISE) ** 2), axis=1),
        pose=np.concatenate((rows.pose, _along(points[:, UPPER] - points[:, LOWER], up)), axis=1),
    )


def vertical(state: State) -> np.ndarray:
    """(B, 2) unit vector of the picture, y up, in which the head's vertical points."""
    up = state.rotation[:, :2, 1]
    return up / np.maximum(np.linalg.norm(up, axis=1, keepdims=True), 1e-9)


def _turned_by(camera: np.ndarray, state: State) -> np.ndarray:
    """(B, N, 3) seen points -> (B, N, 2, 6) derivatives by the pose: a small turn w moves a point p by w x p."""
    x, y, z = camera[..., 0] - state.shift[:, :1], camera[..., 1] - state.shift[:, 1:], camera[..., 2]
    moved = np.zeros((*camera.shape[:2], 2, POSE))
    moved[:, :, 0, 1], moved[:, :, 0, 2], moved[:, :, 0, 3], moved[:, :, 0, 5] = z, -y, 1, x
    moved[:, :, 1, 0], moved[:, :, 1, 2], moved[:, :, 1, 4], moved[:, :, 1, 5] = -z, x, 1, y
    return moved


def _bend(state: State, basis: PlacedBasis, rows: _Rows) -> np.ndarray:
    """Derivatives of all rows by the coefficients: (B, R, 96) float32."""
    camera = (state.rotation[:, :2] * state.scale[:, None, None]).astype(np.float32)
    moved = basis.pictured(camera)
    batch, count = moved.shape[:2]
    return np.concatenate(
        (
            moved.reshape(batch, 2 * count, COEFFICIENTS),
            np.zeros((batch, 1, COEFFICIENTS), np.float32),
            _along(moved[:, FAR] - moved[:, MIDDLE], rows.direction.astype(np.float32)),
            _along(moved[:, UPPER] - moved[:, LOWER], vertical(state).astype(np.float32)),
        ),
        axis=1,
    )


def _along(moved: np.ndarray, direction: np.ndarray) -> np.ndarray:
    """(B, N, 2, K) derivatives of picture vectors -> (B, N, K) of their part along a direction (B, 2)."""
    return moved[:, :, 0] * direction[:, None, :1] + moved[:, :, 1] * direction[:, None, 1:]


def _moved(state: State, step: np.ndarray) -> State:
    turn = step[:, :3]
    size = np.linalg.norm(turn, axis=1, keepdims=True)
    turn = turn * np.minimum(1, _LARGEST_TURN / np.maximum(size, 1e-12))
    moved = replace(
        state,
        rotation=_rodrigues(turn) @ state.rotation,
        shift=state.shift + step[:, 3:5],
        scale=state.scale * np.exp(np.clip(step[:, 5], -0.5, 0.5)),
    )
    return moved if step.shape[1] == POSE else replace(moved, coefficients=state.coefficients + step[:, POSE:])


def _rodrigues(turn: np.ndarray) -> np.ndarray:
    """(B, 3) rotation vectors -> (B, 3, 3)."""
    angle = np.linalg.norm(turn, axis=1)[:, None, None]
    axis = turn / np.maximum(angle[:, 0], 1e-12)
    cross = np.zeros((len(turn), 3, 3))
    cross[:, 0, 1], cross[:, 0, 2], cross[:, 1, 2] = -axis[:, 2], axis[:, 1], -axis[:, 0]
    cross -= cross.swapaxes(1, 2)
    return np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * (cross @ cross)
