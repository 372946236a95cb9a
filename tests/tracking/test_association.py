"""Known faces, tracks that converge, lost people, cuts and the schedule of the detector."""

import numpy as np

from moving_face import shifted, upright_face
from rdrface.face import packaged_model
from rdrface.tracking.association import converged, is_known
from rdrface.tracking.landmark_shape import LandmarkShape
from rdrface.tracking.refinding import find_again
from rdrface.tracking.scene_cuts import SceneCuts
from rdrface.tracking.schedule import DetectionSchedule
from rdrface.tracking.track import Track


def test_a_detection_of_a_followed_face_is_known():
    face = upright_face()
    boxes = np.array([face.bounds, face.bounds + 20, face.bounds + 300], np.float64)
    assert is_known(boxes, face.landmarks[None]).tolist() == [[True], [True], [False]]
    assert is_known(boxes, np.empty((0, 68, 2))).shape == (3, 0)


def test_of_two_tracks_on_one_face_the_younger_is_dropped():
    points = upright_face().landmarks
    assert converged(np.array([points, points + 300, points + 10])).tolist() == [False, False, True]


def test_lost_people_are_assigned_to_the_nearest_faces():
    shape = LandmarkShape(packaged_model())
    face = upright_face()
    lost = [Track(1, face, 0.0, shape), Track(2, shifted(face, np.array([200, 0])), 0.0, shape)]
    faces = [shifted(face, np.array(by)) for by in ([190, 10], [20, 0], [900, 0])]
    assert find_again(faces, lost, 0.5) == [lost[1], lost[0], None]
    assert find_again(faces, [], 0.5) == [None, None, None]


def test_a_cut_is_reported_once_and_motion_is_not_a_cut():
    rng = np.random.default_rng(0)
    first, second = (np.kron(rng.integers(0, 256, (12, 16, 3)), np.ones((20, 20, 1))).astype(np.uint8) for _ in "ab")
    cuts = SceneCuts()
    frames = [first, np.roll(first, 4, axis=1), np.roll(first, 8, axis=1), second, second]
    assert [cuts.is_cut(frame) for frame in frames] == [False, False, False, True, False]


def test_the_detector_runs_at_once_and_then_ever_less_often():
    schedule = DetectionSchedule(1.0)
    runs = []
    for i in range(300):
        if schedule.is_due(i / 30, followed=1, missing=0):
            runs.append(i)
            schedule.done(i / 30, found_new=i == 0)
    assert runs[0] == 0
    assert 12 < len(runs) < 20
    assert runs[-1] - runs[-2] == 30
    schedule.hurry()
    assert schedule.is_due(10.0, followed=1, missing=1)
