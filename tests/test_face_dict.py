"""`Face.to_dict` and `Face.from_dict`."""

import copy
import json

import numpy as np
import pytest

from rdrface import Face
from rdrface.errors import DataError
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
