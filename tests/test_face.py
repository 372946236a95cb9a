"""The result types: conversion to dictionaries, pose, mesh, blendshapes and points of other schemes."""

import copy
import json
import pickle

import numpy as np
import pytest

from rdrface import Face
from rdrface.errors import DataError
from rdrface.geometry.rotation import rotation_matrix
from some_face import some_face

ARRAYS = ("box", "landmarks", "landmarks_jawline", "projection", "landmarks_3d", "visibility", "uncertainty")


def test_a_face_is_restored_exactly_from_json():
    face = some_face()
    restored = Face.from_dict(json.loads(json.dumps(face.to_dict())))
    for name in ARRAYS:
        np.testing.assert_array_equal(getattr(restored, name), getattr(face, name))
        assert getattr(restored, name).dtype == np.float32
    np.testing.assert_array_equal(restored.uncertainty, face.uncertainty)
    for name in ("pose", "identity", "expression"):
        np.testing.assert_array_equal(getattr(restored.parameters, name), getattr(face.parameters, name))
    assert restored.score == face.score
    np.testing.assert_array_equal(restored.mesh().vertices, face.mesh().vertices)
    assert restored.to_dict() == face.to_dict()


def test_a_pickled_face_is_small():
    face = some_face()
    content = pickle.dumps(face)
    assert len(content) < 10_000
    np.testing.assert_array_equal(pickle.loads(content).landmarks, face.landmarks)


def test_pose_is_in_degrees_with_the_documented_signs():
    face = some_face(angles=(0.1, 0.5, -0.2))
    pose = face.to_dict()["pose"]
    angles = np.radians([face.pose.pitch, face.pose.yaw, face.pose.roll])
    pitch, yaw, roll = (rotation_matrix(angles * axis) for axis in np.eye(3))
    np.testing.assert_allclose(yaw @ pitch @ roll, face.pose.rotation, atol=1e-6)
    np.testing.assert_allclose([pose["pitch"], pose["yaw"], pose["roll"]], np.degrees(angles), atol=1e-4)
    assert face.pose.pitch > 0 and face.pose.yaw > 0 and face.pose.roll < 0
    nose = face.pose.rotation @ [0, 0, 1]
    assert nose[0] > 0  # with a positive yaw, the nose points to the right of the image
    np.testing.assert_allclose(face.pose.rotation @ face.pose.rotation.T, np.eye(3), atol=1e-6)
    # Accordingly, the tip of the nose is to the right of the middle of the outer eye corners.
    assert face.landmarks[30, 0] > face.landmarks[[36, 45], 0].mean() + 4


@pytest.mark.parametrize("yaw", [90.0, -90.0])
def test_pitch_and_roll_of_a_profile_do_not_depend_on_how_p_describes_it(yaw):
    # At a yaw of 90 degrees, the pitch and the roll of P are rotations about the same axis and cancel.
    for angle in (-40.0, 0.0, 40.0):
        angles = np.radians([angle, yaw, angle * np.sign(yaw)])
        pose = some_face(angles=tuple(angles)).pose
        assert (pose.yaw, pose.pitch, pose.roll) == pytest.approx((yaw, 0, 0), abs=1e-3)


def test_a_head_turned_away_has_a_yaw_beyond_90_degrees():
    pose = some_face(angles=tuple(np.radians([5.0, 130.0, 0.0]))).pose
    assert pose.yaw == pytest.approx(130, abs=3) and abs(pose.pitch) < 6 and abs(pose.roll) < 6


def test_the_landmarks_are_near_the_mesh():
    face = some_face()
    mesh = face.mesh()
    assert mesh.vertices.dtype == np.float32 and mesh.triangles.dtype == np.int32
    assert mesh.triangles.max() < len(mesh.vertices)
    nearest = np.linalg.norm(mesh.vertices[None] - face.landmarks_3d[:, None], axis=-1).min(1)
    assert nearest.max() < 0.06 * face.size


def test_points_in_other_annotation_schemes():
    face = some_face()
    np.testing.assert_allclose(face.points("ibug68"), face.landmarks_3d, atol=1e-2)
    np.testing.assert_allclose(face.points("inner51"), face.landmarks_3d[17:], atol=1e-2)
    assert face.points("aflw21").shape == (21, 3)
    assert face.points("aflw34").shape == (34, 3)
    with pytest.raises(ValueError, match="ibug68"):
        face.points("no such scheme")


def test_blendshapes_by_name():
    shapes = some_face().blendshapes
    assert len(shapes) == 46
    assert shapes["jawOpen"] == pytest.approx(0.4) and shapes["mouthSmileLeft"] == pytest.approx(0.25)
    assert all(0 <= value <= 1 for value in shapes.values())


def test_reprs_are_short():
    face = some_face()
    for text in map(repr, (face, face.pose, face.parameters, face.mesh())):
        assert len(text) < 150 and "array" not in text
    assert "yaw=-21.4" in repr(face) and "visible 60/68" in repr(face)


def test_a_face_cannot_be_changed():
    with pytest.raises(AttributeError):
        some_face().score = 1.0  # type: ignore[misc]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda d: d.pop("landmarks"), "landmarks"),
        (lambda d: d["parameters"].pop("pose"), "pose"),
        (lambda d: d.update(visibility=[1.0] * 67), "visibility.*68"),
        (lambda d: d.update(landmarks=[[1, 2], [3]]), "landmarks"),
        (lambda d: d.update(parameters=None), "not a face"),
    ],
)
def test_an_incomplete_dictionary_is_refused(change, message):
    content = copy.deepcopy(some_face().to_dict())
    change(content)
    with pytest.raises(DataError, match=message):
        Face.from_dict(content)


def test_a_dictionary_of_release_0_1_can_be_read():
    face = some_face()
    content = face.to_dict()
    content["visible"] = content.pop("visibility")
    content["confidence"] = {"error_percent": content.pop("uncertainty"), "score": [0.5] * 68}
    content["own_landmarks"] = [[1.5, 2.5], [3.5, 4.5]]
    restored = Face.from_dict(json.loads(json.dumps(content)))
    np.testing.assert_array_equal(restored.visibility, face.visibility)
    np.testing.assert_array_equal(restored.uncertainty, face.uncertainty)
    np.testing.assert_array_equal(restored.custom_landmarks, [[1.5, 2.5], [3.5, 4.5]])


def test_no_property_of_a_face_raises_an_error():
    face = some_face()
    for name in dir(face):
        getattr(face, name)
    assert face.custom_landmarks is None


@pytest.mark.parametrize("suffix", ["obj", "ply"])
def test_the_suffix_determines_the_mesh_format(tmp_path, suffix):
    path = tmp_path / f"face.{suffix}"
    some_face().mesh().save(path)
    assert path.stat().st_size > 10_000
    with pytest.raises(ValueError, match=r"\.obj or \.ply"):
        some_face().mesh().save(tmp_path / "face.stl")


@pytest.mark.parametrize("content", [None, [], "face"])
def test_something_else_than_a_dict_is_rejected(content):
    with pytest.raises(DataError, match="dictionary"):
        Face.from_dict(content)


@pytest.mark.parametrize(
    "entry",
    [
        {"score": "a"},
        {"score": float("nan")},
        {"landmarks": [[float("nan")] * 2] * 68},
        {"box": ["1", "2", "3", "4"]},
        {"box": [1e300] * 4},
        {"custom_landmarks": []},
    ],
)
def test_entries_that_are_not_finite_numbers_are_rejected(entry):
    with pytest.raises(DataError, match=next(iter(entry))):
        Face.from_dict({**some_face().to_dict(), **entry})


def test_the_current_key_is_used_when_a_dict_has_both():
    face = some_face()
    again = Face.from_dict({**face.to_dict(), "visible": [0.0] * 68, "custom_landmarks": None})
    np.testing.assert_array_equal(again.visibility, face.visibility)
    assert again.custom_landmarks is None


def test_the_face_model_must_be_a_face_model():
    with pytest.raises(TypeError, match="FaceModel"):
        Face.from_dict(some_face().to_dict(), model=3)
