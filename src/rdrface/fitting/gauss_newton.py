"""Gauss-Newton steps for many faces at once: rotation, translation, scale, identity and expression together."""

from dataclasses import dataclass, replace

import numpy as np

from rdrface.fitting.apertures import APERTURE_STD, LOWER, UPPER, observed_apertures, robust_weights
from rdrface.fitting.basis import NUM_COEFFICIENTS, BatchBasis
from rdrface.fitting.expression_prior import bounded_step
from rdrface.fitting.observations import Observations
from rdrface.fitting.profile_constraint import FAR, MIDLINE, profile_excess
from rdrface.morphable.params import NUM_IDENTITY

POINT_STD = 0.0175
"""Standard deviation of an annotated coordinate, in units of sqrt(w h)."""

_POSE_STEP = 6
"""Size of a step of the pose: rotation vector (3), translation (2), logarithm of the scale (1)."""
_LARGEST_ROTATION = 0.5  # radians per step
_DAMPING = 1e-3


@dataclass(frozen=True)
class FitState:
    """Estimates of B faces in the frames of their observations: camera = scale * rotation @ S + shift, y up.

    Attributes:
        rotation: (B, 3, 3) float64.
        shift: (B, 2) float64.
        scale: (B,) float64, units of the frame per mm.
        coefficients: (B, 96) float64, identity first.
    """

    rotation: np.ndarray
    shift: np.ndarray
    scale: np.ndarray
    coefficients: np.ndarray

    @property
    def identity(self) -> np.ndarray:
        """(B, 50) alpha_id."""
        return self.coefficients[:, :NUM_IDENTITY]

    @property
    def expression(self) -> np.ndarray:
        """(B, 46) alpha_exp."""
        return self.coefficients[:, NUM_IDENTITY:]

    def project(self, shape: np.ndarray) -> np.ndarray:
        """(B, N, 3) mm -> (B, N, 3) float64: x, y (up) and z in the frames of the observations; z is not shifted."""
        points: np.ndarray = shape @ (self.rotation * self.scale[:, None, None]).swapaxes(1, 2)
        points[..., :2] += self.shift[:, None]
        return points

    def vertical(self) -> np.ndarray:
        """(B, 2) unit vector of the image, y up: the projected vertical of the head."""
        up = self.rotation[:, :2, 1]
        unit: np.ndarray = up / np.maximum(np.linalg.norm(up, axis=1, keepdims=True), 1e-9)
        return unit


@dataclass(frozen=True)
class Prior:
    """Prior of the coefficients in one step.

    Attributes:
        identity_std: standard deviation of the identity coefficients.
        slope: (B, 46) slopes of the expression prior, see `rdrface.fitting.expression_prior`.
        upper_bound: (B, 46) upper bounds of the expression coefficients.
    """

    identity_std: float
    slope: np.ndarray
    upper_bound: np.ndarray


@dataclass(frozen=True)
class _Equations:
    """Linearized least-squares equations of every face.

    The R rows: x and y of each of the L points in turn, the elevation, the 38 profile constraints, and the 7 apertures
    if they are included.

    Attributes:
        residual: (B, R) observed minus fitted.
        weight: (B, R).
        pose_jacobian: (B, R, 6) derivatives of the fitted values with respect to the pose.
        profile_direction: (B, 2) direction of the profile constraints, see `profile_excess`.
    """

    residual: np.ndarray
    weight: np.ndarray
    pose_jacobian: np.ndarray
    profile_direction: np.ndarray


def elevation_std(rotation: np.ndarray) -> np.ndarray:
    """Prior standard deviation of the elevation, the sine of the angle from which the camera looks down on the face.

    Heads pitch more than they roll: the elevation of a frontal face varies more than that of a profile.

    Args:
        rotation: (B, 3, 3).

    Returns:
        (B,).
    """
    weight: np.ndarray = 0.08 + 0.24 * np.maximum(rotation[:, 2, 2], 0)
    return weight


def step_pose(state: FitState, shape: np.ndarray, observations: Observations, weight: np.ndarray) -> FitState:
    """One step of rotation, shift and scale for a given shape (B, L, 3) mm and weights of the points (B, L)."""
    equations = _point_equations(state, shape, observations, weight)
    transposed = equations.pose_jacobian.swapaxes(1, 2) * equations.weight[:, None]
    normal = transposed @ equations.pose_jacobian + _DAMPING * np.eye(_POSE_STEP)
    return _updated(state, np.linalg.solve(normal, transposed @ equations.residual[..., None])[..., 0])


def step_all(
    state: FitState, basis: BatchBasis, observations: Observations, weight: np.ndarray, prior: Prior
) -> FitState:
    """One step of pose, identity and expression; the expression stays within its bounds.

    Args:
        state: current estimates.
        basis: the landmarks with the contour at its current positions.
        observations: the annotated points.
        weight: (B, L) weight of each point, robust weights included.
        prior: prior of the coefficients.
    """
    shape = basis.shape(state.coefficients)
    equations = _point_equations(state, shape, observations, weight)
    equations = _with_apertures(equations, state, shape, observations)
    jacobian = np.concatenate(
        (equations.pose_jacobian.astype(np.float32), _coefficient_jacobian(state, basis, equations)), axis=2
    )
    transposed = (jacobian * (equations.weight / POINT_STD**2).astype(np.float32)[..., None]).swapaxes(1, 2)
    normal = np.matmul(transposed, jacobian).astype(np.float64)
    right = np.matmul(transposed, equations.residual.astype(np.float32)[..., None])[..., 0].astype(np.float64)

    free = _POSE_STEP + NUM_IDENTITY
    right[:, _POSE_STEP:free] -= state.identity / prior.identity_std**2
    diagonal = np.arange(free)
    normal[:, diagonal[:_POSE_STEP], diagonal[:_POSE_STEP]] *= 1 + _DAMPING
    normal[:, diagonal[_POSE_STEP:], diagonal[_POSE_STEP:]] += 1 / prior.identity_std**2

    # Pose and identity are unbounded, so they are eliminated (Schur complement): for every expression the step takes
    # the best pose and identity.
    across = normal[:, :free, free:]
    solved = np.linalg.solve(normal[:, :free, :free], np.concatenate((across, right[:, :free, None]), axis=2))
    by_expression, without_expression = solved[..., :-1], solved[..., -1]
    hessian = normal[:, free:, free:] - np.matmul(across.swapaxes(1, 2), by_expression)
    gradient = right[:, free:] - np.matmul(across.swapaxes(1, 2), without_expression[..., None])[..., 0]
    strength = state.expression
    change = bounded_step(hessian, gradient, strength, prior.slope, prior.upper_bound) - strength
    step = without_expression - np.matmul(by_expression, change[..., None])[..., 0]
    return _updated(state, np.concatenate((step, change), axis=1))


def _point_equations(state: FitState, shape: np.ndarray, observations: Observations, weight: np.ndarray) -> _Equations:
    """Equations of the points, the elevation and the profile constraints."""
    projected = state.project(shape)
    batch, count = projected.shape[:2]
    points = _pose_jacobian(projected, state)
    excess, excess_weight, direction = profile_excess(projected, state.rotation, observations.self_occluded)
    vertical = state.rotation[:, :, 1]
    elevation = np.zeros((batch, 1, _POSE_STEP))
    elevation[:, 0, 0], elevation[:, 0, 1] = vertical[:, 1], -vertical[:, 0]
    return _Equations(
        residual=np.concatenate(
            ((observations.points - projected[..., :2]).reshape(batch, -1), -vertical[:, 2:], -excess), axis=1
        ),
        weight=np.concatenate(
            (
                np.repeat(weight, 2, axis=1),
                (POINT_STD / elevation_std(state.rotation)[:, None]) ** 2,
                excess_weight,
            ),
            axis=1,
        ),
        pose_jacobian=np.concatenate(
            (
                points.reshape(batch, 2 * count, _POSE_STEP),
                elevation,
                _component_along(points[:, FAR] - points[:, MIDLINE], direction),
            ),
            axis=1,
        ),
        profile_direction=direction,
    )


def _with_apertures(
    equations: _Equations, state: FitState, shape: np.ndarray, observations: Observations
) -> _Equations:
    """The equations followed by those of the apertures of lids and lips."""
    projected = state.project(shape)
    up = state.vertical()
    observed, weight = observed_apertures(observations, up)
    residual = observed - np.matmul(projected[:, UPPER, :2] - projected[:, LOWER, :2], up[:, :, None])[..., 0]
    weight = robust_weights(residual, weight) * (POINT_STD / APERTURE_STD) ** 2
    points = _pose_jacobian(projected, state)
    by_pose = _component_along(points[:, UPPER] - points[:, LOWER], up)
    return replace(
        equations,
        residual=np.concatenate((equations.residual, residual), axis=1),
        weight=np.concatenate((equations.weight, weight), axis=1),
        pose_jacobian=np.concatenate((equations.pose_jacobian, by_pose), axis=1),
    )


def _pose_jacobian(projected: np.ndarray, state: FitState) -> np.ndarray:
    """(B, N, 3) projected points -> (B, N, 2, 6) derivatives; a small rotation w moves a point p by w x p."""
    x, y, z = projected[..., 0] - state.shift[:, :1], projected[..., 1] - state.shift[:, 1:], projected[..., 2]
    jacobian = np.zeros((*projected.shape[:2], 2, _POSE_STEP))
    jacobian[:, :, 0, 1], jacobian[:, :, 0, 2], jacobian[:, :, 0, 3], jacobian[:, :, 0, 5] = z, -y, 1, x
    jacobian[:, :, 1, 0], jacobian[:, :, 1, 2], jacobian[:, :, 1, 4], jacobian[:, :, 1, 5] = -z, x, 1, y
    return jacobian


def _coefficient_jacobian(state: FitState, basis: BatchBasis, equations: _Equations) -> np.ndarray:
    """(B, R, 96) float32 derivatives of all rows with respect to the coefficients."""
    camera = (state.rotation[:, :2] * state.scale[:, None, None]).astype(np.float32)
    points = basis.projected(camera)
    batch, count = points.shape[:2]
    return np.concatenate(
        (
            points.reshape(batch, 2 * count, NUM_COEFFICIENTS),
            np.zeros((batch, 1, NUM_COEFFICIENTS), np.float32),
            _component_along(points[:, FAR] - points[:, MIDLINE], equations.profile_direction.astype(np.float32)),
            _component_along(points[:, UPPER] - points[:, LOWER], state.vertical().astype(np.float32)),
        ),
        axis=1,
    )


def _component_along(vectors: np.ndarray, direction: np.ndarray) -> np.ndarray:
    """(B, N, 2, K) derivatives of image vectors -> (B, N, K) of their components along directions (B, 2)."""
    component: np.ndarray = vectors[:, :, 0] * direction[:, None, :1] + vectors[:, :, 1] * direction[:, None, 1:]
    return component


def _updated(state: FitState, step: np.ndarray) -> FitState:
    rotation_step = step[:, :3]
    angle = np.linalg.norm(rotation_step, axis=1, keepdims=True)
    rotation_step = rotation_step * np.minimum(1, _LARGEST_ROTATION / np.maximum(angle, 1e-12))
    updated = replace(
        state,
        rotation=_rodrigues(rotation_step) @ state.rotation,
        shift=state.shift + step[:, 3:5],
        scale=state.scale * np.exp(np.clip(step[:, 5], -0.5, 0.5)),
    )
    if step.shape[1] == _POSE_STEP:
        return updated
    return replace(updated, coefficients=state.coefficients + step[:, _POSE_STEP:])


def _rodrigues(vector: np.ndarray) -> np.ndarray:
    """(B, 3) rotation vectors -> (B, 3, 3) rotation matrices."""
    angle = np.linalg.norm(vector, axis=1)[:, None, None]
    axis = vector / np.maximum(angle[:, 0], 1e-12)
    cross = np.zeros((len(vector), 3, 3))
    cross[:, 0, 1], cross[:, 0, 2], cross[:, 1, 2] = -axis[:, 2], axis[:, 1], -axis[:, 0]
    cross -= cross.swapaxes(1, 2)
    rotation: np.ndarray = np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * (cross @ cross)
    return rotation
