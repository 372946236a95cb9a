"""Matching entries of a file with the annotated faces of a set."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from annotated_faces import annotations
from rdrface.datasets.readers.aflw2000 import hpen_angles, hpen_rotation
from rdrface.errors import DataError
from rdrface.evaluation.predictions.files import PredictionFile
from rdrface.evaluation.predictions.matching import match_boxes, to_prediction_file, to_predictions


def entries(images, landmarks, face=None, box=None):
    count = len(images)
    return PredictionFile(
        image=tuple(images),
        landmarks=np.asarray(landmarks, np.float64),
        face=np.full(count, -1) if face is None else np.asarray(face),
        box=np.full((count, 4), np.nan) if box is None else np.asarray(box, np.float64),
        milliseconds=np.full(count, np.nan),
        angles=np.full((count, 3), np.nan),
        method="synthetic",
    )


def test_a_box_is_matched_at_most_once():
    assert match_boxes(np.array([[0, 0, 10, 10], [1, 0, 11, 10]]), np.array([[0, 0, 10, 10]])) == [(0, 0)]
    assert match_boxes(np.array([[0, 0, 10, 10]]), np.array([[20, 20, 30, 30]])) == []
    assert match_boxes(np.array([[0, 0, 10, 10]]), np.empty((0, 4))) == []


def test_images_are_found_by_any_trailing_part_of_their_path():
    faces = annotations(3)
    given = entries(["2.jpg", "/elsewhere/set/0.jpg"], faces.points[[2, 0]] + np.array([3, 0]))
    predictions, unmatched = to_predictions(given, faces)
    assert predictions.found.tolist() == [True, False, True] and unmatched == 0
    np.testing.assert_allclose(predictions.landmarks[2] - faces.points[2], np.tile([3, 0], (68, 1)))
    assert predictions.method == "synthetic" and to_predictions(given, faces, method="mine")[0].method == "mine"


def test_ambiguous_names_are_rejected():
    faces = replace(annotations(2), image=np.array(["a/x.jpg", "b/x.jpg"]))
    with pytest.raises(DataError, match="more of its path"):
        to_predictions(entries(["x.jpg"], faces.points[:1]), faces)
    assert to_predictions(entries(["b/x.jpg"], faces.points[1:]), faces)[0].found.tolist() == [False, True]


def test_faces_of_one_image_are_matched_by_overlap():
    faces = replace(annotations(2), image=np.array(["x.jpg", "x.jpg"]))
    faces.points[1] += [300, 0]
    faces.box[1] += [300, 0, 300, 0]
    given = entries(["x.jpg"] * 3, np.stack([faces.points[1], faces.points[0], faces.points[0] + np.array([0, 900])]))
    predictions, unmatched = to_predictions(given, faces)
    assert unmatched == 1
    np.testing.assert_allclose(predictions.landmarks, faces.points)


def test_the_only_entry_of_an_image_counts_however_large_its_error():
    faces = annotations(1)
    far = faces.points + np.array([500, 0])
    assert to_predictions(entries(["0.jpg"], far), faces)[0].found.all()
    # Not if the method aligned another box.
    with pytest.raises(DataError, match="none of the 1"):
        to_predictions(entries(["0.jpg"], far, box=[[500, 0, 600, 100]]), faces)


def test_face_numbers_select_the_annotated_face():
    faces = annotations(3)
    predictions, _ = to_predictions(entries(["1.jpg"], faces.points[1:2], face=[1]), faces)
    assert predictions.found.tolist() == [False, True, False]
    with pytest.raises(DataError, match="not in this image"):
        to_predictions(entries(["1.jpg"], faces.points[1:2], face=[2]), faces)
    with pytest.raises(DataError, match="two entries for face 1"):
        to_predictions(entries(["1.jpg", "1.jpg"], faces.points[[1, 1]], face=[1, 1]), faces)


def test_number_of_points_must_be_that_of_the_set_or_68():
    faces = annotations(1, points=21)
    with pytest.raises(DataError, match=r"needs 21 points$"):
        to_predictions(entries(["0.jpg"], np.zeros((1, 68, 2))), faces)
    with pytest.raises(DataError, match="or 68 points"):
        to_predictions(entries(["0.jpg"], np.zeros((1, 5, 2))), faces, from68=lambda points: points[:, :21])
    predictions, _ = to_predictions(
        entries(["0.jpg"], np.ones((1, 68, 2))), faces, from68=lambda points: points[:, :21]
    )
    assert predictions.landmarks.shape == (1, 21, 2)


def test_angles_become_rotations():
    faces = annotations(2)
    given = replace(entries(["1.jpg"], faces.points[1:]), angles=np.array([[10.0, 20.0, 30.0]]))
    predictions, _ = to_predictions(given, faces)
    np.testing.assert_allclose(np.degrees(hpen_angles(predictions.rotation[1])), [10, 20, 30])
    assert np.isnan(predictions.rotation[0]).all()
    assert to_predictions(entries(["1.jpg"], faces.points[1:]), faces)[0].rotation is None


def test_faces_with_some_points_missing_are_rejected():
    faces = annotations(2)
    points = faces.points.copy()
    points[1, 5] = np.nan
    with pytest.raises(DataError, match="some points of the face are NaN"):
        to_predictions(entries(["0.jpg", "1.jpg"], points), faces)
    points[0, 5] = np.nan  # a point that the method never predicts
    predictions, _ = to_predictions(entries(["0.jpg", "1.jpg"], points), faces)
    assert predictions.offered.sum() == 67 and predictions.found.all()


def test_files_without_a_face_of_the_set_are_rejected():
    with pytest.raises(DataError, match="Name images by their paths"):
        to_predictions(entries(["other.jpg"], np.zeros((1, 68, 2))), annotations(1))
    with pytest.raises(DataError, match="contains no face"):
        to_predictions(entries([], np.zeros((0, 68, 2))), annotations(1))


def test_recorded_predictions_are_read_back(tmp_path):
    faces = annotations(3)
    first, _ = to_predictions(entries(["0.jpg", "2.jpg"], faces.points[[0, 2]]), faces)
    recorded = to_prediction_file(faces, first, Path("set"))
    assert recorded.image == ("0.jpg", "2.jpg")
    np.testing.assert_array_equal(to_predictions(recorded, faces)[0].landmarks, first.landmarks)
    assert np.isnan(recorded.angles).all()
    turned = replace(first, rotation=hpen_rotation(np.radians(np.array([[10, 20, 30], [0, 0, 0], [-5, 80, 7]]))))
    recorded = to_prediction_file(faces, turned, Path("set"))
    np.testing.assert_allclose(recorded.angles, [[10, 20, 30], [-5, 80, 7]], atol=1e-9)
    np.testing.assert_allclose(to_predictions(recorded, faces)[0].rotation[2], turned.rotation[2], atol=1e-12)
