"""The head pose protocol: Euler angles, geodesic error, constant rotation."""

import numpy as np
import pytest

from annotated_faces import annotations, cells
from rdrface.datasets.readers.aflw2000 import hpen_angles, hpen_rotation
from rdrface.datasets.records import FaceRecords
from rdrface.evaluation.metrics.errors import geodesic
from rdrface.evaluation.predictions.predictions import Predictions
from rdrface.evaluation.protocols import head_pose
from rdrface.evaluation.protocols.notes import UNVERIFIED
from rdrface.evaluation.tables import published
from rdrface.geometry.rotation import rotation_matrix

TRUTH = np.array([[5, 20, -10], [10, 97, 3], [0, 10, 120], [3, -50, 8]], float)  # the third is left out


def aflw2000(truth=TRUTH):
    return annotations(len(truth), sources=["aflw2000_3d"] * len(truth), angles=truth)


def predicted(faces, rotation, method="rdrface"):
    return Predictions({"": faces.points}, rotation=rotation, method=method)


def poses(angles):
    """Faces without points, as in BIWI."""
    count = len(angles)
    return FaceRecords(
        image=np.array([f"{i}.png" for i in range(count)]),
        points=np.empty((count, 0, 2)),
        state=np.empty((count, 0)),
        box=np.tile([0, 0, 1, 1], (count, 1)),
        source=np.full(count, "biwi/01"),
        is_test=np.ones(count, bool),
        angles=angles,
        rotation=hpen_rotation(np.radians(angles)),
    )


def test_euler_errors_and_signed_means():
    faces = aflw2000()
    prediction = predicted(faces, hpen_rotation(np.radians(TRUTH + np.array([2, -1, 3]))))
    table = head_pose.tables(faces, prediction)[0]
    error, bias = cells(table, "rdrface"), cells(table, "rdrface, signed mean")
    for name, expected in (("yaw", -1), ("pitch", 2), ("roll", 3)):
        assert bias[name] == pytest.approx(expected, abs=1e-6)
        assert error[name] == pytest.approx(abs(expected), abs=1e-6)
    assert error["mean"] == pytest.approx(2) and error["faces"] == 3
    assert "1 of 4 faces left out" in table.to_text()
    quoted = {row.name: row.cells[3] for row in table.rows if row.quoted}
    assert quoted["6DRepNet"] == 3.97 and quoted["3DDFA_V2"] == 4.27 and quoted["SynergyNet"] == 3.35
    rotation = prediction.rotation.copy()
    rotation[0] = np.nan
    assert cells(head_pose.tables(faces, predicted(faces, rotation))[0], "rdrface")["faces"] == 2


def test_published_means_are_the_means_of_their_angles():
    for row in [row for rows in published.HEAD_POSE.values() for row in rows]:
        assert row.quoted
        if row.cells[0] is not None:
            assert np.mean(row.cells[:3]) == pytest.approx(row.cells[3], abs=0.011), row.name


def test_signs_of_truth_and_prediction_agree():
    # The face looks to the image's left and slightly up: rdrface's yaw and pitch are negative, the dataset's positive.
    truth = poses([[10.0, 30.0, 0.0]])
    ours = rotation_matrix(np.radians([[-10.0, -30.0, 0.0]]))
    assert geodesic(ours, truth.rotation)[0] < 6  # the order of the two rotations differs, the signs agree
    wrong = rotation_matrix(np.radians([[-10.0, 30.0, 0.0]]))
    assert geodesic(wrong, truth.rotation)[0] > 55
    prediction = Predictions({"": truth.points}, rotation=ours)
    np.testing.assert_allclose(head_pose.pose_errors(truth, prediction.rotation).signed[0], 0, atol=6)


@pytest.mark.parametrize("angle", [0, 1e-4, 1, 37, 90, 179, 180])
def test_geodesic_is_the_angle_about_any_axis(angle):
    axis = np.array([2, -1, 2]) / 3
    cross = np.array([[0, -axis[2], axis[1]], [axis[2], 0, -axis[0]], [-axis[1], axis[0], 0]])
    turn = np.eye(3) + np.sin(np.radians(angle)) * cross + (1 - np.cos(np.radians(angle))) * cross @ cross
    start = hpen_rotation(np.radians([[10, -70, 30], [0, 0, 0]]))
    np.testing.assert_allclose(geodesic(start, start @ turn), angle, atol=1e-6)
    np.testing.assert_allclose(geodesic(start @ turn, start), angle, atol=1e-6)


def test_constant_rotation_is_found_and_removed():
    angles = np.random.default_rng(2).uniform(-60, 60, (40, 3))
    faces = poses(angles)
    constant = rotation_matrix(np.radians([[8.0, -3.0, 2.0]]))[0]
    noise = rotation_matrix(np.radians(np.random.default_rng(3).normal(0, 0.5, (40, 3))))
    rotation = faces.rotation @ constant @ noise
    assert geodesic(head_pose.constant_rotation(faces.rotation, rotation), constant) < 0.5
    prediction = Predictions({"": faces.points}, rotation=rotation)
    euler, rotations, _ = head_pose.tables(faces, prediction)
    size = geodesic(constant, np.eye(3))
    assert cells(rotations, "rdrface")["mean"] == pytest.approx(size, abs=0.3)
    assert cells(rotations, "rdrface, constant rotation removed")["mean"] < 1.2
    assert cells(euler, "rdrface, constant rotation removed")["mean"] < 1 < 2 < cells(euler, "rdrface")["mean"]
    pitch, yaw, roll = np.degrees(hpen_angles(head_pose.constant_rotation(faces.rotation, rotation)))
    assert f"yaw {yaw:+.2f}, pitch {pitch:+.2f}, roll {roll:+.2f} degrees" in rotations.to_text()
    assert "estimated from the evaluated predictions" in euler.to_text()


def test_missed_faces_do_not_affect_the_constant_rotation():
    faces = poses([[0, 10, 0], [5, -20, 0], [0, 40, 3]])
    rotation = faces.rotation.copy()
    rotation[1] = np.nan
    np.testing.assert_allclose(head_pose.constant_rotation(faces.rotation, rotation), np.eye(3), atol=1e-12)
    np.testing.assert_array_equal(head_pose.constant_rotation(faces.rotation, rotation * np.nan), np.eye(3))
    prediction = Predictions({"": faces.points}, rotation=rotation)
    rotations = head_pose.tables(faces, prediction)[1]
    assert "1 of 3 faces were not found" in rotations.to_text()
    assert np.isnan(head_pose.errors(faces, prediction)["geodesic"]).tolist() == [False, True, False]
    tables = head_pose.tables(faces, Predictions({"": faces.points}, rotation=rotation * np.nan))
    assert np.isnan(cells(tables[1], "rdrface")["median"]) and cells(tables[0], "rdrface")["faces"] == 0


def test_geodesic_by_yaw_and_median():
    angles = np.array([[0, 10, 0], [0, -30, 0], [0, 50, 0], [0, 80, 0]], float)
    faces = poses(angles)
    turned = faces.rotation @ rotation_matrix(np.radians([[1.0, 0, 0], [3, 0, 0], [5, 0, 0], [9, 0, 0]]))
    table = head_pose.tables(faces, Predictions({"": faces.points}, rotation=turned))[1]
    row = cells(table, "rdrface")
    assert [row[name] for name in table.columns] == pytest.approx([4.5, 4, 2, 5, 9])
    assert [cells(table, "faces")[name] for name in table.columns] == [4, 4, 2, 1, 1]
    errors = head_pose.errors(faces, Predictions({"": faces.points}, rotation=turned))
    np.testing.assert_allclose(errors["geodesic"], [1, 3, 5, 9])
    assert errors["mean of yaw, pitch, roll"].shape == (4,)


def test_biwi_notes_give_the_numbers_of_frames_and_the_unverified_status():
    faces = poses([[0, 10, 0], [0, 20, 0]])
    text = head_pose.tables(faces, Predictions({"": faces.points}, rotation=faces.rotation, method="other"))[
        0
    ].to_text()
    assert "BIWI: head pose" in text and "2 of the dataset's 15,678 frames" in text and "13,219" in text
    assert "6DRepNet, all frames" in text and "other, signed mean" in text and UNVERIFIED in text


def test_faces_without_a_pose_are_left_out():
    truth = TRUTH.copy()
    truth[0] = np.nan
    faces = aflw2000(truth)
    table = head_pose.tables(faces, predicted(faces, hpen_rotation(np.radians(TRUTH))))[0]
    assert cells(table, "rdrface")["faces"] == 2 and cells(table, "rdrface")["mean"] == pytest.approx(0, abs=1e-6)
    assert "1 of 4 faces left out" in table.to_text() and "1 without a pose" in table.to_text()


def test_missing_poses_and_wrong_numbers_of_faces_raise():
    faces = aflw2000()
    with pytest.raises(ValueError, match="predictions of other have no head pose"):
        head_pose.tables(faces, Predictions({"": faces.points}, method="other"))
    with pytest.raises(ValueError, match="needs annotated angles"):
        head_pose.tables(annotations(4), predicted(faces, hpen_rotation(np.radians(TRUTH))))
    with pytest.raises(ValueError, match="4 predictions for 2 annotated faces"):
        head_pose.errors(faces.select([0, 1]), predicted(faces, hpen_rotation(np.radians(TRUTH))))


def test_annotated_poses_as_predictions_have_no_error(shared_data):
    pytest.importorskip("scipy")
    from rdrface.datasets.readers import read_aflw2000

    faces = read_aflw2000(shared_data / "aflw2000_3d_dev")
    prediction = predicted(faces, hpen_rotation(np.radians(faces.angles)))
    measured = head_pose.errors(faces, prediction)
    assert np.nanmax(measured["geodesic"]) < 1e-3 and np.nanmax(measured["mean of yaw, pitch, roll"]) < 1e-3
    assert 190 < np.isfinite(measured["geodesic"]).sum() <= 200
