"""Annotated images of the mean face at two yaws."""

from pathlib import Path

import numpy as np
from PIL import Image

from rdrface.morphable.landmark_model import LandmarkModel
from rdrface.morphable.model import FaceModel
from rdrface.morphable.params import NUM_PARAMETERS, POSE


def mean_face_points() -> np.ndarray:
    """(2, 68, 2) landmarks of the mean face at yaws of 0.2 and -0.6 radians, image pixels."""
    q = np.zeros((2, NUM_PARAMETERS), np.float32)
    q[:, POSE] = [(0, yaw, 0, 110, -100, 0, 0.6) for yaw in (0.2, -0.6)]
    return LandmarkModel.from_face_model(FaceModel.load()).outline68(q)[0][..., :2]


def write_pts_folder(folder: Path) -> np.ndarray:
    """Write two gray images with 1-based .pts files of `mean_face_points`; returns the points, 0-based."""
    points = mean_face_points()
    for i, face in enumerate(points):
        Image.fromarray(np.full((120, 140, 3), 90, np.uint8)).save(folder / f"face{i}.png")
        rows = "\n".join(f"{x + 1:.3f} {y + 1:.3f}" for x, y in face)
        (folder / f"face{i}.pts").write_text(f"version: 1\nn_points: 68\n{{\n{rows}\n}}\n")
    return points
