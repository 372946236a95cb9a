"""Errors of the angles of `Face.pose`, by yaw, and of those of P for comparison."""

import numpy as np
import pytest

from annotated_faces import annotations, cells, predictions
from rdrface.evaluation.predictions.predictions import Predictions
from rdrface.evaluation.protocols import w300lp
from rdrface.evaluation.protocols.reported_angles import reported_angles_table
from rdrface.geometry.rotation import head_rotation

POSES = np.array([[0, 10, 5], [5, -45, 0], [-10, 70, 8], [4, 80, -20], [3, -90, 12]], float)


def table(truth, predicted, yaw=None):
    rotation = head_rotation(np.radians(predicted))
    points = np.where(np.isnan(rotation[:, :1, :2]), np.nan, 1.0)
    return reported_angles_table(
        "SET",
        head_rotation(np.radians(truth)),
        Predictions({"": points}, rotation=rotation, method="m"),
        POSES[:, 1] if yaw is None else yaw,
    )


def test_errors_by_yaw_and_beyond_75_degrees():
    result = table(POSES, POSES + np.array([[1, 2, 3]]) * np.array([[1], [-1], [3], [2], [4]]))
    assert result.columns == ("[0,30]", "(30,60]", "(60,90]", "beyond 75", "all")
    for name, factor in (("pitch", 1), ("yaw", 2), ("roll", 3)):
        row = cells(result, f"m, {name}")
        assert [row[column] for column in result.columns] == pytest.approx([factor * f for f in (1, 1, 3, 3, 2.2)])
    assert [cells(result, "faces")[column] for column in result.columns] == [1, 1, 3, 2, 5]


def test_the_angles_of_p_are_much_worse_at_profile_than_the_rotation():
    # The prediction is off by 3 degrees of roll.
    truth = np.array([[0, 10, 0], [5, -86, 0], [-5, 88, 0]])
    result = table(truth, truth + np.array([0, 0, 3]), truth[:, 1])
    for name in ("rotation", "roll"):
        assert cells(result, f"m, {name}")["beyond 75"] == pytest.approx(3)
    for name in ("pitch", "yaw"):
        assert cells(result, f"m, {name}")["beyond 75"] == pytest.approx(0, abs=1e-6)
    for name in ("pitch", "roll"):
        assert cells(result, f"m, {name} of P")["beyond 75"] > 30
    assert cells(result, "m, roll of P")["[0,30]"] < 3.1


def test_faces_without_a_pose_or_a_prediction_are_not_counted():
    truth, predicted, yaw = POSES.copy(), POSES + np.array([1, 0, 0]), POSES[:, 1].copy()
    truth[0] = yaw[0] = np.nan
    predicted[1] = np.nan
    result = table(truth, predicted, yaw)
    assert [cells(result, "faces")[column] for column in result.columns] == [0, 0, 3, 2, 3]
    assert np.isnan(cells(result, "m, pitch")["[0,30]"]) and cells(result, "m, pitch")["all"] == pytest.approx(1)
    assert "1 of 5 faces were not found" in result.to_text()
    with pytest.raises(ValueError, match="no head pose"):
        reported_angles_table("SET", POSES, Predictions({"": np.zeros((5, 1, 2))}), yaw)


def test_300w_lp_reports_the_errors_of_the_angles():
    angles = np.array([[0, 10, 0], [0, -40, 0], [0, 80, 0], [0, -80, 0]], float)
    faces = annotations(4, sources=["300w_lp/AFW/jawline"] * 4, is_test=False, angles=angles)
    # The dataset's yaw has the opposite sign; the predictions are off by 2 degrees.
    rotation = head_rotation(np.radians(-angles + [0, 2, 0]))
    pose = w300lp.tables(faces, predictions(faces, rotation=rotation))[-1]
    assert cells(pose, "rdrface, yaw")["beyond 75"] == pytest.approx(2)
    assert cells(pose, "rdrface, rotation")["all"] == pytest.approx(2)
    assert "do not measure generalization" in pose.to_text().replace("\n", " ")
