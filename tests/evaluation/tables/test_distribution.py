"""Area under the cumulative error curve and failure rate, compared with values computed by hand."""

import numpy as np
import pytest

from rdrface.evaluation.tables.distribution import area_under_curve, distribution_table, failure_rate


def all_found(errors: list[float]) -> tuple[np.ndarray, np.ndarray]:
    return np.array(errors), np.ones(len(errors), bool)


@pytest.mark.parametrize(
    ("errors", "area", "failures"),
    [
        ([0.0, 0.0], 100, 0),
        ([5.0], 50, 0),  # the curve is 0 up to 5 and 1 from there to 10
        ([2.0, 4.0, 20.0, 8.0], (80 + 60 + 0 + 20) / 4, 25),
        ([10.0, 10.0], 0, 0),  # exactly at the limit: no area, but no failure
        ([10.1, 9.0], 5, 50),
    ],
)
def test_area_and_failures_of_known_errors(errors: list[float], area: float, failures: float) -> None:
    values, found = all_found(errors)
    assert area_under_curve(values, 10, found) == pytest.approx(area)
    assert failure_rate(values, 10, found) == pytest.approx(failures)


def test_a_face_not_found_is_a_failure_and_a_face_without_points_is_left_out() -> None:
    errors = np.array([2.0, 4.0, np.nan, np.nan])
    found = np.array([True, True, True, False])
    assert area_under_curve(errors, 10, found) == pytest.approx((80 + 60 + 0) / 3)
    assert failure_rate(errors, 10, found) == pytest.approx(100 / 3)
    without_errors = np.full(3, np.nan)
    assert area_under_curve(without_errors, 10, np.zeros(3, bool)) == 0
    assert failure_rate(without_errors, 10, np.zeros(3, bool)) == 100
    assert np.isnan(area_under_curve(without_errors, 10, np.ones(3, bool)))
    assert np.isnan(failure_rate(np.empty(0), 10, np.ones(0, bool)))


def test_the_sampled_area_of_common_code_differs_by_less_than_a_tenth_of_a_percent() -> None:
    values, found = all_found(np.random.default_rng(0).gamma(4, 1.2, 300).tolist())
    thresholds = np.linspace(0, 10, 1001)
    share = (values[None] <= thresholds[:, None]).mean(1)
    # Simpson's weights 1 4 2 4 ... 4 1.
    weights = np.where(np.arange(1001) % 2, 4.0, 2.0)
    weights[[0, -1]] = 1
    sampled = 100 * (share * weights).sum() * 0.01 / 3 / 10
    assert area_under_curve(values, 10, found) == pytest.approx(sampled, abs=0.1)


def test_invalid_arguments_raise() -> None:
    values, found = all_found([1.0, 2.0])
    with pytest.raises(ValueError, match=r"must both be \(N,\)"):
        area_under_curve(values, 10, found[:1])
    with pytest.raises(ValueError, match="found of bool"):
        failure_rate(values, 10, np.array([1, 0]))
    with pytest.raises(ValueError, match="limit must be positive"):
        failure_rate(values, 0, found)
    with pytest.raises(ValueError, match="face 1 was not found, but has an error"):
        area_under_curve(values, 10, np.array([True, False]))


def test_table_has_mean_percentiles_area_and_failures() -> None:
    errors = {"2D": np.array([1.0, 3.0, 12.0, np.nan]), "nothing": np.full(4, np.nan)}
    table = distribution_table(errors, np.array([True, True, True, False]), 8, "synthetic")
    first, second = table.rows
    assert table.columns[3:5] == ("AUC at 8, %", "failures at 8, %")
    assert first.cells == pytest.approx((16 / 3, 3, 10.2, (87.5 + 62.5) / 4, 50, 1, 4))
    assert second.cells[3:] == (0, 100, 1, 1) and np.isnan(second.cells[0])
    assert "not found" in table.to_text()
