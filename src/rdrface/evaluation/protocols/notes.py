"""What every protocol must say in and below its table, so that no face and no point is dropped silently."""

import numpy as np

from rdrface.datasets.records import FaceRecords
from rdrface.evaluation.metrics.errors import by_yaw
from rdrface.evaluation.predictions.predictions import Predictions
from rdrface.evaluation.tables.tables import Row
from rdrface.geometry.yaw_bins import YAW_BIN_NAMES

BINS = (*YAW_BIN_NAMES, "mean of bins", "image mean")
"""Columns of tables by yaw, as `BinnedError.cells` has them."""


def missed_note(predictions: Predictions) -> str:
    """How many faces were not found."""
    missed = int((~predictions.found).sum())
    if not missed:
        return "All faces found."
    return f"{missed} of {len(predictions.found)} faces were not found and are in no mean."


def offered_note(predictions: Predictions) -> tuple[str, ...]:
    """Which points the method does not have; nothing when it has all, or has found no face."""
    lacking = (~predictions.offered).nonzero()[0].tolist()
    if not lacking or not predictions.found.any():
        return ()
    return (f"Points that {predictions.method} does not have, counted for no face: {', '.join(map(str, lacking))}.",)


def faces_row(predictions: Predictions, yaw: np.ndarray) -> Row:
    """How many faces were found in every bin by yaw (N,) degrees (NaN: in none), and in all: the last row of a table of
    `BinnedError.cells`."""
    known = np.isfinite(yaw)
    counts = by_yaw(np.where(predictions.found, 0.0, np.nan)[known], yaw[known]).counts
    return Row("faces", (*counts, None, sum(counts)))


def check_points(annotations: FaceRecords, predictions: Predictions, count: int, protocol: str) -> None:
    """Refuse what a protocol is not about.

    Raises:
        ValueError: annotations or predictions do not have `count` points, or are of different faces.
    """
    wanted = (len(annotations), count, 2)
    for name, shape in (("annotations", annotations.points.shape), ("predictions", predictions.landmarks.shape)):
        if shape != wanted:
            raise ValueError(f"{protocol} is about {count} points: {name} must be {wanted}, got {shape}")
