import numpy as np
import pytest

from rdrface.evaluation.metrics.expression import (
    both_on,
    brow_height,
    eye_aspect,
    eye_figures,
    lip_gap,
    measure_labels,
    mouth_width,
    part_of,
    pearson,
    wink_figures,
)
from rdrface.face import packaged_model


def drawn(left_lids: float = 2.0, right_lids: float = 3.0, gap: float = 4.0) -> np.ndarray:
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
    face = drawn()
    np.testing.assert_allclose(eye_aspect(face), [[0.2, 0.3]])
    np.testing.assert_allclose(lip_gap(face), [4])
    np.testing.assert_allclose(mouth_width(face), [30 / 60])
    np.testing.assert_allclose(brow_height(face), [15 / 60])


def test_measures_are_the_same_for_a_turned_and_larger_picture() -> None:
    turn = 3 * np.array([[0, 1], [-1, 0]])
    np.testing.assert_allclose(eye_aspect(drawn() @ turn), eye_aspect(drawn()))
    np.testing.assert_allclose(brow_height(drawn() @ turn), brow_height(drawn()))


def test_hidden_points_and_turned_faces_do_not_count() -> None:
    faces = np.concatenate([drawn()] * 4)
    faces[0, 37] = np.nan
    labels = measure_labels(faces, np.full(4, 80.0), np.array([0.0, 61.0, -61.0, np.nan]))
    counted = np.isfinite(labels.aspect)
    # A nose to the picture's right leaves the picture's left eye.
    assert counted.tolist() == [[False, True], [True, False], [False, True], [True, True]]
    np.testing.assert_allclose(labels.lip_gap, 4 / 80)
    assert np.isfinite(labels.mouth_width).tolist() == [True, False, False, True]
    assert np.isfinite(labels.brow_height).tolist() == [False, False, False, True]


def test_a_sets_own_aspects_replace_those_of_the_points() -> None:
    own = np.array([[0.05, np.nan]])
    labels = measure_labels(drawn(), np.array([80.0]), np.zeros(1), own)
    np.testing.assert_allclose(labels.aspect, [[0.05, 0.3]])


def test_eyes_between_closed_and_open_are_not_counted() -> None:
    aspect = np.array([[0.10, 0.30], [0.12, 0.25], [0.18, np.nan]])
    blink = np.array([[0.9, 0.1], [0.2, 0.3], [1.0, 1.0]])
    figures = eye_figures(blink, aspect, rises=True)
    assert (figures.closed_count, figures.open_count) == (2, 2)
    assert figures.closed == pytest.approx(0.55) and figures.open == pytest.approx(0.2)
    # Of the four pairs of a closed and an open eye, three are in order.
    assert figures.area == pytest.approx(0.75)
    assert eye_figures(aspect, aspect, rises=False).area == 1


def test_winks_are_told_on_either_side() -> None:
    aspect = np.array([[0.1, 0.3], [0.3, 0.1], [0.1, 0.3], [0.1, 0.1], [0.1, 0.2]])
    blink = np.array([[0.6, 0.1], [0.1, 0.2], [0.1, 0.2], [0.0, 0.0], [0.0, 0.0]])
    figures = wink_figures(blink, aspect, rises=True)
    assert figures.count == 3
    assert figures.right == pytest.approx(200 / 3) and figures.clear == pytest.approx(100 / 3)
    assert wink_figures(aspect, aspect, rises=False).right == 100


def test_correlation_needs_three_faces_that_differ() -> None:
    nan = np.nan
    assert pearson(np.array([0, 1, 2, nan]), np.array([5, 3, 1, 2])) == (pytest.approx(-1), 3)
    assert np.isnan(pearson(np.array([0.0, 1]), np.array([0.0, 1]))[0])
    assert np.isnan(pearson(np.zeros(4), np.arange(4.0))[0])


def test_a_pair_is_on_when_both_are() -> None:
    coefficients = np.array([[0.1, 0.1, 0.0], [0.1, 0.0, 0.1], [0.065, 0.1, 0.0]])
    assert both_on(coefficients, np.array([[0, 1], [0, 2]])).tolist() == [[True, False], [False, True], [False, False]]


def test_every_shape_belongs_to_a_part_of_the_face() -> None:
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
