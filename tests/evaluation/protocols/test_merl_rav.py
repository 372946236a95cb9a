"""MERL-RAV's protocol: errors by side, visibility and yaw."""

import numpy as np
import pytest

from annotated_faces import annotations, cells, predictions
from rdrface.datasets.records import OCCLUDED, SELF_OCCLUDED, UNKNOWN
from rdrface.evaluation.protocols import merl_rav


def faces_and_predictions(**other):
    faces = annotations(4, sources=["merl_rav/left/testset"] * 3 + ["merl_rav/frontal/testset"])
    predicted = predictions(faces, (1, 5, 9, 9), **other)
    faces.state[:, 60:] = OCCLUDED
    faces.state[:, 50:55] = SELF_OCCLUDED
    faces.points[:, 50:55] = np.nan
    landmarks = predicted.outputs["landmarks"]
    landmarks[:, 60:] += [1, 0]
    landmarks[3] += [2, 0]
    return faces, predicted


def test_by_side_and_visibility():
    faces, predicted = faces_and_predictions()
    table, *others = merl_rav.tables(faces, predicted)
    assert cells(table, "left")["visible"] == pytest.approx(1)
    assert cells(table, "left")["occluded"] == pytest.approx(2)
    assert cells(table, "frontal")["visible"] == pytest.approx(3)
    assert cells(table, "all")["visible"] == pytest.approx(1.5)
    assert cells(table, "all")["projection, all annotated"] == pytest.approx(5)
    assert [row.name for row in table.rows] == ["left", "frontal", "all", "all, annotation offset removed"]
    assert cells(table, "all")["faces"] == 4
    assert not any("Visibility" in other.title for other in others)  # the predictions have no visibility
    assert not any("jawline" in column for column in table.columns)


def test_visibility_and_uncertainty_have_tables_when_they_are_predicted():
    faces, predicted = faces_and_predictions(visibility=np.full((4, 68), 0.9), uncertainty=np.full((4, 68), 2.0))
    titles = [table.title for table in merl_rav.tables(faces, predicted)]
    assert sum("Visibility" in title for title in titles) == 3 and any("Uncertainty" in title for title in titles)


def test_bins_by_fitted_yaw():
    faces, predicted = faces_and_predictions()
    turned = annotations(4, sources=faces.source.tolist(), angles=[[0, 5, 0], [0, 50, 0], [0, -70, 0], [np.nan] * 3])
    turned.points[:], turned.state[:] = faces.points, faces.state
    table = next(t for t in merl_rav.tables(turned, predicted) if "by |yaw|" in t.title)
    assert cells(table, "visible")["mean of bins"] == pytest.approx(1)
    assert [cells(table, "faces")[name] for name in table.columns] == [1, 1, 1, None, 3]
    assert "1 faces have no fitted yaw" in table.to_text()


def test_accuracy_of_the_visibility():
    faces = annotations(2)
    faces.state[:, 0] = UNKNOWN
    faces.state[:, 1:11] = SELF_OCCLUDED
    probability = np.full((2, 68), 0.9)
    probability[:, 1:6] = 0.1
    predicted = predictions(faces, visibility=probability)
    for points in predicted.outputs.values():
        points[1] = np.nan  # not found: not counted
    table = merl_rav.visibility(faces, predicted)
    assert cells(table, "self-occluded") == {"accuracy": 50, "points": 10}
    assert cells(table, "visible") == {"accuracy": 100, "points": 57}
    assert np.isnan(cells(table, "externally occluded")["accuracy"])
    with pytest.raises(ValueError, match="have no visibility"):
        merl_rav.visibility(faces, predictions(faces))
