"""How the errors of the faces of a set are distributed: area under the cumulative curve, failures, percentiles.

A mean says little about the worst faces, so papers print two more numbers at a threshold: the area under the cumulative
error curve up to it, and the share of the faces beyond it. Both are shares of *all* faces of a set, hence they need to
know why a face has no error: one that was not found is a failure; one without a counted point is no case at all.
"""

from collections.abc import Mapping

import numpy as np

from rdrface.evaluation.tables.tables import Row, Table


def area_under_curve(errors: np.ndarray, limit: float, found: np.ndarray) -> float:
    """Area under the cumulative error curve from 0 to `limit`, divided by `limit`, in percent.

    The curve is the share of the faces whose error is no larger than x, a step function, and its integral is taken
    exactly: a face with error e adds (limit - e) / limit, or nothing when e > limit. Sagonas et al., 300 Faces
    In-The-Wild Challenge (Image and Vision Computing 2016) compare by this area. The code that goes round for 300-W and
    WFLW samples the curve every 0.0001 of the normalizer and applies Simpson's rule to the samples; its thresholds may
    run one step beyond the limit. Its numbers differ by about a sample's width: 0.1 at a limit of 10 %.

    Args:
        errors: (N,) NME in percent; NaN where a face has none.
        limit: percent, the end of the integral.
        found: (N,) bool. NaN of a face that was not found counts as an error beyond any limit; NaN of a face that was
            found says that the face has no counted point: it is left out.

    Returns:
        0..100; NaN when no face counts.

    Raises:
        ValueError: shapes that differ, a limit that is not positive, or an error of a face that was not found.
    """
    counted, _ = _counted(errors, limit, found)
    return 100 * float((1 - counted / limit).clip(0).mean()) if len(counted) else float("nan")


def failure_rate(errors: np.ndarray, limit: float, found: np.ndarray) -> float:
    """Share of the faces with an error larger than `limit`, in percent; arguments and errors as `area_under_curve`.

    An error of exactly `limit` is no failure. Faces that were not found are failures.
    """
    counted, _ = _counted(errors, limit, found)
    return 100 * float((counted > limit).mean()) if len(counted) else float("nan")


def distribution_table(errors: Mapping[str, np.ndarray], found: np.ndarray, limit: float, title: str) -> Table:
    """Mean, percentiles, area under the curve and failures of every output.

    Args:
        errors: name of the output -> (N,) NME in percent, NaN where a face has none.
        found: (N,) bool, see `area_under_curve`.
        limit: percent, of the area and of the failures.
        title: of the table.
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
        ("mean", "median", "90 %", f"AUC at {limit:g}", f"failures % at {limit:g}", "not found", "faces"),
        tuple(rows),
        (
            "mean, median, 90 %: over the faces that were found; nine of ten of them have no larger error than 90 %.",
            f"AUC: area under the cumulative error curve from 0 to {limit:g}, percent of the whole; faces not found",
            "count as larger than any error there, and as failures.",
        ),
    )


def _counted(errors: np.ndarray, limit: float, found: np.ndarray) -> tuple[np.ndarray, int]:
    # The errors of the faces that count, infinite for those not found, and the number of the latter.
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
