"""Faces with a box of 100 x 100 pixels, so that an error of 1 px is 1 %, and predictions with known errors."""

import numpy as np

from rdrface.datasets.records import FaceRecords
from rdrface.evaluation.predictions.predictions import OUTPUT_NAMES, Predictions


def annotations(count=4, sources=None, is_test=True, angles=None, points=68):
    """Visible points in a box from (0, 0) to (100, 100); with 68 points, the outer eye corners are 50 px apart."""
    positions = np.random.default_rng(1).uniform(30, 70, (count, points, 2))
    positions[:, 0], positions[:, 1] = (0, 0), (100, 100)
    if points == 68:
        positions[:, 36], positions[:, 45] = (25, 40), (75, 40)
    return FaceRecords(
        image=np.array([f"set/{i}.jpg" for i in range(count)]),
        points=positions,
        state=np.ones((count, points)),
        box=np.tile([0, 0, 100, 100], (count, 1)),
        source=np.array(sources or ["invented"] * count),
        is_test=np.full(count, is_test),
        angles=angles,
    )


def predictions(faces, errors=(0.0, 0.0, 0.0, 0.0), **others):
    """The four outputs of rdrface, each with its error in pixels to the right; `others` as in `Predictions`."""
    outputs = {label: faces.points + np.array([error, 0]) for label, error in zip(OUTPUT_NAMES, errors, strict=True)}
    return Predictions(outputs, **others)


def cells(table, name):
    """Column -> cell, for the row with this name."""
    return next(dict(zip(table.columns, row.cells, strict=True)) for row in table.rows if row.name == name)
