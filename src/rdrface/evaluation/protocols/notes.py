"""Notes and checks shared by all protocols, so that no face and no point is dropped silently."""

import numpy as np

from rdrface.datasets.records import FaceRecords
from rdrface.evaluation.metrics.errors import by_yaw
from rdrface.evaluation.predictions.predictions import Predictions
from rdrface.evaluation.tables.tables import Row
from rdrface.geometry.yaw_bins import YAW_BIN_NAMES

BINS = (*YAW_BIN_NAMES, "mean of bins", "image mean")
"""Columns of tables by yaw, in the order of `BinnedError.cells`."""

UNVERIFIED = (
    "Unverified: the reader and protocol were tested on small files in the published format, not on the full dataset."
)
"""Printed below the tables of datasets that were not available when their reader and protocol were written."""


def missed_note(predictions: Predictions) -> str:
    """Number of faces that were not found."""
    missed = int((~predictions.found).sum())
    if not missed:
        return "All faces found."
    return f"{missed} of {len(predictions.found)} faces were not found and are excluded from all means."


def offered_note(predictions: Predictions) -> tuple[str, ...]:
    """Points that the method does not predict; empty when it has all points or found no face."""
    lacking = (~predictions.offered).nonzero()[0].tolist()
    if not lacking or not predictions.found.any():
        return ()
    return (
        f"Points that {predictions.method} does not predict, not counted for any face: {', '.join(map(str, lacking))}.",
    )


def faces_row(predictions: Predictions, yaw: np.ndarray) -> Row:
    """Number of found faces in each yaw bin and in total: the last row of a table with the columns `BINS`.

    Args:
        predictions: of N faces.
        yaw: (N,) degrees; faces with NaN belong to no bin.
    """
    known = np.isfinite(yaw)
    counts = by_yaw(np.where(predictions.found, 0.0, np.nan)[known], yaw[known]).counts
    return Row("faces", (*counts, None, sum(counts)))


def check_points(annotations: FaceRecords, predictions: Predictions, count: int, protocol: str) -> None:
    """Check that annotations and predictions have the protocol's number of points and the same number of faces.

    Raises:
        ValueError: they do not.
    """
    expected = (len(annotations), count, 2)
    for name, shape in (("annotations", annotations.points.shape), ("predictions", predictions.landmarks.shape)):
        if shape != expected:
            raise ValueError(f"{protocol} needs {count} points: {name} must have shape {expected}, got {shape}")
