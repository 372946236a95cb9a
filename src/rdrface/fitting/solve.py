"""Gauss-Newton steps of many faces at once: rotation, translation, scale, identity and expression together."""

from dataclasses import dataclass, replace

import numpy as np

from rdrface.fitting.basis import COEFFICIENTS, IDENTITIES
from rdrface.fitting.beyond import FAR, MIDDLE, excess
from rdrface.fitting.observations import Observations

POSE = 6  # rotation vector 3, translation 2, log of the scale 1
NOISE = 0.0175
"""Standard deviation of an annotated coordinate, in units of sqrt(w h)."""
_LARGEST_TURN = 0.5  # radians per step
_BOX_SIGMA = 0.1  # how softly expression coefficients stay within 0..1
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
class _Rows:
    """One linear system per face: residuals (B, R), weights (B, R), derivatives by the pose (B, R, 6); R = 2 N + more.

    The rows are x and y of the N points in turn, then what `excess` says, then the elevation. `direction` (B, 2) is
    needed to carry the derivatives of points over to the rows of `excess`.
    """

    residual: np.ndarray
    weight: np.ndarray
    pose: np.ndarray
    direction: np.ndarray


def shape_of(mean: np.ndarray, basis: np.ndarray, coefficients: np.ndarray) -> np.ndarray:
    """(B, N, 3) mean, (B, N, K, 3) basis, (B, K) -> (B, N, 3) mm."""
    return mean + np.matmul(coefficients[:, None, None].astype(np.float32), basis)[:, :, 0]


def elevation_sigma(rotation: np.ndarray) -> np.ndarray:
    """(B, 3, 3) -> (B,) standard deviation of the sine of the angle from which a face is seen above its own level.

    Heads nod more than they lean to the side: a frontal face varies more than a profile.
    """
    return 0.08 + 0.24 * np.maximum(rotation[:, 2, 2], 0)


def step_pose(state: State, shape: np.ndarray, seen: Observations, weight: np.ndarray) -> State:
    """One step of rotation, shift and scale; the shape (B, 68, 3) stays. weight (B, 68)."""
    rows = _rows(state, shape, seen, weight)
    transposed = rows.pose.swapaxes(1, 2) * rows.weight[:, None]
    normal = transposed @ rows.pose + _DAMPING * np.eye(POSE)
    return _moved(state, np.linalg.solve(normal, transposed @ rows.residual[..., None])[..., 0])


def step_all(
    state: State, mean: np.ndarray, basis: np.ndarray, seen: Observations, weight: np.ndarray, sigma: np.ndarray
) -> State:
    """One step of everything.

    Args:
        state: where to start from.
        mean: (B, 68, 3), basis: (B, 68, 96, 3), mm: the landmarks as they lie on the face now.
        seen: the labels.
        weight: (B, 68), trust in each label, robust weights included.
        sigma: (96,) standard deviations of the coefficients' priors.
    """
    rows = _rows(state, shape_of(mean, basis, state.coefficients), seen, weight)
    full = np.concatenate((rows.pose.astype(np.float32), _bend(state, basis, rows.direction)), axis=2)
    transposed = full.swapaxes(1, 2) * (rows.weight / NOISE**2).astype(np.float32)[:, None]
    normal = (transposed @ full).astype(np.float64)
    right = (transposed @ rows.residual.astype(np.float32)[..., None])[..., 0].astype(np.float64)

    pull = np.broadcast_to(1 / sigma**2, state.coefficients.shape).copy()
    right[:, POSE:] -= pull * state.coefficients
    strength = state.coefficients[:, IDENTITIES:]
    outside = strength - np.clip(strength, 0, 1)
    pull[:, IDENTITIES:] += (outside != 0) / _BOX_SIGMA**2
    right[:, POSE + IDENTITIES :] -= outside / _BOX_SIGMA**2
    diagonal = np.arange(POSE + COEFFICIENTS)
    normal[:, diagonal[:POSE], diagonal[:POSE]] *= 1 + _DAMPING
    normal[:, diagonal[POSE:], diagonal[POSE:]] += pull
    return _moved(state, np.linalg.solve(normal, right[..., None])[..., 0])


def _rows(state: State, shape: np.ndarray, seen: Observations, weight: np.ndarray) -> _Rows:
    """Residuals, label minus model, and the model's derivatives by the pose."""
    camera = state.see(shape)
    batch, count = camera.shape[:2]
    x, y, z = camera[..., 0] - state.shift[:, :1], camera[..., 1] - state.shift[:, 1:], camera[..., 2]
    one, none = np.ones_like(x), np.zeros_like(x)
    # A small turn w moves a point p by w x p.
    points = np.stack(
        (np.stack((none, z, -y, one, none, x), axis=-1), np.stack((-z, none, x, none, one, y), axis=-1)), axis=2
    )
    ahead, trust, direction = excess(camera, state.rotation, seen.absent)
    between = ((points[:, FAR] - points[:, MIDDLE]) * direction[:, None, :, None]).sum(axis=2)
    up = state.rotation[:, :, 1]
    level = np.zeros((batch, 1, POSE))
    level[:, 0, 0], level[:, 0, 1] = up[:, 1], -up[:, 0]
    return _Rows(
        residual=np.concatenate(((seen.points - camera[..., :2]).reshape(batch, -1), -ahead, -up[:, 2:]), axis=1),
        weight=np.concatenate(
            (np.repeat(weight, 2, axis=1), trust, (NOISE / elevation_sigma(state.rotation)[:, None]) ** 2), axis=1
        ),
        pose=np.concatenate((points.reshape(batch, 2 * count, POSE), between, level), axis=1),
        direction=direction,
    )


def _bend(state: State, basis: np.ndarray, direction: np.ndarray) -> np.ndarray:
    """Derivatives of all rows by the coefficients: (B, R, 96) float32."""
    batch, count = basis.shape[:2]
    to_picture = (state.rotation[:, :2] * state.scale[:, None, None]).astype(np.float32)
    moved = np.matmul(basis.reshape(batch, -1, 3), to_picture.swapaxes(1, 2)).reshape(batch, count, COEFFICIENTS, 2)
    between = np.matmul(moved[:, FAR] - moved[:, MIDDLE], direction[:, None, :, None].astype(np.float32))[..., 0]
    points = moved.swapaxes(2, 3).reshape(batch, 2 * count, COEFFICIENTS)
    return np.concatenate((points, between, np.zeros((batch, 1, COEFFICIENTS), np.float32)), axis=1)


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
