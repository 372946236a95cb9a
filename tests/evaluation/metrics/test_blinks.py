"""Depth of invented blinks."""

import numpy as np
import pytest

from annotated import face_points
from rdrface.evaluation.metrics.blinks import blink_depth, blink_peak

CLOSING = np.zeros(40)
CLOSING[10:14] = [0.5, 1, 1, 0.4]
CLOSING[25:28] = [0.6, 1, 0.5]


def blinking(closing: np.ndarray) -> np.ndarray:
    """(T, 68, 2) landmarks whose eyelids move towards the line between the corners."""
    points = np.repeat(face_points()[None], len(closing), axis=0)
    for eye in (range(36, 42), range(42, 48)):
        lids = [eye[i] for i in (1, 2, 4, 5)]
        middle = points[:, [eye[0]], 1]
        points[:, lids, 1] += closing[:, None] * (middle - points[:, lids, 1])
    return points


def test_depth_is_relative_to_the_true_blink():
    truth = blinking(CLOSING)
    assert blink_depth(truth, truth, CLOSING) == pytest.approx([100, 100])
    assert blink_depth(blinking(0.5 * CLOSING), truth, CLOSING) == pytest.approx([50, 50])
    late = blinking(np.roll(CLOSING, 2))
    assert blink_depth(late, truth, CLOSING) == pytest.approx([100, 100])


def test_a_face_lost_in_a_blink_has_no_depth():
    predicted = blinking(CLOSING)
    predicted[8:18] = np.nan
    depth = blink_depth(predicted, blinking(CLOSING), CLOSING)
    assert np.isnan(depth[0]) and depth[1] == pytest.approx(100)


def test_the_peak_is_the_rise_above_open_eyes():
    coefficients = 0.1 + 0.8 * np.stack([CLOSING, CLOSING], axis=1)
    assert blink_peak(coefficients, CLOSING) == pytest.approx([0.8, 0.8])
