"""Fit the face model to annotated faces: Q, both contour conventions, and what the head hides (design decision 6)."""

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from tqdm import tqdm

from rdrface.datasets.records import FaceRecords
from rdrface.fitting.basis import EXPRESSIONS, IDENTITIES, LandmarkBasis
from rdrface.fitting.expression_prior import exclude_weaker, prior_costs, slopes
from rdrface.fitting.gauss_newton import NOISE, Prior, State, step_all
from rdrface.fitting.initial_pose import start
from rdrface.fitting.observations import Observations
from rdrface.geometry.boxes import bounding_boxes
from rdrface.geometry.rotation import euler_angles
from rdrface.geometry.visibility import occluded_by_mesh
from rdrface.landmarks import CONTOUR, NUM_LANDMARKS
from rdrface.morphable.model import FaceModel, SurfacePoints
from rdrface.morphable.params import EXPRESSION, IDENTITY, POSE

ROUNDS = 12
_BATCH = 128
_OUTLIER = 2.5  # standard deviations at which a label's weight has fallen to a half
_IDENTITY = np.array([0.3, 0.3, 0.5, 0.7])
"""Standard deviation granted to identity in the first rounds, 1 from then on: expression explains first what it can."""
_EXCLUDING = 3
"""Round from which one of two antagonists is held at 0."""


def fit_records(
    records: FaceRecords, model: FaceModel, *, rounds: int = ROUNDS, progress: bool | None = None
) -> FaceRecords:
    """Fit the face model to every face of the records.

    Pose from several starts; then rounds of one Gauss-Newton step of pose, identity and expression together, each with
    the contour's place on the face found again and with weights that fall for labels far from the fit. Identity is held
    by a Gaussian prior; expression is bounded to 0..1 and sparse (`rdrface.fitting.expression_prior`).

    Args:
        records: N faces with points; their `contour` says which convention the points 0-16 follow.
        model: the face model.
        rounds: steps of everything together.
        progress: show a progress bar; None shows it on a terminal only.

    Returns:
        The records with Q (photo frame), outline, jawline, hidden and residual; `box` is that of the fitted outline.

    Raises:
        ValueError: a face with fewer than six positions.
    """
    observed = Observations.of(records)
    fitter = _Fitter.of(model, with_jawline=observed.points.shape[1] > NUM_LANDMARKS)
    parts = [np.arange(first, min(first + _BATCH, len(records))) for first in range(0, len(records), _BATCH)]
    found: list[dict[str, np.ndarray]] = []
    # NumPy leaves the interpreter's lock during its work on large arrays, so threads share the cores.
    with (
        ThreadPoolExecutor(os.cpu_count()) as pool,
        tqdm(
            total=len(records), unit="face", desc="fitting", disable=None if progress is None else not progress
        ) as bar,
    ):
        for result in pool.map(lambda index: fitter.fit(observed.select(index), rounds), parts):
            found.append(result)
            bar.update(len(result["Q"]))
    empty = {"Q": (0, 103), "outline": (0, 68, 2), "jawline": (0, 68, 2), "hidden": (0, 68), "residual": (0,)}
    joined: dict[str, Any] = {
        name: np.concatenate([part[name] for part in found]) if found else np.zeros(shape)
        for name, shape in empty.items()
    }
    return replace(records, box=bounding_boxes(joined["outline"]), **joined)


@dataclass(frozen=True)
class _Fitter:
    """The face model prepared for fitting; `normals` (L, 3) are those of the mean face at its points."""

    model: FaceModel
    basis: LandmarkBasis
    normals: np.ndarray
    costs: np.ndarray

    @classmethod
    def of(cls, model: FaceModel, with_jawline: bool) -> "_Fitter":
        basis, normals = LandmarkBasis.from_model(model), _mean_normals(model)
        if with_jawline:
            contour = model.points["ibug68"]
            jawline = SurfacePoints(contour.triangle[CONTOUR], contour.barycentric[CONTOUR])
            basis, normals = basis.joined(model.reduced(jawline)), np.concatenate((normals, normals[CONTOUR]))
        return cls(model, basis, normals, prior_costs(model.expression_names))

    def fit(self, seen: Observations, rounds: int) -> dict[str, np.ndarray]:
        """The fields of a fit by name."""
        state = start(seen, self.basis, self.normals)
        limit = np.ones((len(seen.points), EXPRESSIONS))
        for i in range(rounds):
            placed = self.basis.at(_contour(state, seen, self.basis))
            strength = state.coefficients[:, IDENTITIES:]
            if i >= _EXCLUDING:
                limit = exclude_weaker(strength, limit, self.model.expression_names)
            residual = seen.points - state.see(placed.shape(state.coefficients))[..., :2]
            distance = np.linalg.norm(residual, axis=-1) / NOISE
            # The first steps start from the mean face: its errors are no reason to distrust a label.
            outlier = _OUTLIER * (4 if i < 3 else 1)
            weight = seen.weight / (1 + (distance / outlier) ** 2)
            identity = float(_IDENTITY[i]) if i < len(_IDENTITY) else 1.0
            prior = Prior(identity, slopes(self.costs, strength), limit)
            state = step_all(state, placed, seen, weight, prior)
        return _results(state, seen, self.basis, self.model)


def _contour(state: State, seen: Observations, basis: LandmarkBasis) -> np.ndarray:
    return np.where(seen.outline[:, None], basis.contour(state.coefficients, state.rotation), 0)


def _results(state: State, seen: Observations, basis: LandmarkBasis, model: FaceModel) -> dict[str, np.ndarray]:
    q = _parameters(state, seen)
    outline, jawline = (points[..., :2] for points in basis.landmarks.outline68(q))
    on_face = basis.at(basis.contour(state.coefficients, state.rotation)).shape(state.coefficients)[:, :NUM_LANDMARKS]
    vertices = model.shape(q[:, IDENTITY], q[:, EXPRESSION])
    hidden = occluded_by_mesh(on_face, vertices, model.triangles, q[:, POSE])
    projected = np.where(seen.outline[:, None, None], outline, jawline)
    labels = seen.points[:, :NUM_LANDMARKS] * (1, -1) * seen.size[:, None, None] + seen.center[:, None]
    known = seen.weight[:, :NUM_LANDMARKS] > 0
    distance = np.linalg.norm(projected - labels, axis=-1)
    box = bounding_boxes(projected)
    side = np.sqrt((box[:, 2:] - box[:, :2]).prod(axis=1))
    residual = 100 * (distance * known).sum(axis=1) / known.sum(axis=1) / side
    return {"Q": q, "outline": outline, "jawline": jawline, "hidden": hidden, "residual": residual}


def _parameters(state: State, seen: Observations) -> np.ndarray:
    """(B, 103) float32 Q in the photo frame; of all t that give the same picture, the shortest."""
    f = state.scale * seen.size
    x = state.shift[:, 0] * seen.size + seen.center[:, 0]
    y = state.shift[:, 1] * seen.size - seen.center[:, 1]  # up
    t = (state.rotation[:, 0] * x[:, None] + state.rotation[:, 1] * y[:, None]) / f[:, None]
    identity, expression = state.coefficients[:, :IDENTITIES], state.coefficients[:, IDENTITIES:]
    return np.concatenate((identity, euler_angles(state.rotation), t, f[:, None], expression), axis=1).astype(
        np.float32
    )


def _mean_normals(model: FaceModel) -> np.ndarray:
    """(68, 3) unit normals of the mean face at its landmarks."""
    a, b, c = (corner.mean for corner in model.corners(model.points["ibug68"]))
    normals = np.cross(b - a, c - a)
    return normals / np.linalg.norm(normals, axis=1, keepdims=True)
