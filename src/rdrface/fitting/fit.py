"""Fit the face model to annotated faces: Q, both contour conventions, and what the head hides (design decision 6)."""

from dataclasses import replace

import numpy as np
from tqdm import tqdm

from rdrface.crop import landmark_boxes
from rdrface.data.records import FaceRecords
from rdrface.fitting.basis import IDENTITIES, LandmarkBasis
from rdrface.fitting.observations import Observations
from rdrface.fitting.priors import prior_sigma
from rdrface.fitting.solve import NOISE, State, shape_of, step_all
from rdrface.fitting.start import start
from rdrface.geometry.rotation import euler_angles
from rdrface.geometry.visibility import occluded_by_mesh
from rdrface.morphable.model import FaceModel
from rdrface.morphable.schemes import EXPRESSION, IDENTITY, POSE

ROUNDS = 12
_BATCH = 256
_OUTLIER = 2.5  # standard deviations at which a label's weight has fallen to a half


def fit_records(
    records: FaceRecords, model: FaceModel, *, rounds: int = ROUNDS, progress: bool | None = None
) -> FaceRecords:
    """Fit the face model to every face of the records.

    Pose from several starts; then rounds of one Gauss-Newton step of pose, identity and expression together, each with
    the contour's place on the face found anew and with weights that fall for labels far from the fit. Coefficients are
    held by their priors, so 68 noisy points give a plausible face.

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
    basis, sigma = LandmarkBasis.from_model(model), prior_sigma(model.expression_names)
    normals = _mean_normals(model)
    fitted: dict[str, list[np.ndarray]] = {"Q": [], "outline": [], "jawline": [], "hidden": [], "residual": []}
    with tqdm(
        total=len(records), unit="face", desc="fitting", disable=None if progress is None else not progress
    ) as bar:
        for first in range(0, len(records), _BATCH):
            index = np.arange(first, min(first + _BATCH, len(records)))
            seen = observed.select(index)
            state = _fit(seen, basis, sigma, normals, rounds)
            for name, value in _results(state, seen, basis, model).items():
                fitted[name].append(value)
            bar.update(len(index))
    empty = {"Q": (0, 103), "outline": (0, 68, 2), "jawline": (0, 68, 2), "hidden": (0, 68), "residual": (0,)}
    joined = {name: np.concatenate(parts) if parts else np.zeros(empty[name]) for name, parts in fitted.items()}
    return replace(records, box=landmark_boxes(joined["outline"]), **joined)


def _fit(seen: Observations, basis: LandmarkBasis, sigma: np.ndarray, normals: np.ndarray, rounds: int) -> State:
    state = start(seen, basis, normals)
    for i in range(rounds):
        s = _contour(state, seen, basis)
        mean, terms = basis.at(s)
        residual = seen.points - state.see(shape_of(mean, terms, state.coefficients))[..., :2]
        distance = np.linalg.norm(residual, axis=-1) / NOISE
        # The first steps start from the mean face: its errors are no reason to distrust a label.
        outlier = _OUTLIER * (4 if i < 3 else 1)
        weight = seen.weight / (1 + (distance / outlier) ** 2)
        state = step_all(state, mean, terms, seen, weight, sigma)
    return state


def _contour(state: State, seen: Observations, basis: LandmarkBasis) -> np.ndarray:
    return np.where(seen.outline[:, None], basis.contour(state.coefficients, state.rotation), 0)


def _results(state: State, seen: Observations, basis: LandmarkBasis, model: FaceModel) -> dict[str, np.ndarray]:
    q = _parameters(state, seen)
    outline, jawline = (points[..., :2] for points in basis.landmarks.outline68(q))
    s = basis.contour(state.coefficients, state.rotation)
    mean, terms = basis.at(s)
    on_face = shape_of(mean, terms, state.coefficients).astype(np.float32)
    vertices = model.shape(q[:, IDENTITY], q[:, EXPRESSION])
    hidden = occluded_by_mesh(on_face, vertices, model.triangles, q[:, POSE])
    projected = np.where(seen.outline[:, None, None], outline, jawline)
    labels = seen.points * (1, -1) * seen.size[:, None, None] + seen.centre[:, None]
    known = seen.weight > 0
    distance = np.linalg.norm(projected - labels, axis=-1)
    box = landmark_boxes(projected)
    side = np.sqrt((box[:, 2:] - box[:, :2]).prod(axis=1))
    residual = 100 * (distance * known).sum(axis=1) / known.sum(axis=1) / side
    return {"Q": q, "outline": outline, "jawline": jawline, "hidden": hidden, "residual": residual}


def _parameters(state: State, seen: Observations) -> np.ndarray:
    """(B, 103) float32 Q in the photo frame; of all t that give the same picture, the shortest."""
    f = state.scale * seen.size
    x = state.shift[:, 0] * seen.size + seen.centre[:, 0]
    y = state.shift[:, 1] * seen.size - seen.centre[:, 1]  # up
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
