"""300-W's protocol: parts, subsets and normalizers."""

import numpy as np
import pytest

from annotated_faces import annotations, cells, predictions
from rdrface.evaluation.protocols import w300


def test_parts_and_subsets():
    faces = annotations(3, sources=["300w/helen/testset", "300w/lfpw/testset", "300w/ibug"])
    predicted = predictions(faces, (1, 2, 0, 0))
    predicted.outputs["landmarks"][2] += [2, 0]
    subsets, parts = w300.tables(faces, predicted)
    assert cells(parts, "300w/ibug")["landmarks, inter-ocular"] == pytest.approx(6)
    assert cells(parts, "common")["landmarks, inter-ocular"] == pytest.approx(2)
    assert cells(parts, "full")["landmarks, inter-ocular"] == pytest.approx(10 / 3)
    assert cells(parts, "full")["landmarks, box"] == pytest.approx(5 / 3)
    assert cells(parts, "challenging")["projection, inter-ocular"] == pytest.approx(4)
    assert cells(subsets, "rdrface landmarks, inter-ocular") == pytest.approx(
        {"common": 2, "challenging": 6, "full": 10 / 3}
    )
    assert cells(subsets, "STAR")["full"] == 2.87 and cells(subsets, "faces")["full"] == 3


def test_inter_pupil_is_the_distance_between_the_eye_centers():
    faces = annotations(1, sources=["300w/ibug"])
    faces.points[0, 36:42] = (30, 40)
    faces.points[0, 42:48] = (70, 40)
    errors = w300.errors(faces, predictions(faces, (1, 1, 0, 0)))
    assert errors["landmarks, inter-pupil"] == pytest.approx([2.5])


def test_training_parts_are_marked():
    faces = annotations(2, sources=["300w/afw"] * 2, is_test=False)
    (table,) = w300.tables(faces, predictions(faces))
    assert [row.name for row in table.rows] == ["300w/afw (training part)"]
    assert np.isfinite(cells(table, "300w/afw (training part)")["landmarks, box"])
