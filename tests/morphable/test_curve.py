"""Smooth lines: on known curves, evenly cut, calm where points are crowded."""

import numpy as np
import pytest

from rdrface.morphable.curve import evenly_spaced, midpoints, smooth_line


def circle(angles: np.ndarray) -> np.ndarray:
    return np.stack([np.cos(angles), np.sin(angles)], -1)


def test_a_line_goes_through_its_points() -> None:
    points = np.array([[0.0, 0], [1, 2], [4, 1], [5, 5]])
    line = smooth_line(points, 5)
    assert line.shape == (16, 2)
    np.testing.assert_allclose(line[::5], points)


def test_middles_of_a_circle_lie_on_it() -> None:
    between = midpoints(circle(np.linspace(0, np.pi, 17)))
    np.testing.assert_allclose(np.linalg.norm(between, axis=1), 1, atol=1e-3)
    np.testing.assert_allclose(
        np.degrees(np.arctan2(between[:, 1], between[:, 0])), np.arange(16) * 11.25 + 5.625, atol=0.1
    )


def test_a_straight_line_stays_straight_where_points_crowd() -> None:
    # As on the far side of a turned face: a cubic with even steps would overshoot beside the short stretch.
    x = np.array([0.0, 10, 10.1, 30, 30, 50])
    between = midpoints(np.stack([x, 2 * x], 1))
    np.testing.assert_allclose(between[:, 1], 2 * between[:, 0])
    assert (between[:, 0] >= x[:-1]).all() and (between[:, 0] <= x[1:]).all()


def test_points_are_the_same_length_apart() -> None:
    uneven = circle(np.array([0, 0.1, 0.15, 0.5, 0.6, 1]) * np.pi / 2)
    faces = np.stack([uneven, uneven * [3, 3] + [7, -2], np.full((6, 2), np.nan)])
    cut = evenly_spaced(faces, 5)
    angles = np.degrees(np.arctan2(cut[0, :, 1], cut[0, :, 0]))
    np.testing.assert_allclose(angles, [0, 22.5, 45, 67.5, 90], atol=0.1)
    np.testing.assert_allclose(cut[1], cut[0] * [3, 3] + [7, -2])
    assert np.isnan(cut[2]).all()
    np.testing.assert_allclose(cut[0, [0, -1]], uneven[[0, -1]])


def test_two_points_are_no_smooth_line() -> None:
    with pytest.raises(ValueError, match="3 or more"):
        midpoints(np.zeros((2, 2)))
