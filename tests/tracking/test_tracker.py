"""The tracker on clips made of scikit-image's astronaut."""

import numpy as np
import pytest

import rdrface
from rdrface.alignment.crop_alignment import CropAligner
from rdrface.detection.protocol import Detections

data = pytest.importorskip("skimage.data")


class CountingDetector:
    """A detector that counts its runs."""

    def __init__(self, detector) -> None:
        self.detector, self.runs = detector, 0

    def detect(self, image: np.ndarray) -> Detections:
        self.runs += 1
        return self.detector.detect(image)


@pytest.fixture(scope="module")
def image() -> np.ndarray:
    """(240, 320, 3): the astronaut's face in the middle."""
    return np.ascontiguousarray(data.astronaut()[20:260, 60:380])


@pytest.fixture(scope="module")
def aligner() -> rdrface.Aligner:
    return rdrface.load(threads=2)


@pytest.fixture
def counting(aligner, monkeypatch) -> CountingDetector:
    detector = CountingDetector(aligner.detector)
    monkeypatch.setattr(aligner, "detector", detector)
    return detector


def test_a_face_that_moves_is_followed_without_the_detector(aligner, image, counting):
    tracker = rdrface.Tracker(aligner)
    (first,) = tracker.update(image, 0.0)
    runs = counting.runs
    assert isinstance(first, rdrface.TrackedFace) and first.id == 1
    for i in range(1, 12):
        (tracked,) = tracker.update(np.roll(image, 5 * i, axis=1), i / 30)
        assert tracked.id == 1 and tracked.time == i / 30
        expected = first.face.landmarks + np.float32([5 * i, 0])
        assert np.linalg.norm(tracked.face.landmarks - expected, axis=1).mean() < 0.015 * first.face.size
    assert counting.runs - runs <= 4


def test_a_face_that_starts_to_move_fast_is_aligned_again_in_a_corrected_crop(aligner, image, monkeypatch):
    frames = []
    align = CropAligner.align
    monkeypatch.setattr(CropAligner, "align", lambda self, *args: frames.append(args[2]) or align(self, *args))
    tracker = rdrface.Tracker(aligner, search_interval=10.0)
    # The wide border keeps the frames similar: the motion is no cut.
    large = np.pad(image, ((150, 150), (200, 200), (0, 0)), mode="edge")
    for i in range(3):
        (still,) = tracker.update(large, i / 30)
    frames.clear()
    tracker.update(large, 3 / 30)
    assert len(frames) == 1
    by = round(0.17 * still.face.size)
    tracker.update(np.roll(large, by, axis=1), 4 / 30)
    assert len(frames) == 3
    first, corrected = (frame.center[0, 0] for frame in frames[1:])
    assert abs(first + by - corrected) < 0.03 * still.face.size


def test_a_person_is_found_again_after_an_occlusion_and_not_reported_during_it(aligner, image):
    tracker = rdrface.Tracker(aligner)
    covered = image.copy()
    covered[40:180, 90:230] = (150, 110, 90)
    ids = [[face.id for face in tracker.update(covered if 5 <= i < 15 else image, i / 15)] for i in range(22)]
    assert ids[:5] == [[1]] * 5
    assert ids[6:15] == [[]] * 9
    assert ids[-1] == [1]


def test_a_person_who_was_away_for_too_long_gets_a_new_number(aligner, image):
    """Also if no frame was in between, as in a video of which few frames are used."""
    tracker = rdrface.Tracker(aligner, max_occlusion=3.0)
    assert [face.id for face in tracker.update(image, 0.0)] == [1]
    assert [face.id for face in tracker.update(image, 2.0)] == [1]
    assert [face.id for face in tracker.update(image, 12.0)] == [2]


def test_two_people_keep_their_numbers_and_a_new_one_gets_the_next(aligner, image):
    tracker = rdrface.Tracker(aligner, search_interval=0.2)
    twins = np.concatenate([image, image[:, ::-1]], axis=1)
    assert [face.id for face in tracker.update(twins, 0.0)] == [1, 2]
    (left, right) = tracker.update(twins, 0.1)
    assert left.face.landmarks[:, 0].mean() < 320 < right.face.landmarks[:, 0].mean()
    triple = np.concatenate([twins, image], axis=1)
    tracker.reset()
    for i in range(8):
        canvas = triple.copy()
        if i < 4:
            canvas[:, 640:] = 128
        result = tracker.update(canvas, i / 10)
    assert [face.id for face in result] == [1, 2, 3]


def test_without_faces_the_detector_does_not_run_in_every_frame(aligner, counting):
    tracker = rdrface.Tracker(aligner)
    empty = np.full((120, 160, 3), 90, np.uint8)
    assert all(tracker.update(empty, i / 30) == [] for i in range(90))
    assert counting.runs < 25


def test_after_a_cut_the_face_is_reported_in_the_same_frame(aligner, image):
    tracker = rdrface.Tracker(aligner)
    other = 255 - np.roll(image, 60, axis=1)
    other[20:220] = np.roll(image, -70, axis=1)[20:220]
    tracker.update(image, 0.0)
    tracker.update(image, 0.04)
    (face,) = tracker.update(other, 0.08)
    assert abs(face.face.landmarks[:, 0].mean() - aligner.detect(other)[0].landmarks[:, 0].mean()) < 2


def test_after_a_pause_and_after_a_reset_the_face_is_detected_again(aligner, image, counting):
    tracker = rdrface.Tracker(aligner)
    tracker.update(image, 0.0)
    runs = counting.runs
    assert [face.id for face in tracker.update(np.roll(image, 40, axis=1), 1.5)] == [1]
    assert counting.runs > runs
    tracker.reset()
    assert [face.id for face in tracker.update(image, 0.0)] == [1]


@pytest.mark.parametrize("time", [0.5, 0.4, float("nan"), None, True])
def test_times_must_increase(aligner, time):
    tracker = rdrface.Tracker(aligner)
    empty = np.zeros((60, 60, 3), np.uint8)
    tracker.update(empty, 0.5)
    with pytest.raises(ValueError, match="time must"):
        tracker.update(empty, time)
    tracker.update(empty, 0.6)


@pytest.mark.parametrize("name", ["search_interval", "max_occlusion"])
def test_intervals_must_be_positive(aligner, name):
    with pytest.raises(ValueError, match=name):
        rdrface.Tracker(aligner, **{name: 0})
