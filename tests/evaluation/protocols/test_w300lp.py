"""300W-LP's protocol: every face in its own contour convention, by yaw and part."""

import numpy as np
import pytest

from annotated import face_points, write_photo
from annotated_faces import annotations, cells, predictions
from rdrface.evaluation.predictions.predictions import Predictions
from rdrface.evaluation.protocols import w300lp

ANGLES = [[0, 10, 0], [0, -40, 0], [0, 80, 0], [0, -80, 0]]
SOURCES = ["300w_lp/AFW/jawline", "300w_lp/AFW_Flip/jawline", "300w_lp/AFW/outline", "300w_lp/HELEN/jawline"]


def faces(sources=None, angles=ANGLES):
    return annotations(4, sources=sources or SOURCES, is_test=False, angles=angles)


def test_every_face_is_compared_in_its_own_convention():
    dataset = faces()
    errors = w300lp.errors(dataset, predictions(dataset, (1, 2, 3, 4)))
    # Order of the shifts: landmarks, projection, landmarks_jawline, projection_jawline.
    np.testing.assert_allclose(errors["landmarks"], [3, 3, 1, 3])
    np.testing.assert_allclose(errors["projection"], [4, 4, 2, 4])
    assert list(errors) == ["landmarks", "projection", "landmarks, inner 51", "projection, inner 51"]


def test_tables_by_yaw_and_part():
    dataset = faces()
    predicted = predictions(dataset, (1, 2, 3, 4))
    for points in predicted.outputs.values():
        points[3] = np.nan
    by_yaw, by_part = w300lp.tables(dataset, predicted)
    row = cells(by_yaw, "rdrface landmarks")
    assert [row[name] for name in w300lp.BINS] == pytest.approx([3, 3, 1, 7 / 3, 7 / 3])
    assert [cells(by_yaw, "faces")[name] for name in w300lp.BINS] == [1, 1, 1, None, 3]
    assert [row.name for row in by_part.rows] == [
        "300w_lp/AFW",
        "300w_lp/AFW_Flip",
        "300w_lp/HELEN",
        "annotated on the outline",
        "annotated on the jawline",
        "all",
    ]
    assert (
        cells(by_part, "300w_lp/AFW")["projection"] == pytest.approx(3) and cells(by_part, "300w_lp/AFW")["faces"] == 2
    )
    assert np.isnan(cells(by_part, "300w_lp/HELEN")["landmarks"])
    for table in (by_yaw, by_part):
        assert "do not measure generalization" in table.to_text().replace("\n", " ")
        assert "1 on the outline, 3 on the jawline" in table.to_text()
        assert "1 of 4 faces were not found" in table.to_text()


def test_a_method_with_one_output():
    dataset = faces(["300w_lp/AFW/jawline"] * 4)
    predicted = Predictions({"": dataset.points + np.array([2, 0])}, method="other")
    by_yaw, by_part = w300lp.tables(dataset, predicted)
    assert cells(by_yaw, "other")["image mean"] == pytest.approx(2)
    assert [row.name for row in by_part.rows] == ["300w_lp/AFW", "all"]
    assert by_part.columns == ("68 points", "inner 51", "faces")


def test_wrong_sources_points_and_missing_angles_raise():
    with pytest.raises(ValueError, match=r"must end in outline or jawline, got '300w_lp/AFW'"):
        w300lp.errors(faces(["300w_lp/AFW"] * 4), predictions(faces()))
    with pytest.raises(ValueError, match="needs annotated angles"):
        w300lp.tables(faces(angles=None), predictions(faces()))
    with pytest.raises(ValueError, match="300W-LP needs 68 points"):
        w300lp.errors(annotations(2, points=21), Predictions({"": np.zeros((2, 21, 2))}))


def test_reading_keeps_every_face(tmp_path):
    savemat = pytest.importorskip("scipy.io").savemat
    pose = {"Pose_Para": np.array([[0.1, 0.5, 0.0, 0, 0, 0, 1]])}
    for folder, name in (("AFW", "pt3d_68"), ("AFW_Flip", "pt2d")):
        (tmp_path / folder).mkdir()
        savemat(tmp_path / folder / "a_0.mat", {name: (face_points() + 1).T, **pose})
        write_photo(tmp_path / folder / "a_0.jpg")
    dataset = w300lp.read(tmp_path)
    assert dataset.source.tolist() == ["300w_lp/AFW/jawline", "300w_lp/AFW_Flip/outline"]
    assert not dataset.is_test.any() and dataset.yaw == pytest.approx(np.degrees([0.5, 0.5]))
    table = w300lp.tables(dataset, predictions(dataset))[0]
    assert cells(table, "rdrface landmarks")["image mean"] == pytest.approx(0, abs=1e-3)
    assert len(w300lp.read(tmp_path, flipped=False)) == 1


def test_faces_with_both_contours_are_compared_on_the_jawline(tmp_path):
    savemat = pytest.importorskip("scipy.io").savemat
    pose = {"Pose_Para": np.array([[0.1, 0.5, 0.0, 0, 0, 0, 1]])}
    outline = face_points() + 1
    jawline = outline.copy()
    jawline[:17] += [3.0, 0.0]
    (tmp_path / "AFW").mkdir()
    (tmp_path / "landmarks/AFW").mkdir(parents=True)
    savemat(tmp_path / "AFW/a_0.mat", pose)
    savemat(tmp_path / "landmarks/AFW/a_0_pts.mat", {"pts_2d": outline, "pts_3d": jawline})
    write_photo(tmp_path / "AFW/a_0.jpg")
    dataset = w300lp.read(tmp_path)
    assert dataset.source.tolist() == ["300w_lp/AFW/jawline"]
    np.testing.assert_allclose(dataset.points[0], jawline - 1, atol=1e-4)
    np.testing.assert_allclose(dataset.box[0], [*(jawline - 1).min(0), *(jawline - 1).max(0)], atol=1e-4)
