"""What the face model cannot express: ``python -m rdrface.model_building.reconstruction_error DIR``, DIR in AFLW2000-3D's layout.

Fits the jawline points to the 68 ground-truth points (weak perspective, 50 + 46 coefficients held by their priors) and
prints the error left, in percent of sqrt(width x height) of the points' box, by absolute yaw.
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
from rdrface.landmarks import CONTOUR, INNER
from rdrface.morphable.model import FaceModel
from rdrface.morphable.params import NUM_EXPRESSION

BINS = ((0, 30), (30, 60), (60, 90))
"""Degrees of absolute yaw."""

ROUNDS = 12
EXACT = 0.004
"""Standard deviation that the fit grants the points, in units of sqrt(w h)."""


def floor_errors(records: FaceRecords, model: FaceModel) -> tuple[np.ndarray, np.ndarray]:
    """Errors left after fitting annotated jawline points.

    Args:
        records: N faces, all 68 points known, contour 'jawline'.
        model: the face model.

    Returns:
        (N, 68) distances in percent of the face's size sqrt(w h), and (N,) fitted absolute yaw in degrees.
    """
    observations = Observations.of(records)
    basis = LandmarkBasis.from_model(model)
    state = initial_pose(observations, basis, mean_normals(model, model.points["ibug68"]))
    on_jawline = basis.with_contour(np.zeros((len(records), len(CONTOUR)), np.float32))
    # No unit costs anything but its bounds: what is likely of a face is not asked here.
    shape = (len(records), NUM_EXPRESSION)
    prior = Prior(identity_std=1.0, slope=np.zeros(shape), upper_bound=np.ones(shape))
    # All points count alike and as far more exact than labels are: the question is what the model can express.
    weight = np.full(observations.points.shape[:2], (POINT_STD / EXACT) ** 2, np.float32)
    for _ in range(ROUNDS):
        state = step_all(state, on_jawline, observations, weight, prior)
    fitted = state.project(on_jawline.shape(state.coefficients))[..., :2]
    distance = np.linalg.norm(observations.points - fitted, axis=-1)
    return 100 * distance, np.degrees(np.abs(euler_angles(state.rotation)[:, 1]))


def table(distance: np.ndarray, yaw: np.ndarray) -> str:
    """The figures as text: all, inner and contour points; every bin, and the mean over faces."""
    rows = [f"{'|yaw|':>8} {'faces':>6} {'all':>6} {'inner':>6} {'contour':>8}"]
    groups = [(f"{low}-{high}", (yaw >= low) & ((yaw < high) | (high == 90))) for low, high in BINS]
    for name, chosen in [*groups, ("all", np.ones(len(yaw), bool))]:
        if chosen.any():
            part = distance[chosen]
            figures = (part.mean(), part[:, INNER].mean(), part[:, CONTOUR].mean())
            rows.append(f"{name:>8} {chosen.sum():6d} {figures[0]:6.2f} {figures[1]:6.2f} {figures[2]:8.2f}")
    return "\n".join(rows)


def main(arguments: list[str] | None = None) -> None:
    """Command line."""
    parser = argparse.ArgumentParser(prog="python -m rdrface.model_building.reconstruction_error", description=__doc__)
    parser.add_argument("folder", type=Path, help="folder of image*.jpg and image*.mat")
    parser.add_argument("--model", type=Path, help="face model file (the packaged one)")
    options = parser.parse_args(arguments)
    distance, yaw = floor_errors(read_aflw2000(options.folder), FaceModel.load(options.model))
    print(table(distance, yaw))


if __name__ == "__main__":
    main()
