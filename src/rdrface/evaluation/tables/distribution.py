"""Distribution of the errors of a set: area under the cumulative error curve, failure rate, percentiles.

A mean hides the worst faces. Papers therefore add two numbers at a threshold: the area under the cumulative error curve
up to it, and the share of faces beyond it. Both are shares of *all* faces of a set, so they distinguish two reasons why
a face has no error: a face that was not found is a failure; a face without a counted point is left out.
"""

from collections.abc import Mapping

import numpy as np

from rdrface.evaluation.tables.tables import Row, Table


def area_under_curve(errors: np.ndarray, limit: float, found: np.ndarray) -> float:
    """Area under the cumulative error curve from 0 to `limit`, divided by `limit`, in percent.

    The curve is the share of faces whose error is at most x. It is a step function and is integrated exactly: a face
    with error e adds (limit - e) / limit, or 0 when e > limit. Sagonas et al., 300 Faces In-The-Wild Challenge (Image
    and Vision Computing 2016) compare methods by this area. The evaluation code commonly used for 300-W and WFLW
    samples the curve every 0.0001 of the normalizer and applies Simpson's rule; its thresholds may run one step beyond
    the limit. Its numbers differ by about one sample's width: 0.1 at a limit of 10 %.

    Args:
        errors: (N,) NME in percent; NaN where a face has none.
        limit: percent, upper end of the integral.
        found: (N,) bool. A NaN error of a face that was not found counts as an infinite error. A NaN error of a face
            that was found means that no point of it is counted; that face is left out.

    Returns:
        0..100; NaN when no face is counted.

    Raises:
        ValueError: shapes differ, the limit is not positive, or a face that was not found has an error.
    """
    counted, _ = _counted(errors, limit, found)
    return 100 * float((1 - counted / limit).clip(0).mean()) if len(counted) else float("nan")


def failure_rate(errors: np.ndarray, limit: float, found: np.ndarray) -> float:
    """Share of faces with an error larger than `limit`, in percent. Arguments and errors as in `area_under_curve`.

    An error of exactly `limit` is not a failure. Faces that were not found are failures.
    """
    counted, _ = _counted(errors, limit, found)
    return 100 * float((counted > limit).mean()) if len(counted) else float("nan")


def distribution_table(errors: Mapping[str, np.ndarray], found: np.ndarray, limit: float, title: str) -> Table:
    """Table of mean, percentiles, area under the curve and failure rate of every output.

    Args:
        errors: name of the output -> (N,) NME in percent, NaN where a face has none.
        found: (N,) bool, see `area_under_curve`.
        limit: percent, threshold of the area and of the failures.
        title: title of the table.
    """
    rows = []
    for name, values in errors.items():
        counted, missed = _counted(values, limit, found)
        placed = counted[np.isfinite(counted)]
        mean, median, high = (
            (float(placed.mean()), *np.quantile(placed, (0.5, 0.9)).tolist()) if len(placed) else (float("nan"),) * 3
        )
        area, failures = area_under_curve(values, limit, found), failure_rate(values, limit, found)
        rows.append(Row(name, (mean, median, high, area, failures, missed, len(counted))))
    return Table(
        title,
        (
            "mean",
            "median",
            "90th percentile",
            f"AUC at {limit:g}, %",
            f"failures at {limit:g}, %",
            "not found",
            "faces",
        ),
        tuple(rows),
        (
            "Mean, median and 90th percentile are over the faces that were found.",
            f"AUC: area under the cumulative error curve from 0 to {limit:g}, percent of the maximum. For AUC and",
            "failures, a face that was not found has an infinite error.",
        ),
    )


def _counted(errors: np.ndarray, limit: float, found: np.ndarray) -> tuple[np.ndarray, int]:
    # Errors of the counted faces, infinite for those not found, and the number of faces not found.
    errors, found = np.asarray(errors, np.float64), np.asarray(found)
    if errors.ndim != 1 or found.shape != errors.shape or found.dtype != np.bool_:
        raise ValueError(
            f"errors and found must both be (N,), found of bool; got {errors.shape} and {found.shape} {found.dtype}"
        )
    if not limit > 0:
        raise ValueError(f"the limit must be positive, got {limit}")
    if np.isfinite(errors[~found]).any():
        raise ValueError(f"face {int(np.argmax(~found & np.isfinite(errors)))} was not found, but has an error")
    missed = int((~found).sum())
    return np.concatenate([errors[found & np.isfinite(errors)], np.full(missed, np.inf)]), missed
