"""Faces that were found twice."""

from dataclasses import replace

import numpy as np

from rdrface.alignment.duplicates import MAX_DUPLICATE_DISTANCE, without_duplicates
from some_face import some_face


def shifted(face, distance, uncertainty):
    return replace(
        face,
        landmarks=face.landmarks + np.array([distance * face.size, 0], np.float32),
        uncertainty=np.full(68, uncertainty, np.float32),
    )


def test_of_two_faces_with_the_same_landmarks_the_more_certain_one_is_kept():
    face = some_face()
    faces = [shifted(face, 0, 5), shifted(face, MAX_DUPLICATE_DISTANCE - 0.05, 3), shifted(face, 2, 9)]
    assert without_duplicates(faces) == faces[1:]


def test_a_face_in_a_box_with_a_low_score_must_be_much_more_certain():
    """The detector is sure of the box around the whole face, and not of a box at its edge."""
    face = some_face()
    whole = replace(shifted(face, 0, 4.4), score=0.98)
    edge = replace(shifted(face, 0.1, 4.0), score=0.8)
    assert without_duplicates([edge, whole]) == [whole]
    surer = replace(edge, uncertainty=np.full(68, 2.5, np.float32))
    assert without_duplicates([surer, whole]) == [surer]


def test_neighbors_are_kept():
    face = some_face()
    faces = [shifted(face, 0, 5), shifted(face, MAX_DUPLICATE_DISTANCE + 0.05, 3)]
    assert without_duplicates(faces) == faces
    assert without_duplicates([]) == []


def test_a_face_is_compared_with_kept_faces_only():
    """A is a duplicate of B and B of C, but A and C are two people: without B, both remain."""
    face = some_face()
    faces = [shifted(face, 0, 3), shifted(face, 0.3, 5), shifted(face, 0.6, 4)]
    assert without_duplicates(faces) == [faces[0], faces[2]]


def test_one_face_aligned_at_two_angles_is_one_face():
    face = some_face()
    center = face.landmarks.mean(axis=0)
    upside_down = replace(face, landmarks=2 * center - face.landmarks, uncertainty=np.full(68, 9, np.float32))
    assert without_duplicates([upside_down, face]) == [face]


def test_a_face_within_another_face_is_a_phantom():
    """A small face that the detector finds on a large one can have an ordinary error."""
    face = some_face()
    center = face.landmarks.mean(axis=0)
    small = (center + (face.landmarks - center) / 2 + 0.1 * face.size).astype(np.float32)
    within = replace(face, landmarks=small, uncertainty=face.uncertainty * 1.2)
    assert without_duplicates([within, face]) == [face]
    surer = replace(within, uncertainty=face.uncertainty / 1.2)
    assert without_duplicates([surer, face]) == [surer]
    at_the_chin = replace(within, landmarks=(small + np.array([0, 0.55 * face.size])).astype(np.float32))
    assert without_duplicates([at_the_chin, face]) == [at_the_chin, face]


def test_an_upside_down_face_must_be_clearly_better_than_an_upright_one():
    face = some_face()
    center = face.landmarks.mean(axis=0)
    upright = shifted(face, 0, 6.2)
    turned = (center + (center - face.landmarks) * 0.6).astype(np.float32)
    upside_down = replace(face, landmarks=turned, uncertainty=np.full(68, 5, np.float32))
    assert without_duplicates([upside_down, upright]) == [upright]
    surer = replace(upside_down, uncertainty=np.full(68, 4, np.float32))
    assert without_duplicates([surer, upright]) == [surer]


def test_a_face_on_part_of_another_face_is_a_phantom_if_it_is_much_less_certain():
    face = some_face()
    sure = replace(face, uncertainty=np.full(68, 2, np.float32))
    down = np.array([0, 0.5 * face.size], np.float32)
    phantom = replace(face, landmarks=face.landmarks + down, uncertainty=np.full(68, 5, np.float32))
    neighbor = replace(phantom, uncertainty=np.full(68, 3, np.float32))
    assert without_duplicates([phantom, sure]) == [sure]
    assert without_duplicates([neighbor, sure]) == [neighbor, sure]
