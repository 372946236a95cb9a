"""COFW68's protocol: normalizers, failures, and detection of occluded points."""

from dataclasses import replace

import numpy as np
import pytest

from annotated_faces import annotations, cells, predictions
from rdrface.evaluation.metrics.errors import interpupil
from rdrface.evaluation.predictions.predictions import Predictions
from rdrface.evaluation.protocols import cofw
from rdrface.evaluation.protocols.notes import UNVERIFIED


def faces(count=4, hidden=range(60, 68)):
    result = annotations(count, sources=["cofw68"] * count)
    state = result.state.copy()
    state[:, list(hidden)] = 2
    return replace(result, state=state)


def test_normalizers_and_failures():
    dataset = faces()
    predicted = predictions(dataset, (1, 2, 3, 4))
    predicted.outputs["landmarks"][3] += [9, 0]
    table = cofw.tables(dataset, predicted)[0]
    row = cells(table, "rdrface landmarks")
    # 50 px from eye to eye, a box of 100: an error of 1 px, 10 px in one of four faces.
    assert row["inter-ocular"] == pytest.approx((2 + 2 + 2 + 20) / 4)
    assert row["box"] == pytest.approx((1 + 1 + 1 + 10) / 4)
    assert row["inter-pupil"] == pytest.approx(np.mean(100 * np.array([1, 1, 1, 10]) / interpupil(dataset.points)))
    assert row["failures at 10, %"] == 25
    assert cells(table, "rdrface projection")["inter-ocular"] == pytest.approx(4)
    assert [row.name for row in table.rows] == [
        "SLPT, trained on 300-W",
        "SPIGA",
        "rdrface landmarks",
        "rdrface projection",
    ]
    assert "4 of the dataset's 507 faces" in table.to_text() and UNVERIFIED in table.to_text()


def test_a_face_not_found_is_a_failure_and_in_no_mean():
    dataset = faces()
    predicted = predictions(dataset, (1, 1, 1, 1))
    for points in predicted.outputs.values():
        points[0] = np.nan
    table, by_state = cofw.tables(dataset, predicted)
    row = cells(table, "rdrface landmarks")
    assert row["inter-ocular"] == pytest.approx(2) and row["failures at 10, %"] == 25
    assert cells(by_state, "all")["faces"] == 3 and "1 of 4 faces were not found" in table.to_text()


def test_visible_and_occluded_points():
    dataset = faces()
    state = dataset.state.copy()
    state[0] = 1  # a face without any occluded point
    dataset = replace(dataset, state=state)
    predicted = predictions(dataset, (1, 0, 0, 0))
    predicted.outputs["landmarks"][:, 60:] += [2, 0]
    table = cofw.tables(dataset, predicted)[1]
    assert cells(table, "occluded") == {"inter-ocular": pytest.approx(6), "faces": 3, "points": 24}
    assert cells(table, "visible")["points"] == 68 + 3 * 60
    assert cells(table, "all")["inter-ocular"] == pytest.approx(2 * (60 * 1 + 8 * 3) / 68)
    errors = cofw.errors(dataset, predicted)
    assert np.isnan(errors["landmarks, inter-ocular, occluded"][0]) and not any("jawline" in name for name in errors)


def test_occlusion_precision_and_recall():
    dataset = faces(1, hidden=range(10))
    visible = np.full((1, 68), 0.9)
    visible[0, :6] = 0.1  # 6 of 10 occluded points, certain
    visible[0, 20:23] = 0.2  # 3 visible points predicted as occluded, less certain
    visible[0, 6:9] = 0.6  # 3 more occluded points, below one half
    table = cofw.tables(dataset, predictions(dataset, visibility=visible))[2]
    row = cells(table, "rdrface")
    assert row["precision at 0.5"] == pytest.approx(100 * 6 / 9) and row["recall at 0.5"] == pytest.approx(60)
    # At 0.6 it is 9 of 12, 75 %: too low. At 0.1 it is 6 of 6.
    assert row["recall at precision 80"] == pytest.approx(60)
    assert (row["occluded"], row["points"]) == (10, 68)
    visible[0, 22] = 0.9
    table = cofw.occlusion(dataset, predictions(dataset, visibility=visible))
    assert cells(table, "rdrface")["recall at precision 80"] == pytest.approx(90)  # 9 of 11


def test_occlusion_counts_only_found_faces_and_known_states():
    dataset = faces(2, hidden=range(10))
    visible = np.full((2, 68), 0.1)
    visible[1] = np.nan
    table = cofw.occlusion(dataset, predictions(dataset, visibility=visible))
    row = cells(table, "rdrface")
    assert row["points"] == 68 and row["recall at 0.5"] == 100
    assert row["recall at precision 80"] == 0  # all scores are equal: 10 of 68 at any threshold
    empty = cofw.occlusion(faces(1, hidden=()), predictions(faces(1, hidden=()), visibility=np.full((1, 68), 0.9)))
    assert all(np.isnan(cells(empty, "rdrface")[name]) for name in empty.columns[:3])


def test_a_method_with_one_unnamed_output():
    dataset = faces()
    predicted = Predictions({"": dataset.points + np.array([1, 0])}, method="other")
    tables = cofw.tables(dataset, predicted)
    assert len(tables) == 2 and cells(tables[0], "other")["inter-ocular"] == pytest.approx(2)
    with pytest.raises(ValueError, match="have no visibility"):
        cofw.occlusion(dataset, predicted)
    with pytest.raises(ValueError, match="COFW68 needs 68 points"):
        cofw.tables(annotations(2, points=29), Predictions({"": np.zeros((2, 29, 2))}))
