"""Gauss-Newton steps of many faces at once: rotation, translation, scale, identity and expression together."""

from dataclasses import dataclass, replace

import numpy as np

from rdrface.fitting.basis import COEFFICIENTS, IDENTITIES
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

    def select(self, index: np.ndarray) -> "State":
        """The faces named by an index array."""
        return State(self.rotation[index], self.shift[index], self.scale[index], self.coefficients[index])

    def see(self, shape: np.ndarray) -> np.ndarray:
        """(B, N, 3) mm -> (B, N, 3) float64: x, y (up) and z in the observations' frame, without the shift in z."""
        camera = shape @ (self.rotation * self.scale[:, None, None]).swapaxes(1, 2)
        camera[..., :2] += self.shift[:, None]
        return camera


def shape_of(mean: np.ndarray, basis: np.ndarray, coefficients: np.ndarray) -> np.ndarray:
    """(B, N, 3) mean, (B, N, K, 3) basis, (B, K) -> (B, N, 3) mm."""
    return mean + np.einsum("bnkc,bk->bnc", basis, coefficients.astype(np.float32), optimize=True)


def step_pose(state: State, shape: np.ndarray, seen: Observations, weight: np.ndarray) -> State:
    """One step of rotation, shift and scale; the shape (B, N, 3) stays."""
    residual, jacobian = _pose_jacobian(state, shape, seen)
    w = np.repeat(weight, 2, axis=1)[:, None]
    transposed = jacobian.swapaxes(1, 2)
    normal = (transposed * w) @ jacobian + _DAMPING * np.eye(POSE)
    return _moved(state, np.linalg.solve(normal, ((transposed * w) @ residual[..., None]))[..., 0])


def step_all(
    state: State, mean: np.ndarray, basis: np.ndarray, seen: Observations, weight: np.ndarray, sigma: np.ndarray
) -> State:
    """One step of everything.

    Args:
        state: where to start from.
        mean: (B, N, 3), basis: (B, N, 96, 3), mm: the landmarks as they lie on the face now.
        seen: the labels.
        weight: (B, N), trust in each label, robust weights included.
        sigma: (96,) standard deviations of the coefficients' priors.
    """
    residual, jacobian = _pose_jacobian(state, shape_of(mean, basis, state.coefficients), seen)
    batch, rows = residual.shape
    toward = (state.rotation[:, :2] * state.scale[:, None, None]).astype(np.float32)
    bend = np.matmul(basis.reshape(batch, -1, 3), toward.swapaxes(1, 2)).reshape(batch, -1, COEFFICIENTS, 2)
    full = np.concatenate((jacobian.astype(np.float32), bend.swapaxes(2, 3).reshape(batch, rows, COEFFICIENTS)), axis=2)
    transposed = full.swapaxes(1, 2) * np.repeat(weight, 2, axis=1).astype(np.float32)[:, None]
    normal = (transposed @ full).astype(np.float64) / NOISE**2
    right = (transposed @ residual.astype(np.float32)[..., None])[..., 0].astype(np.float64) / NOISE**2

    pull = np.broadcast_to(1 / sigma**2, state.coefficients.shape).copy()
    right[:, POSE:] -= pull * state.coefficients
    face = state.coefficients[:, IDENTITIES:]
    outside = face - np.clip(face, 0, 1)
    pull[:, IDENTITIES:] += (outside != 0) / _BOX_SIGMA**2
    right[:, POSE + IDENTITIES :] -= outside / _BOX_SIGMA**2
    diagonal = np.arange(POSE + COEFFICIENTS)
    normal[:, diagonal[:POSE], diagonal[:POSE]] *= 1 + _DAMPING
    normal[:, diagonal[POSE:], diagonal[POSE:]] += pull
    return _moved(state, np.linalg.solve(normal, right[..., None])[..., 0])


def _pose_jacobian(state: State, shape: np.ndarray, seen: Observations) -> tuple[np.ndarray, np.ndarray]:
    """Residuals (B, 2N), label minus model, and the model's derivatives (B, 2N, 6)."""
    camera = state.see(shape)
    batch, count = camera.shape[:2]
    residual = (seen.points - camera[..., :2]).reshape(batch, -1)
    x, y, z = camera[..., 0] - state.shift[:, :1], camera[..., 1] - state.shift[:, 1:], camera[..., 2]
    one, none = np.ones_like(x), np.zeros_like(x)
    # A small turn w moves a point p by w x p.
    of_x = np.stack((none, z, -y, one, none, x), axis=-1)
    of_y = np.stack((-z, none, x, none, one, y), axis=-1)
    return residual, np.stack((of_x, of_y), axis=2).reshape(batch, 2 * count, POSE)


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
