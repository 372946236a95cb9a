"""Smoothing over time: still faces are still, moving ones have no lag, and blinks keep their depth."""

import numpy as np
import pytest

from moving_face import noisy, shifted, upright_face, with_expression
from rdrface.face import Face, packaged_model
from rdrface.tracking.identity import IdentityAverage
from rdrface.tracking.landmark_shape import LandmarkShape
from rdrface.tracking.smoothing import FaceSmoother
from rdrface.tracking.track import Track
from some_face import some_face

RATE = 30


def smoothed(faces: list[Face], times=None) -> list[Face]:
    times = np.arange(len(faces)) / RATE if times is None else times
    smoother = FaceSmoother(faces[0], times[0], IdentityAverage(), LandmarkShape(packaged_model()))
    return [smoother.smoothed(faces[0])] + [
        smoother.update(face, time) for face, time in zip(faces[1:], times[1:], strict=True)
    ]


def jitter(faces: list[Face], motion=0.0, start=15) -> float:
    """Root mean square displacement between frames against the true motion, pixels."""
    steps = np.diff([face.landmarks for face in faces], axis=0)[start:] - motion
    return float(np.sqrt((steps**2).sum(axis=-1).mean()))


@pytest.mark.parametrize("rate", [15, 30, 60])
def test_a_still_face_is_smooth(rate):
    rng = np.random.default_rng(0)
    faces = [noisy(upright_face(), rng) for _ in range(3 * rate)]
    result = smoothed(faces, np.arange(len(faces)) / rate)
    assert jitter(result, start=rate) < 0.3 * jitter(faces, start=rate)
    error = np.mean([face.landmarks for face in result[rate:]], axis=0) - upright_face().landmarks
    assert np.abs(error.mean(axis=0)).max() < 0.05


@pytest.mark.parametrize("speed", [0.2, 3.0, 10.0])
def test_a_moving_face_has_no_lag(speed):
    """Pixels per frame; a face of 100 pixels."""
    rng = np.random.default_rng(0)
    faces = [noisy(shifted(upright_face(), np.array([speed * max(i - 20, 0), 0])), rng) for i in range(60)]
    result = smoothed(faces)
    offsets = [
        (a.landmarks - upright_face().landmarks).mean(axis=0)[0] - speed * (i - 20) for i, a in enumerate(result)
    ]
    assert np.abs(offsets[22:]).max() < 0.5
    assert abs(np.mean(offsets[30:])) < 0.15
    assert jitter(result, [speed, 0], 40) < jitter(faces, [speed, 0], 40)


def test_a_face_that_stops_does_not_overshoot():
    positions = [3.0 * min(i, 30) for i in range(60)]
    result = smoothed([shifted(upright_face(), np.array([x, 0])) for x in positions])
    offsets = [
        (a.landmarks - upright_face().landmarks).mean(axis=0)[0] - x for a, x in zip(result, positions, strict=True)
    ]
    assert np.abs(offsets).max() < 0.4


def test_irregular_times_do_not_disturb_a_steady_motion():
    rng = np.random.default_rng(1)
    times = np.cumsum(rng.uniform(0.01, 0.08, 60))
    result = smoothed([shifted(upright_face(), np.array([90.0 * t, 0])) for t in times], times)
    offsets = [
        (a.landmarks - upright_face().landmarks).mean(axis=0)[0] - 90 * t for a, t in zip(result, times, strict=True)
    ]
    assert np.abs(offsets[5:]).max() < 0.3


def test_a_blink_keeps_its_depth():
    """Four frames at 30 frames a second; the upper eyelids move by 3 % of the face size."""
    rng = np.random.default_rng(0)
    lids = np.zeros((68, 2))
    lids[[37, 38, 43, 44], 1] = 3.0
    faces = []
    for i in range(40):
        closed = {20: 0.6, 21: 1.0, 22: 1.0, 23: 0.5}.get(i, 0.0)
        face = with_expression(shifted(upright_face(), closed * lids), "eyeBlinkLeft", 0.1 + 0.8 * closed)
        faces.append(noisy(face, rng, 0.05))
    result = smoothed(faces)
    index = packaged_model().expression_names.index("eyeBlinkLeft")
    strength = np.array([face.parameters.expression[index] for face in result])
    assert strength[21:23].max() > 0.85
    assert strength[20] > 0.5 and strength[26] < 0.2
    moved = result[22].landmarks[[37, 43], 1] - result[19].landmarks[[37, 43], 1]
    assert moved.min() > 2.6


def test_the_parts_of_a_smoothed_face_belong_together():
    rng = np.random.default_rng(0)
    faces = [noisy(some_face(angles=(0.1, 0.02 * i, 0.05 * i)), rng) for i in range(30)]
    last = smoothed(faces)[-1]
    np.testing.assert_allclose(last.points("ibug68"), last.landmarks_3d, atol=2e-3)
    np.testing.assert_allclose(last.projection[17:], last.landmarks_3d[17:, :2], atol=1e-4)
    assert last.pose.yaw == pytest.approx(faces[-1].pose.yaw, abs=1.5)
    assert np.linalg.norm(last.landmarks - faces[-1].landmarks, axis=1).mean() < 0.4


def test_a_full_turn_in_the_image_plane_is_followed():
    faces = [some_face(angles=(0.0, 0.2, np.radians(9.0 * i))) for i in range(41)]
    for face, result in zip(faces, smoothed(faces), strict=True):
        assert np.linalg.norm(result.landmarks - face.landmarks, axis=1).mean() < 1.0
        difference = result.pose.roll - face.pose.roll
        assert abs((difference + 180) % 360 - 180) < 2.0


def test_the_identity_is_averaged_with_more_weight_on_certain_frames():
    average = IdentityAverage()
    for _ in range(30):
        average.update(np.full(50, 1.0), 2.0, 0.03)
        average.update(np.full(50, -1.0), 8.0, 0.03)
    assert 0.8 < average.mean.mean() < 0.95


def test_two_frames_at_almost_the_same_time_do_not_give_a_velocity():
    """Some files have timestamps that are moved on by one tick."""
    face, larger = upright_face(), some_face(size=101.0, angles=(0.0, 0.0, 0.0))
    shape = LandmarkShape(packaged_model())
    track = Track(1, face, 0.0, shape)
    for i in range(1, 15):
        track.update(face, i / RATE)
    track.update(larger, 14 / RATE + 1e-6)
    predicted = track.predict(15 / RATE)
    size = np.ptp(predicted, axis=0).max() / np.ptp(face.landmarks, axis=0).max()
    assert 0.9 < size < 1.2
