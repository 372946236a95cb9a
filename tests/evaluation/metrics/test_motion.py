"""Jitter, deviation and lag of invented predictions."""

import numpy as np
import pytest

from annotated import face_points
from rdrface.evaluation.metrics.motion import lag, squared_deviation, squared_jitter

FACE = face_points(center=(200.0, 200.0), side=100.0)


def moving(delay: float, count: int = 60, amplitude: float = 60.0) -> np.ndarray:
    """(T, 68, 2) landmarks of a face that moves left and right, some frames late."""
    shift = amplitude * np.sin(2 * np.pi * (np.arange(count) - delay) / 45)
    return FACE + np.stack([shift, 0.2 * shift], axis=1)[:, None]


def test_noise_gives_its_jitter_and_its_deviation():
    rng = np.random.default_rng(0)
    truth = np.repeat(FACE[None], 500, axis=0)
    predicted = truth + rng.normal(0, 0.5, truth.shape)
    size, same = np.full(500, 200.0), np.ones(499, bool)
    # The change of two coordinates, each the difference of two errors: sqrt(4) * 0.5 pixels of 200.
    assert np.sqrt(squared_jitter(predicted, truth, size, same).mean()) == pytest.approx(0.5, rel=0.02)
    assert np.sqrt(squared_deviation(predicted, 200.0).mean()) == pytest.approx(0.5 / 2**0.5, rel=0.02)


def test_a_followed_motion_and_a_constant_error_are_no_jitter():
    truth = moving(0)
    size, same = np.full(60, 100.0), np.ones(59, bool)
    assert squared_jitter(truth + 3, truth, size, same).max() == pytest.approx(0, abs=1e-12)
    assert squared_jitter(moving(1), truth, size, same).mean() > 0.5  # a late prediction does jitter


def test_only_counted_pairs_and_landmarks_are_jitter():
    truth = np.repeat(FACE[None], 4, axis=0)
    predicted = truth.copy()
    predicted[2:] += 10
    size = np.full(4, 100.0)
    assert squared_jitter(predicted, truth, size, np.ones(3, bool)).tolist() == pytest.approx([0, 200, 0])
    assert squared_jitter(predicted, truth, size, np.array([True, False, True])).tolist() == [0, 0]
    truth[:, :17], predicted[2:, :17] = np.nan, np.nan
    assert squared_jitter(predicted, truth, size, np.ones(3, bool))[1] == pytest.approx(200)


@pytest.mark.parametrize("delay", [-0.5, 0.0, 0.4, 1.5, 3.0])
def test_the_lag_is_measured_in_fractions_of_a_frame(delay):
    rng = np.random.default_rng(1)
    predicted = moving(delay) + 4 * rng.normal(size=(68, 2)) + rng.normal(0, 0.3, (60, 68, 2))
    assert lag(predicted, moving(0)) == pytest.approx(delay, abs=0.06)


def test_an_error_that_rotates_with_the_face_does_not_change_the_lag():
    angle = 0.8 * np.sin(2 * np.pi * np.arange(60) / 40)
    cos, sin = np.cos(angle), np.sin(angle)
    rotation = np.stack([np.stack([cos, -sin], -1), np.stack([sin, cos], -1)], axis=1)
    centered = FACE - FACE.mean(axis=0)
    truth = np.einsum("tij,pj->tpi", rotation, centered)
    biased = np.einsum("tij,pj->tpi", rotation, centered + 5 * np.random.default_rng(2).normal(size=(68, 2)))
    assert lag(biased, truth) == pytest.approx(0, abs=0.02)


def test_a_face_found_in_few_frames_has_no_lag():
    predicted = moving(0)
    predicted[10:] = np.nan
    assert np.isnan(lag(predicted, moving(0)))
