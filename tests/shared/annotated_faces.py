"""Faces with a box of 100 x 100 pixels, so that an error of 1 px is 1 %, and predictions that are off by so many."""

import numpy as np

from rdrface.datasets.records import FaceRecords
from rdrface.evaluation.predictions.predictions import OWN, Predictions


def annotations(count=4, sources=None, is_test=True, angles=None, points=68):
    """Points in a box from (0, 0) to (100, 100), all visible; 68 of them have outer eye corners 50 px apart."""
    places = np.random.default_rng(1).uniform(30, 70, (count, points, 2))
    places[:, 0], places[:, 1] = (0, 0), (100, 100)
    if points == 68:
        places[:, 36], places[:, 45] = (25, 40), (75, 40)
    return FaceRecords(
        image=np.array([f"set/{i}.jpg" for i in range(count)]),
        points=places,
        state=np.ones((count, points)),
        box=np.tile([0, 0, 100, 100], (count, 1)),
        source=np.array(sources or ["made"] * count),
        is_test=np.full(count, is_test),
        angles=angles,
    )


def predictions(faces, shifts=(0.0, 0.0, 0.0, 0.0), **said):
    """Our four outputs, each off by so many pixels to the right."""
    outputs = {name: faces.points + np.array([shift, 0]) for name, shift in zip(OWN, shifts, strict=True)}
    return Predictions(outputs, **said)


def cells(table, name):
    """Column -> cell of the row of a name."""
    return next(dict(zip(table.columns, row.cells, strict=True)) for row in table.rows if row.name == name)
