"""Reconstruction error of the packaged face model."""

from pathlib import Path

from rdrface.datasets.readers import read_aflw2000
from rdrface.model_building.reconstruction_error import reconstruction_errors, table
from rdrface.morphable import FaceModel


def test_the_model_fits_ground_truth_points_closely_and_the_table_lists_the_error(shared_data: Path) -> None:
    records = read_aflw2000(shared_data / "aflw2000_3d_dev")
    distance, yaw = reconstruction_errors(records, FaceModel.load())
    assert distance.mean() < 1.1
    text = table(distance, yaw)
    assert "(60,90]" in text and f"{distance.mean():.2f}" in text
