import json

import numpy as np
import pytest

from rdrface.datasets.readers import read_w300
from rdrface.datasets.records import FaceRecords
from rdrface.detection.boxes import BoxFile
from rdrface.evaluation.predictions.aligning import run_aligner
from rdrface.evaluation.predictions.predictions import OWN
from rdrface.evaluation.protocols.sets import own68
from true_aligner import TrueAligner, face, write_ibug


@pytest.fixture
def faces(tmp_path):
    write_ibug(tmp_path)
    return read_w300(tmp_path)


def test_true_boxes(faces):
    answer, unreadable = run_aligner(TrueAligner(faces), faces, own68)
    assert answer.found.all() and not unreadable and tuple(answer.outputs) == OWN
    np.testing.assert_allclose(answer.landmarks, faces.points + np.array([2, 0]), atol=1e-4)
    assert (answer.visibility == 1).all() and (answer.uncertainty == 2).all() and answer.rotation.shape == (3, 3, 3)
    assert (answer.milliseconds >= 0).all()


def test_detected_faces_are_matched_by_their_boxes(faces):
    stranger = face(faces.points[0] + np.array([300, 0]))
    # right box, landmarks gone astray: an error, not a miss
    lost = face(faces.points[0] + np.array([300, 0]), box=faces.box[0])
    answer, _ = run_aligner(TrueAligner(faces, extra=[stranger]), faces, own68, "detector")
    np.testing.assert_allclose(answer.landmarks, faces.points + np.array([2, 0]), atol=1e-4)
    answer, _ = run_aligner(TrueAligner(faces, blind=["a.png"], extra=[stranger, lost]), faces, own68, "detector")
    np.testing.assert_allclose(answer.landmarks[0, :, 0], faces.points[0, :, 0] + 300, atol=1e-3)
    answer, _ = run_aligner(TrueAligner(faces, blind=["png"], extra=[stranger]), faces, own68, "detector")
    assert not answer.found.any()


def test_unreadable_photos_are_named(faces):
    answer, unreadable = run_aligner(TrueAligner(faces, broken=["c.png"]), faces, own68)
    assert answer.found.tolist() == [True, True, False]
    assert list(unreadable) == [faces.image[2]] and "damaged" in unreadable[faces.image[2]]


def test_boxes_of_a_file(faces, tmp_path):
    path = tmp_path / "boxes.json"
    path.write_text(json.dumps({"a.png": [[500, 0, 600, 100], (faces.box[0] + 0.2).tolist()], "c.png": []}))
    answer, _ = run_aligner(TrueAligner(faces), faces, own68, BoxFile.read(path))
    assert answer.found.tolist() == [True, False, False]  # b is not in the file, c has no box
    np.testing.assert_allclose(answer.landmarks[0], faces.points[0] + np.array([2, 0]), atol=1e-4)


def test_photos_of_a_set_that_are_no_files(faces):
    asked = []

    class Aligner(TrueAligner):
        def align(self, photo, boxes):
            asked.append(photo)
            return super().align("", boxes)

    arrays = {image: np.zeros((2, 2, 3), np.uint8) for image in faces.image.tolist()}
    held = FaceRecords(
        faces.image, faces.points, faces.state, faces.box, faces.source, faces.is_test, open_image=arrays.__getitem__
    )
    assert run_aligner(Aligner(faces), held, own68)[0].found.all()
    assert all(photo is arrays[image] for photo, image in zip(asked, held.image.tolist(), strict=True))
