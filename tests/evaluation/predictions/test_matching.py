import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from annotated_faces import annotations
from rdrface.datasets.readers.aflw2000 import hpen_angles, hpen_rotation
from rdrface.errors import DataError
from rdrface.evaluation.predictions.files import PredictedFaces
from rdrface.evaluation.predictions.matching import assign, entries_of, match, write_face_list


def entries(images, landmarks, face=None, box=None):
    count = len(images)
    return PredictedFaces(
        image=tuple(images),
        landmarks=np.asarray(landmarks, np.float64),
        face=np.full(count, -1) if face is None else np.asarray(face),
        box=np.full((count, 4), np.nan) if box is None else np.asarray(box, np.float64),
        milliseconds=np.full(count, np.nan),
        angles=np.full((count, 3), np.nan),
        method="made",
    )


def test_one_found_face_serves_one_annotated_face():
    assert match(np.array([[0, 0, 10, 10], [1, 0, 11, 10]]), np.array([[0, 0, 10, 10]])) == [(0, 0)]
    assert match(np.array([[0, 0, 10, 10]]), np.array([[20, 20, 30, 30]])) == []
    assert match(np.array([[0, 0, 10, 10]]), np.empty((0, 4))) == []


def test_faces_are_found_by_any_tail_of_the_photos_path():
    faces = annotations(3)
    given = entries(["2.jpg", "/elsewhere/set/0.jpg"], faces.points[[2, 0]] + np.array([3, 0]))
    predictions, others = assign(given, faces)
    assert predictions.found.tolist() == [True, False, True] and others == 0
    np.testing.assert_allclose(predictions.landmarks[2] - faces.points[2], np.tile([3, 0], (68, 1)))
    assert predictions.method == "made" and assign(given, faces, method="mine")[0].method == "mine"


def test_an_ambiguous_name_is_refused():
    faces = replace(annotations(2), image=np.array(["a/x.jpg", "b/x.jpg"]))
    with pytest.raises(DataError, match="more of its path"):
        assign(entries(["x.jpg"], faces.points[:1]), faces)
    assert assign(entries(["b/x.jpg"], faces.points[1:]), faces)[0].found.tolist() == [False, True]


def test_faces_of_one_photo_are_told_apart_by_overlap():
    faces = replace(annotations(2), image=np.array(["x.jpg", "x.jpg"]))
    faces.points[1] += [300, 0]
    faces.box[1] += [300, 0, 300, 0]
    given = entries(["x.jpg"] * 3, np.stack([faces.points[1], faces.points[0], faces.points[0] + np.array([0, 900])]))
    predictions, others = assign(given, faces)
    assert others == 1
    np.testing.assert_allclose(predictions.landmarks, faces.points)


def test_the_only_prediction_of_a_photo_counts_however_wrong_it_is():
    faces = annotations(1)
    far = faces.points + np.array([500, 0])
    assert assign(entries(["0.jpg"], far), faces)[0].found.all()
    # but not when the file says that the method looked elsewhere
    with pytest.raises(DataError, match="none of the 1"):
        assign(entries(["0.jpg"], far, box=[[500, 0, 600, 100]]), faces)


def test_numbers_of_faces():
    faces = annotations(3)
    predictions, _ = assign(entries(["1.jpg"], faces.points[1:2], face=[1]), faces)
    assert predictions.found.tolist() == [False, True, False]
    with pytest.raises(DataError, match="which it is not"):
        assign(entries(["1.jpg"], faces.points[1:2], face=[2]), faces)
    with pytest.raises(DataError, match="two entries for face 1"):
        assign(entries(["1.jpg", "1.jpg"], faces.points[[1, 1]], face=[1, 1]), faces)


def test_number_of_points():
    faces = annotations(1, points=21)
    with pytest.raises(DataError, match=r"wants 21 points$"):
        assign(entries(["0.jpg"], np.zeros((1, 68, 2))), faces)
    with pytest.raises(DataError, match="or 68 points"):
        assign(entries(["0.jpg"], np.zeros((1, 5, 2))), faces, from68=lambda points: points[:, :21])
    predictions, _ = assign(entries(["0.jpg"], np.ones((1, 68, 2))), faces, from68=lambda points: points[:, :21])
    assert predictions.landmarks.shape == (1, 21, 2)


def test_angles_become_rotations():
    faces = annotations(2)
    given = replace(entries(["1.jpg"], faces.points[1:]), angles=np.array([[10.0, 20.0, 30.0]]))
    predictions, _ = assign(given, faces)
    np.testing.assert_allclose(np.degrees(hpen_angles(predictions.rotation[1])), [10, 20, 30])
    assert np.isnan(predictions.rotation[0]).all()
    assert assign(entries(["1.jpg"], faces.points[1:]), faces)[0].rotation is None


def test_half_a_face_is_refused():
    faces = annotations(2)
    points = faces.points.copy()
    points[1, 5] = np.nan
    with pytest.raises(DataError, match="no numbers and some are"):
        assign(entries(["0.jpg", "1.jpg"], points), faces)
    points[0, 5] = np.nan  # a point that the method never has
    predictions, _ = assign(entries(["0.jpg", "1.jpg"], points), faces)
    assert predictions.offered.sum() == 67 and predictions.found.all()


def test_nothing_of_this_set():
    with pytest.raises(DataError, match="Name photos by their paths"):
        assign(entries(["other.jpg"], np.zeros((1, 68, 2))), annotations(1))
    with pytest.raises(DataError, match="holds no face"):
        assign(entries([], np.zeros((0, 68, 2))), annotations(1))


def test_recorded_predictions_come_back(tmp_path):
    faces = annotations(3)
    first, _ = assign(entries(["0.jpg", "2.jpg"], faces.points[[0, 2]]), faces)
    recorded = entries_of(faces, first, Path("set"))
    assert recorded.image == ("0.jpg", "2.jpg")
    np.testing.assert_array_equal(assign(recorded, faces)[0].landmarks, first.landmarks)
    assert np.isnan(recorded.angles).all()
    turned = replace(first, rotation=hpen_rotation(np.radians(np.array([[10, 20, 30], [0, 0, 0], [-5, 80, 7]]))))
    recorded = entries_of(faces, turned, Path("set"))
    np.testing.assert_allclose(recorded.angles, [[10, 20, 30], [-5, 80, 7]], atol=1e-9)
    np.testing.assert_allclose(assign(recorded, faces)[0].rotation[2], turned.rotation[2], atol=1e-12)


def test_list_of_faces(tmp_path):
    faces = annotations(2)
    write_face_list(tmp_path / "faces.json", faces, Path("set"))
    content = json.loads((tmp_path / "faces.json").read_text())
    assert content[1]["face"] == 1 and content[1]["image"] == "1.jpg" and content[1]["box"] == [0, 0, 100, 100]
    assert Path(content[1]["path"]) == Path("set/1.jpg").resolve()
    inside = replace(faces, open_image=lambda image: np.zeros((2, 2, 3), np.uint8))
    with pytest.raises(DataError, match="files of their own"):
        write_face_list(tmp_path / "faces.json", inside, Path("set"))
