"""Matching of tracked faces, switched numbers and fragments."""

import numpy as np

from annotated import face_points
from rdrface.evaluation.metrics.tracks import count_fragments, count_switches, match_faces

LEFT, RIGHT = (face_points(center=(x, 100.0), side=60.0) for x in (100.0, 300.0))


def test_every_prediction_is_matched_with_the_nearest_face_or_is_false():
    truth = np.stack([np.stack([LEFT, RIGHT]), np.stack([LEFT, np.full((68, 2), np.nan)])])
    predicted = [np.stack([RIGHT + 2, LEFT - 2, LEFT + 400]), np.stack([LEFT + 1, LEFT + 2])]
    matches = match_faces(predicted, truth, np.full((2, 2), 60.0))
    assert matches.index.tolist() == [[1, 0], [0, -1]]
    assert matches.false.tolist() == [1, 1]  # the second of two predictions for one face is false
    assert match_faces([np.empty((0, 68, 2))], truth[:1], np.full((1, 2), 60.0)).index.tolist() == [[-1, -1]]


def test_switches_are_new_numbers_and_numbers_of_others():
    assert count_switches(np.array([[1, 2], [1, 0], [1, 2]])) == 0
    assert count_switches(np.array([[1], [0], [2], [2]])) == 1  # found again under a new number
    assert count_switches(np.array([[1, 2], [2, 1]])) == 2
    assert count_switches(np.array([[1, 0], [0, 1], [0, 1]])) == 1  # after a cut, another person gets the number


def test_a_fragment_needs_a_frame_in_which_the_face_is_visible():
    found = np.array([True, True, False, False, True])[:, None]
    assert count_fragments(found, np.ones((5, 1), bool)) == 1
    assert count_fragments(found, found) == 0
    # Found late, and lost until the end: no interruption.
    assert count_fragments(~found, np.ones((5, 1), bool)) == 0
