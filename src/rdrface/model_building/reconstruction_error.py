"""Reconstruction error of the face model: ``python -m rdrface.model_building.reconstruction_error DIR``.

Fits the face model's 68 points, with the contour on the jawline, to the 68 ground-truth points of every face in DIR, a
folder in the layout of AFLW2000-3D (weak perspective; 50 identity and 46 expression coefficients with priors). Prints
the remaining distance, in percent of sqrt(width x height) of the points' box, by absolute yaw.
"""

import argparse
from pathlib import Path

import numpy as np

from rdrface.datasets.readers import read_aflw2000
from rdrface.datasets.records import FaceRecords
from rdrface.fitting.basis import LandmarkBasis, mean_normals
from rdrface.fitting.gauss_newton import POINT_STD, Prior, step_all
from rdrface.fitting.initial_pose import initial_pose
from rdrface.fitting.observations import Observations
from rdrface.geometry.rotation import euler_angles
from rdrface.geometry.yaw_bins import YAW_BIN_NAMES, yaw_index
from rdrface.landmarks import CONTOUR, INNER
from rdrface.morphable.model import FaceModel
from rdrface.morphable.params import NUM_EXPRESSION

ROUNDS = 12
"""Number of Gauss-Newton steps."""

EXACT_STD = 0.004
"""Assumed standard deviation of the annotated points in the fit, in units of sqrt(width x height)."""


def reconstruction_errors(records: FaceRecords, model: FaceModel) -> tuple[np.ndarray, np.ndarray]:
    """Distances that remain after fitting the face model to ground-truth points.

    Args:
        records: N faces with all 68 points annotated, contour convention 'jawline'.
        model: face model.

    Returns:
        Distances (N, 68) in percent of the face size sqrt(width x height), and absolute yaw (N,) of the fits in
        degrees.
    """
    observations = Observations.of(records)
    basis = LandmarkBasis.from_model(model)
    state = initial_pose(observations, basis, mean_normals(model, model.points["ibug68"]))
    on_jawline = basis.with_contour(np.zeros((len(records), len(CONTOUR)), np.float32))
    # Expressions are only bounded, without a cost: unlikely expressions count as representable, too.
    shape = (len(records), NUM_EXPRESSION)
    prior = Prior(identity_std=1.0, slope=np.zeros(shape), upper_bound=np.ones(shape))
    # Equal weights, and a far smaller standard deviation than that of annotations, because the fit must reproduce the
    # points as closely as the model can.
    weight = np.full(observations.points.shape[:2], (POINT_STD / EXACT_STD) ** 2, np.float32)
    for _ in range(ROUNDS):
        state = step_all(state, on_jawline, observations, weight, prior)
    fitted = state.project(on_jawline.shape(state.coefficients))[..., :2]
    distance = np.linalg.norm(observations.points - fitted, axis=-1)
    return 100 * distance, np.degrees(np.abs(euler_angles(state.rotation)[:, 1]))


def table(distance: np.ndarray, yaw: np.ndarray) -> str:
    """Format the mean distance of all, inner and contour points, per yaw bin and over all faces.

    Args:
        distance: (N, 68) percent of the face size.
        yaw: (N,) absolute yaw, degrees.
    """
    rows = [f"{'|yaw|':>8} {'faces':>6} {'all':>6} {'inner':>6} {'contour':>8}"]
    groups = [(name, yaw_index(yaw) == i) for i, name in enumerate(YAW_BIN_NAMES)]
    for name, mask in [*groups, ("all", np.ones(len(yaw), bool))]:
        if mask.any():
            part = distance[mask]
            figures = (part.mean(), part[:, INNER].mean(), part[:, CONTOUR].mean())
            rows.append(f"{name:>8} {mask.sum():6d} {figures[0]:6.2f} {figures[1]:6.2f} {figures[2]:8.2f}")
    return "\n".join(rows)


def main(arguments: list[str] | None = None) -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="python -m rdrface.model_building.reconstruction_error", description=__doc__)
    parser.add_argument("folder", type=Path, help="folder with image*.jpg and image*.mat")
    parser.add_argument("--model", type=Path, help="face model file; default: the packaged model")
    options = parser.parse_args(arguments)
    distance, yaw = reconstruction_errors(read_aflw2000(options.folder), FaceModel.load(options.model))
    print(table(distance, yaw))


if __name__ == "__main__":
    main()
