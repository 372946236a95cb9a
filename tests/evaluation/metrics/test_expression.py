"""Eye, mouth and brow measures of drawn faces, and statistics of eyes and winks."""

import numpy as np
import pytest

from rdrface.evaluation.metrics.expression import (
    both_active,
    brow_height,
    eye_aspect,
    eye_statistics,
    lip_gap,
    measure_annotations,
    mouth_width,
    part_of,
    pearson,
    wink_statistics,
)
from rdrface.face import packaged_model


def drawn_face(left_lids: float = 2.0, right_lids: float = 3.0, gap: float = 4.0) -> np.ndarray:
    """(1, 68, 2): eyes 10 px wide and 40 px apart, brows 15 px above, a mouth 30 px wide."""
    points = np.zeros((68, 2))
    for first, x, height in ((36, 0.0, left_lids), (42, 50.0, right_lids)):
        points[first], points[first + 3] = (x, 0), (x + 10, 0)
        for upper, lower, at in ((first + 1, first + 5, x + 3), (first + 2, first + 4, x + 7)):
            points[upper], points[lower] = (at, -height / 2), (at, height / 2)
    points[17:22], points[22:27] = (5, -15), (55, -15)
    points[48], points[54] = (15, 50), (45, 50)
    for upper, lower, x in ((61, 67, 25), (62, 66, 30), (63, 65, 35)):
        points[upper], points[lower] = (x, 50 - gap / 2), (x, 50 + gap / 2)
    return points[None]


def test_measures_of_a_drawn_face() -> None:
    face = drawn_face()
    np.testing.assert_allclose(eye_aspect(face), [[0.2, 0.3]])
    np.testing.assert_allclose(lip_gap(face), [4])
    np.testing.assert_allclose(mouth_width(face), [30 / 60])
    np.testing.assert_allclose(brow_height(face), [15 / 60])


def test_measures_do_not_depend_on_rotation_and_scale() -> None:
    rotation = 3 * np.array([[0, 1], [-1, 0]])
    np.testing.assert_allclose(eye_aspect(drawn_face() @ rotation), eye_aspect(drawn_face()))
    np.testing.assert_allclose(brow_height(drawn_face() @ rotation), brow_height(drawn_face()))


def test_hidden_points_and_turned_faces_are_not_counted() -> None:
    faces = np.concatenate([drawn_face()] * 4)
    faces[0, 37] = np.nan
    annotated = measure_annotations(faces, np.full(4, 80.0), np.array([0.0, 61.0, -61.0, np.nan]))
    counted = np.isfinite(annotated.eye_aspect)
    # If the nose points to the right of the image, the left eye is the near one.
    assert counted.tolist() == [[False, True], [True, False], [False, True], [True, True]]
    np.testing.assert_allclose(annotated.lip_gap, 4 / 80)
    assert np.isfinite(annotated.mouth_width).tolist() == [True, False, False, True]
    assert np.isfinite(annotated.brow_height).tolist() == [False, False, False, True]


def test_eye_aspects_of_the_set_replace_those_of_the_points() -> None:
    given = np.array([[0.05, np.nan]])
    annotated = measure_annotations(drawn_face(), np.array([80.0]), np.zeros(1), given)
    np.testing.assert_allclose(annotated.eye_aspect, [[0.05, 0.3]])


def test_eyes_between_closed_and_open_are_not_counted() -> None:
    aspect = np.array([[0.10, 0.30], [0.12, 0.25], [0.18, np.nan]])
    blink = np.array([[0.9, 0.1], [0.2, 0.3], [1.0, 1.0]])
    statistics = eye_statistics(blink, aspect, higher_when_closed=True)
    assert (statistics.closed_count, statistics.open_count) == (2, 2)
    assert statistics.closed_median == pytest.approx(0.55) and statistics.open_median == pytest.approx(0.2)
    # Three of the four pairs of a closed and an open eye are in the right order.
    assert statistics.area == pytest.approx(0.75)
    assert eye_statistics(aspect, aspect, higher_when_closed=False).area == 1


def test_closed_eye_of_a_wink_is_identified_on_either_side() -> None:
    aspect = np.array([[0.1, 0.3], [0.3, 0.1], [0.1, 0.3], [0.1, 0.1], [0.1, 0.2]])
    blink = np.array([[0.6, 0.1], [0.1, 0.2], [0.1, 0.2], [0.0, 0.0], [0.0, 0.0]])
    statistics = wink_statistics(blink, aspect, higher_when_closed=True)
    assert statistics.count == 3
    assert statistics.accuracy == pytest.approx(200 / 3) and statistics.clear == pytest.approx(100 / 3)
    assert wink_statistics(aspect, aspect, higher_when_closed=False).accuracy == 100


def test_correlation_needs_three_faces_with_different_values() -> None:
    nan = np.nan
    assert pearson(np.array([0, 1, 2, nan]), np.array([5, 3, 1, 2])) == (pytest.approx(-1), 3)
    assert np.isnan(pearson(np.array([0.0, 1]), np.array([0.0, 1]))[0])
    assert np.isnan(pearson(np.zeros(4), np.arange(4.0))[0])


def test_a_pair_is_active_if_both_coefficients_are() -> None:
    coefficients = np.array([[0.1, 0.1, 0.0], [0.1, 0.0, 0.1], [0.065, 0.1, 0.0]])
    assert both_active(coefficients, np.array([[0, 1], [0, 2]])).tolist() == [
        [True, False],
        [False, True],
        [False, False],
    ]


def test_every_blendshape_belongs_to_a_part_of_the_face() -> None:
    parts = [part_of(name) for name in packaged_model().expression_names]
    assert {part: parts.count(part) for part in dict.fromkeys(parts)} == {
        "brows": 5,
        "cheeks, nose": 5,
        "eyes": 10,
        "jaw": 4,
        "mouth": 22,
    }
    with pytest.raises(ValueError, match="tongueOut"):
        part_of("tongueOut")
