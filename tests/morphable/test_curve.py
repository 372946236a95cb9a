"""Smooth lines: exact on known curves, evenly resampled, without overshoot between uneven points."""

import numpy as np
import pytest

from rdrface.morphable.curve import evenly_spaced, midpoints, smooth_line


def circle(angles: np.ndarray) -> np.ndarray:
    return np.stack([np.cos(angles), np.sin(angles)], -1)


def test_the_line_passes_through_its_points() -> None:
    points = np.array([[0.0, 0], [1, 2], [4, 1], [5, 5]])
    line = smooth_line(points, 5)
    assert line.shape == (16, 2)
    np.testing.assert_allclose(line[::5], points)


def test_midpoints_of_a_circle_are_on_the_circle() -> None:
    between = midpoints(circle(np.linspace(0, np.pi, 17)))
    np.testing.assert_allclose(np.linalg.norm(between, axis=1), 1, atol=1e-3)
    np.testing.assert_allclose(
        np.degrees(np.arctan2(between[:, 1], between[:, 0])), np.arange(16) * 11.25 + 5.625, atol=0.1
    )


def test_a_straight_line_stays_straight_with_uneven_points() -> None:
    # As on the far side of a profile: a cubic with even steps would overshoot next to the short stretch.
    x = np.array([0.0, 10, 10.1, 30, 30, 50])
    between = midpoints(np.stack([x, 2 * x], 1))
    np.testing.assert_allclose(between[:, 1], 2 * between[:, 0])
    assert (between[:, 0] >= x[:-1]).all() and (between[:, 0] <= x[1:]).all()


def test_points_are_evenly_spaced() -> None:
    uneven = circle(np.array([0, 0.1, 0.15, 0.5, 0.6, 1]) * np.pi / 2)
    faces = np.stack([uneven, uneven * [3, 3] + [7, -2], np.full((6, 2), np.nan)])
    resampled = evenly_spaced(faces, 5)
    angles = np.degrees(np.arctan2(resampled[0, :, 1], resampled[0, :, 0]))
    np.testing.assert_allclose(angles, [0, 22.5, 45, 67.5, 90], atol=0.1)
    np.testing.assert_allclose(resampled[1], resampled[0] * [3, 3] + [7, -2])
    assert np.isnan(resampled[2]).all()
    np.testing.assert_allclose(resampled[0, [0, -1]], uneven[[0, -1]])


def test_two_points_are_an_error() -> None:
    with pytest.raises(ValueError, match="3 or more"):
        midpoints(np.zeros((2, 2)))
