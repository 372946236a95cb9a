import numpy as np
import pytest

from rdrface.data.readers.aflw2000 import hpen_rotation
from rdrface.data.records import FaceRecords
from rdrface.evaluation.predictions import Predictions
from rdrface.evaluation.protocols import aflw2000_3d, head_pose, merl_rav, visibility, w300


def records(count=4, sources=None, split="test", annotated_pose=None):
    points = np.random.default_rng(1).uniform(30, 70, (count, 68, 2))
    points[:, 0], points[:, 1] = (0, 0), (100, 100)  # box 100 x 100: an error of 1 px is 1 %
    points[:, 36], points[:, 45] = (25, 40), (75, 40)  # 50 px apart
    return FaceRecords(
        image=np.array([f"{i}.jpg" for i in range(count)]),
        points=points,
        state=np.ones((count, 68)),
        contour=np.full(count, "outline"),
        box=np.tile([0, 0, 100, 100], (count, 1)),
        source=np.array(sources or ["made"] * count),
        split=np.full(count, split),
        annotated_pose=annotated_pose,
    )


def predicted(faces, landmarks=0.0, projection=0.0, jawline=0.0, absolute=0.0):
    """Predictions off by so many pixels."""
    made = Predictions.empty(len(faces))
    shifts = {"landmarks": landmarks, "absolute": absolute, "projection": projection, "jawline": jawline}
    for name, shift in shifts.items():
        getattr(made, name)[:] = faces.points + np.array([shift, 0])
    made.visible[:] = 0.9
    made.error[:] = 2.0
    made.rotation[:] = np.eye(3)
    return made


def cells(table, name):
    return next(dict(zip(table.columns, row.cells, strict=True)) for row in table.rows if row.name == name)


def test_aflw2000_rows():
    faces = records(4, annotated_pose=np.radians([[0, 10, 0], [0, -40, 0], [0, 80, 0], [0, -80, 0]]))
    answer = predicted(faces, landmarks=1, projection=2, jawline=3, absolute=5)
    answer.jawline[:, :17] += [4, 0]
    answer.landmarks[3] = answer.projection[3] = answer.jawline[3] = np.nan
    table = aflw2000_3d(faces, answer)[0]
    assert cells(table, "rdrface 2D, outline")["mean of bins"] == pytest.approx(1, rel=1e-5)
    assert cells(table, "rdrface 2D, jawline")["[0,30]"] == pytest.approx(5, rel=1e-5)
    assert cells(table, "rdrface 3D, outline")["image mean"] == pytest.approx(2, rel=1e-5)
    assert cells(table, "rdrface 3D, jawline")["[0,30]"] == pytest.approx(4, rel=1e-5)  # 51 of 3, 17 of 7
    assert cells(table, "rdrface 3D, inner 51")["(60,90]"] == pytest.approx(3, rel=1e-5)
    assert cells(table, "rdrface 2D, inner 51")["(30,60]"] == pytest.approx(1, rel=1e-5)
    assert [cells(table, "faces")[name] for name in table.columns] == [1, 1, 1, None, 3]
    assert "1 of 4 faces were not found" in table.to_text()
    quoted = {row.name: row.cells[3] for row in table.rows if row.quoted}
    assert quoted["RDR 3D, 68"] == 5.36 and quoted["3DDFA, 68"] == 5.42 and quoted["RDR 2D (3D+2D), inner 51"] == 3.25
    with pytest.raises(ValueError, match="annotated_pose"):
        aflw2000_3d(records(2), predicted(records(2)))


def test_head_pose():
    truth = np.array([[5, 20, -10], [10, 97, 3], [0, 10, 120], [3, -50, 8]], float)  # the third is left out
    faces = records(4, annotated_pose=np.radians(truth))
    answer = predicted(faces)
    answer.rotation[:] = hpen_rotation(np.radians(truth + np.array([2, -1, 3])))
    table = head_pose(faces, answer)
    error, bias = cells(table, "mean absolute error"), cells(table, "mean signed error")
    for name, expected in (("yaw", -1), ("pitch", 2), ("roll", 3)):
        assert bias[name] == pytest.approx(expected, abs=1e-4)
        assert error[name] == pytest.approx(abs(expected), abs=1e-4)
    assert error["mean"] == pytest.approx(2, abs=1e-4) and error["faces"] == 3
    assert "1 of 4 faces left out" in table.to_text()
    answer.rotation[0] = np.nan
    assert cells(head_pose(faces, answer), "mean absolute error")["faces"] == 2


def test_merl_rav_by_side_and_visibility():
    faces = records(4, sources=["merl_rav/left/testset"] * 3 + ["merl_rav/frontal/testset"])
    faces.state[:, 60:] = 2
    faces.state[:, 50:55] = 3
    faces.points[:, 50:55] = np.nan
    answer = predicted(faces, landmarks=1, projection=5)
    answer.landmarks[:, 50:55] = 0
    answer.projection[:, 50:55] = 0
    answer.landmarks[:, 60:] += [1, 0]
    answer.landmarks[3] += [2, 0]
    table, *others = merl_rav(faces, answer)
    assert cells(table, "left")["visible"] == pytest.approx(1, rel=1e-5)
    assert cells(table, "left")["occluded"] == pytest.approx(2, rel=1e-5)
    assert cells(table, "frontal")["visible"] == pytest.approx(3, rel=1e-5)
    assert cells(table, "all")["visible"] == pytest.approx(1.5, rel=1e-5)
    assert cells(table, "all")["3D, all known"] == pytest.approx(5, rel=1e-5)
    assert [row.name for row in table.rows] == ["left", "frontal", "all", "all, labels' own shift removed"]
    assert cells(table, "all")["faces"] == 4 and len(others) == 5


def test_visibility():
    faces = records(2)
    faces.state[:, 0] = 0
    faces.state[:, 1:11] = 3
    answer = predicted(faces)
    answer.visible[:, 1:6] = 0.1
    answer.landmarks[1] = np.nan  # not found: not counted
    table = visibility(faces, answer)
    assert cells(table, "hidden by the head") == {"percent": 50, "points": 10}
    assert cells(table, "visible") == {"percent": 100, "points": 57}
    assert np.isnan(cells(table, "occluded by something")["percent"])


def test_w300_parts():
    sources = ["300w/helen/testset", "300w/lfpw/testset", "300w/ibug"]
    faces = records(3, sources=sources)
    answer = predicted(faces, landmarks=1, projection=2)
    answer.landmarks[2] += [2, 0]
    (table,) = w300(faces, answer)
    assert cells(table, "300w/ibug")["inter-ocular"] == pytest.approx(6, rel=1e-5)
    assert cells(table, "common")["inter-ocular"] == pytest.approx(2, rel=1e-5)
    assert cells(table, "full")["inter-ocular"] == pytest.approx(10 / 3, rel=1e-5)
    assert cells(table, "full")["box"] == pytest.approx(5 / 3, rel=1e-5)
    assert cells(table, "challenging")["3D inter-ocular"] == pytest.approx(4, rel=1e-5)
    trained = records(2, sources=["300w/afw"] * 2, split="train")
    (table,) = w300(trained, predicted(trained, landmarks=1))
    assert [row.name for row in table.rows] == ["300w/afw (training part)"]
