"""Synthetic faces: labels that match the images, and the same faces for the same seed."""

from pathlib import Path

import cv2
import numpy as np

from rdrface.datasets.records import SELF_OCCLUDED, VISIBLE
from rdrface.datasets.synthetic import SIDE, draw_faces
from rdrface.morphable.landmark_model import LandmarkModel
from rdrface.morphable.model import FaceModel


def test_the_records_match_the_images(tmp_path: Path) -> None:
    records = draw_faces(tmp_path, 8, seed=3)
    assert len(records) == len(list(tmp_path.glob("*.png"))) == 8
    outline, jawline = LandmarkModel.from_face_model(FaceModel.load()).outline68(records.Q)
    assert np.abs(outline[..., :2] - records.points).max() < 0.01
    assert np.abs(jawline[..., :2] - records.jawline).max() < 0.01
    assert (records.points > -SIDE / 4).all()
    assert (records.points < SIDE * 5 / 4).all()
    assert set(np.unique(records.state)) == {VISIBLE, SELF_OCCLUDED}
    # In profiles the far half of the face is hidden, in frontal faces almost nothing.
    yaw = np.abs(records.Q[:, 51])
    hidden = records.hidden[:, 17:].mean(1)
    assert hidden[yaw.argmax()] > hidden[yaw.argmin()] + 0.2


def test_the_same_seed_draws_the_same_faces(tmp_path: Path) -> None:
    first, second, other = (draw_faces(tmp_path / name, 2, seed) for name, seed in (("a", 1), ("b", 1), ("c", 2)))
    assert np.array_equal(first.points, second.points)
    assert np.array_equal(cv2.imread(first.image[0]), cv2.imread(second.image[0]))
    assert not np.array_equal(first.points, other.points)
