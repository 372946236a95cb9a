"""Fits the face model to annotated faces: Q, the landmarks in both contour conventions, and self-occlusion."""

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from tqdm import tqdm

from rdrface.datasets.records import FaceRecords
from rdrface.fitting.basis import LandmarkBasis, mean_normals
from rdrface.fitting.expression_prior import exclude_weaker, prior_costs, prior_slopes
from rdrface.fitting.gauss_newton import POINT_STD, FitState, Prior, step_all
from rdrface.fitting.initial_pose import initial_pose
from rdrface.fitting.observations import Observations
from rdrface.geometry.boxes import bounding_boxes, box_size
from rdrface.geometry.rotation import euler_angles
from rdrface.geometry.visibility import occluded_by_mesh
from rdrface.landmarks import CONTOUR, NUM_LANDMARKS
from rdrface.morphable.model import FaceModel, SurfacePoints
from rdrface.morphable.params import EXPRESSION, IDENTITY, NUM_EXPRESSION, NUM_PARAMETERS, POSE

ROUNDS = 12
_BATCH = 128
_OUTLIER = 2.5  # standard deviations at which a point's weight is halved
_TOLERANT_ROUNDS = 3
_TOLERANCE = 4
"""In the first rounds `_OUTLIER` is larger by this factor, because even correct points are then far from the fit."""
_IDENTITY_STD = np.array([0.3, 0.3, 0.5, 0.7])
"""Prior standard deviation of the identity coefficients in the first rounds; it is 1 afterwards. The small values make
the fit explain movements by expression before identity."""
_EXCLUSION_ROUND = 3
"""Round from which the weaker one of two active antagonists is held at 0."""


def fit_records(
    records: FaceRecords, model: FaceModel, *, rounds: int = ROUNDS, progress: bool | None = None
) -> FaceRecords:
    """Fit the face model to every face of the records.

    The pose is initialized from several angles. Each round then finds the contour landmarks' positions on the face
    for the current pose, reduces the weights of points far from the fit, and takes one Gauss-Newton step of pose,
    identity and expression together. Identity has a Gaussian prior; expression is bounded to 0..1 and sparse
    (`rdrface.fitting.expression_prior`).

    Args:
        records: N faces with points; their `contour` is the convention of points 0-16.
        model: the face model.
        rounds: number of Gauss-Newton steps.
        progress: show a progress bar; None shows it on a terminal only.

    Returns:
        The records with Q (image frame), outline, jawline, hidden and residual; `box` is the box of the fitted
        landmarks in the visible-outline convention.

    Raises:
        ValueError: a face has fewer than six points with a position.
    """
    observations = Observations.of(records)
    fitter = _Fitter.of(model, with_jawline=observations.points.shape[1] > NUM_LANDMARKS)
    batches = [np.arange(first, min(first + _BATCH, len(records))) for first in range(0, len(records), _BATCH)]
    fits: list[dict[str, np.ndarray]] = []
    # NumPy releases the interpreter's lock while it works on large arrays, so threads share the cores.
    with (
        ThreadPoolExecutor(os.cpu_count()) as pool,
        tqdm(
            total=len(records), unit="face", desc="fitting", disable=None if progress is None else not progress
        ) as bar,
    ):
        for fit in pool.map(lambda index: fitter.fit(observations.select(index), rounds), batches):
            fits.append(fit)
            bar.update(len(fit["Q"]))
    shapes = {
        "Q": (0, NUM_PARAMETERS),
        "outline": (0, NUM_LANDMARKS, 2),
        "jawline": (0, NUM_LANDMARKS, 2),
        "hidden": (0, NUM_LANDMARKS),
        "residual": (0,),
    }
    joined: dict[str, Any] = {
        name: np.concatenate([fit[name] for fit in fits]) if fits else np.zeros(shape) for name, shape in shapes.items()
    }
    return replace(records, box=bounding_boxes(joined["outline"]), **joined)


@dataclass(frozen=True)
class _Fitter:
    """The face model prepared for fitting.

    Attributes:
        model: the face model.
        basis: mean and basis of the model's L points.
        normals: (L, 3) unit normals of the mean face at its points.
        costs: (46,) see `prior_costs`.
    """

    model: FaceModel
    basis: LandmarkBasis
    normals: np.ndarray
    costs: np.ndarray

    @classmethod
    def of(cls, model: FaceModel, with_jawline: bool) -> "_Fitter":
        """Prepare a model; `with_jawline` adds the 17 jawline points after the 68 landmarks."""
        landmarks = model.points["ibug68"]
        basis, normals = LandmarkBasis.from_model(model), mean_normals(model, landmarks)
        if with_jawline:
            jawline = SurfacePoints(landmarks.triangle[CONTOUR], landmarks.barycentric[CONTOUR])
            basis, normals = basis.extended(model.reduced(jawline)), np.concatenate((normals, normals[CONTOUR]))
        return cls(model, basis, normals, prior_costs(model.expression_names))

    def fit(self, observations: Observations, rounds: int) -> dict[str, np.ndarray]:
        """The fields of `FaceRecords` that a fit adds, by name."""
        state = initial_pose(observations, self.basis, self.normals)
        upper_bound = np.ones((len(observations.points), NUM_EXPRESSION))
        for i in range(rounds):
            basis = self.basis.with_contour(self._contour_positions(state, observations))
            if i >= _EXCLUSION_ROUND:
                upper_bound = exclude_weaker(state.expression, upper_bound, self.model.expression_names)
            residual = observations.points - state.project(basis.shape(state.coefficients))[..., :2]
            distance = np.linalg.norm(residual, axis=-1) / POINT_STD
            outlier = _OUTLIER * (_TOLERANCE if i < _TOLERANT_ROUNDS else 1)
            weight = observations.weight / (1 + (distance / outlier) ** 2)
            identity_std = float(_IDENTITY_STD[i]) if i < len(_IDENTITY_STD) else 1.0
            prior = Prior(identity_std, prior_slopes(self.costs, state.expression), upper_bound)
            state = step_all(state, basis, observations, weight, prior)
        return self._results(state, observations)

    def _contour_positions(self, state: FitState, observations: Observations) -> np.ndarray:
        positions = self.basis.contour_positions(state.coefficients, state.rotation)
        return np.where(observations.outline[:, None], positions, 0)

    def _results(self, state: FitState, observations: Observations) -> dict[str, np.ndarray]:
        q = _parameters(state, observations)
        outline, jawline = (points[..., :2] for points in self.basis.landmarks.outline68(q))
        on_outline = self.basis.with_contour(self.basis.contour_positions(state.coefficients, state.rotation))
        landmarks = on_outline.shape(state.coefficients)[:, :NUM_LANDMARKS]
        vertices = self.model.shape(q[:, IDENTITY], q[:, EXPRESSION])
        hidden = occluded_by_mesh(landmarks, vertices, self.model.triangles, q[:, POSE])
        projected = np.where(observations.outline[:, None, None], outline, jawline)
        annotated = observations.to_image(observations.points[:, :NUM_LANDMARKS])
        known = observations.weight[:, :NUM_LANDMARKS] > 0
        distance = np.linalg.norm(projected - annotated, axis=-1)
        size = box_size(bounding_boxes(projected))
        residual = 100 * (distance * known).sum(axis=1) / known.sum(axis=1) / size
        return {"Q": q, "outline": outline, "jawline": jawline, "hidden": hidden, "residual": residual}


def _parameters(state: FitState, observations: Observations) -> np.ndarray:
    """(B, 103) float32 Q in the image frame.

    Translation along the line of sight does not change the projection; t is the shortest of all solutions.
    """
    size, center = observations.size, observations.center
    f = state.scale * size
    x = state.shift[:, 0] * size + center[:, 0]
    y = state.shift[:, 1] * size - center[:, 1]  # up
    t = (state.rotation[:, 0] * x[:, None] + state.rotation[:, 1] * y[:, None]) / f[:, None]
    q = np.concatenate((state.identity, euler_angles(state.rotation), t, f[:, None], state.expression), axis=1)
    return q.astype(np.float32)
