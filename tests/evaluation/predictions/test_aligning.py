"""Running an aligner on the annotated faces of a small 300-W folder."""

import json

import numpy as np
import pytest

from rdrface.datasets.readers import read_w300
from rdrface.datasets.records import FaceRecords
from rdrface.detection.box_file import BoxFile
from rdrface.evaluation.predictions.aligning import run_aligner
from rdrface.evaluation.predictions.predictions import OUTPUT_NAMES
from rdrface.evaluation.protocols.sets import own68
from stub_aligner import StubAligner, face, write_ibug


@pytest.fixture
def faces(tmp_path):
    write_ibug(tmp_path)
    return read_w300(tmp_path)


def test_boxes_of_the_annotations_are_aligned(faces):
    predictions, unreadable = run_aligner(StubAligner(faces), faces, own68)
    assert predictions.found.all() and not unreadable and tuple(predictions.outputs) == OUTPUT_NAMES
    np.testing.assert_allclose(predictions.landmarks, faces.points + np.array([2, 0]), atol=1e-4)
    assert (
        (predictions.visibility == 1).all()
        and (predictions.uncertainty == 2).all()
        and predictions.rotation.shape == (3, 3, 3)
    )
    assert (predictions.milliseconds >= 0).all()


def test_detected_faces_are_matched_by_their_boxes(faces):
    other = face(faces.points[0] + np.array([300, 0]))
    # The box matches, so the wrong landmarks are an error, not a missed face.
    misaligned = face(faces.points[0] + np.array([300, 0]), box=faces.box[0])
    predictions, _ = run_aligner(StubAligner(faces, extra=[other]), faces, own68, "detector")
    np.testing.assert_allclose(predictions.landmarks, faces.points + np.array([2, 0]), atol=1e-4)
    predictions, _ = run_aligner(
        StubAligner(faces, missed=["a.png"], extra=[other, misaligned]), faces, own68, "detector"
    )
    np.testing.assert_allclose(predictions.landmarks[0, :, 0], faces.points[0, :, 0] + 300, atol=1e-3)
    predictions, _ = run_aligner(StubAligner(faces, missed=["png"], extra=[other]), faces, own68, "detector")
    assert not predictions.found.any()


def test_unreadable_images_are_returned_with_the_reason(faces):
    predictions, unreadable = run_aligner(StubAligner(faces, unreadable=["c.png"]), faces, own68)
    assert predictions.found.tolist() == [True, True, False]
    assert list(unreadable) == [faces.image[2]] and "damaged" in unreadable[faces.image[2]]


def test_boxes_of_a_file_are_matched_with_the_annotations(faces, tmp_path):
    path = tmp_path / "boxes.json"
    path.write_text(json.dumps({"a.png": [[500, 0, 600, 100], (faces.box[0] + 0.2).tolist()], "c.png": []}))
    predictions, _ = run_aligner(StubAligner(faces), faces, own68, BoxFile.read(path))
    assert predictions.found.tolist() == [True, False, False]  # b.png is not in the file, c.png has no box
    np.testing.assert_allclose(predictions.landmarks[0], faces.points[0] + np.array([2, 0]), atol=1e-4)


def test_images_that_are_arrays_are_passed_to_the_aligner(faces):
    aligned = []

    class Aligner(StubAligner):
        def align(self, image, boxes):
            aligned.append(image)
            return super().align("", boxes)

    arrays = {name: np.zeros((2, 2, 3), np.uint8) for name in faces.image.tolist()}
    held = FaceRecords(
        faces.image, faces.points, faces.state, faces.box, faces.source, faces.is_test, open_image=arrays.__getitem__
    )
    assert run_aligner(Aligner(faces), held, own68)[0].found.all()
    assert all(image is arrays[name] for image, name in zip(aligned, held.image.tolist(), strict=True))
