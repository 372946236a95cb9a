"""Means with standard errors."""

import numpy as np
import pytest

from rdrface.evaluation.metrics.standard_error import mean_error


def test_independent_faces_have_the_usual_standard_error() -> None:
    values = np.random.default_rng(0).normal(3, 1, 50)
    figures = mean_error(np.append(values, np.nan))
    assert figures.faces == 50
    assert figures.mean == pytest.approx(values.mean())
    assert figures.standard_error == pytest.approx(values.std(ddof=1) / np.sqrt(50))


def test_copies_of_a_face_do_not_reduce_the_standard_error() -> None:
    values = np.random.default_rng(0).normal(3, 1, 20)
    groups = np.repeat(np.arange(20), 5)
    assert mean_error(np.repeat(values, 5), groups).standard_error == pytest.approx(mean_error(values).standard_error)


def test_one_face_has_no_standard_error_and_no_face_no_mean() -> None:
    assert mean_error(np.array([2.0])).mean == 2
    assert np.isnan(mean_error(np.array([2.0])).standard_error)
    assert np.isnan(mean_error(np.array([np.nan])).mean) and mean_error(np.array([np.nan])).faces == 0
