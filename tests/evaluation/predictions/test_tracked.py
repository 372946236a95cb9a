"""Faces of clips: from a tracker, frame by frame, and from a recorded file."""

import json
from dataclasses import replace

import numpy as np
import pytest

from invented_clip import invented_clip
from rdrface.errors import DataError
from rdrface.evaluation.predictions.tracked import read_recorded, run_detector, run_tracker
from rdrface.tracking.tracked_face import TrackedFace
from some_face import some_face


def test_the_tracker_gets_every_frame_with_its_time():
    clip, seen = invented_clip(count=3), []
    face, rough = some_face(), some_face(center=(161.0, 120.0))

    def update(image, time):
        seen.append((int(image[0, 0, 0]), round(time, 4)))
        return [TrackedFace(4, face, rough, time)] if len(seen) > 1 else []

    smoothed, unsmoothed = run_tracker(update, clip)
    assert seen == [(0, 0.0), (1, 0.0333), (2, 0.0667)]
    assert [len(faces) for faces in smoothed.landmarks] == [0, 1, 1]
    assert np.array_equal(smoothed.landmarks[1][0], face.landmarks)
    assert np.array_equal(unsmoothed.landmarks[1][0], rough.landmarks)
    assert smoothed.ids[1].tolist() == [4] and smoothed.blink[0].shape == (0, 2)
    assert smoothed.milliseconds.shape == (3,) and (smoothed.milliseconds > 0).all()


def test_the_detector_gives_no_numbers():
    faces = run_detector(lambda image: [some_face()], invented_clip(count=2))
    assert faces.ids is None and faces.blink[1].shape == (1, 2)


def test_an_error_while_a_frame_is_made_is_raised():
    def frames():
        yield np.zeros((48, 64, 3), np.uint8)
        raise DataError("no photo")

    with pytest.raises(DataError, match="no photo"):
        run_detector(lambda image: [], replace(invented_clip(count=2), frames=frames))


def test_recorded_faces_belong_to_their_clips(tmp_path):
    clip, path = invented_clip(count=2), tmp_path / "other.json"
    entry = {"checksum": clip.checksum, "milliseconds": [1, 2], "landmarks": [[], [clip.landmarks[1, 0].tolist()]]}
    path.write_text(json.dumps({"method": "other", "clips": {clip.key: entry}}))
    method, (faces,) = read_recorded(path, [clip])
    assert method == "other" and [len(one) for one in faces.landmarks] == [0, 1] and faces.ids is None
    with pytest.raises(DataError, match="1 of them"):
        read_recorded(path, [invented_clip(count=3)])
    path.write_text(json.dumps({"method": "other", "clips": {clip.key: {**entry, "landmarks": []}}}))
    with pytest.raises(DataError, match="0 frames of a clip with 2"):
        read_recorded(path, [clip])
    path.write_text("[]")
    with pytest.raises(DataError, match="not a file of predictions"):
        read_recorded(path, [clip])
