"""The result types: conversion to dictionaries, pose, mesh, blendshapes and points of other schemes."""

import pickle

import numpy as np
import pytest

from rdrface.geometry.rotation import rotation_matrix
from some_face import some_face

ARRAYS = ("box", "landmarks", "landmarks_jawline", "projection", "landmarks_3d", "visibility", "uncertainty")


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


def test_the_bounds_are_the_box_of_the_landmarks():
    face = some_face()
    np.testing.assert_array_equal(face.bounds, [*face.landmarks.min(axis=0), *face.landmarks.max(axis=0)])
    assert face.bounds.dtype == np.float32
    assert face.size == pytest.approx(np.sqrt(np.ptp(face.landmarks, axis=0).prod()))
