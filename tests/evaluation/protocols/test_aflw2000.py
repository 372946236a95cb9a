"""AFLW2000-3D's protocol: outputs, yaw bins, inner points and regions."""

import numpy as np
import pytest

from annotated_faces import annotations, cells, predictions
from rdrface.evaluation.predictions.predictions import Predictions
from rdrface.evaluation.protocols import aflw2000
from rdrface.evaluation.protocols.notes import UNVERIFIED

ANGLES = [[0, 10, 0], [0, -40, 0], [0, 80, 0], [0, -80, 0]]


def faces_and_predictions():
    faces = annotations(4, angles=ANGLES)
    predicted = predictions(faces, (1, 2, 5, 3))
    predicted.outputs["projection_jawline"][:, :17] += [4, 0]
    for points in predicted.outputs.values():
        points[3] = np.nan
    return faces, predicted


def test_sixty_eight_points_by_output_and_bin():
    table = aflw2000.tables(*faces_and_predictions())[0]
    assert cells(table, "rdrface landmarks")["mean of bins"] == pytest.approx(1)
    assert cells(table, "rdrface landmarks_jawline")["[0,30]"] == pytest.approx(5)
    assert cells(table, "rdrface projection")["image mean"] == pytest.approx(2)
    assert cells(table, "rdrface projection_jawline")["[0,30]"] == pytest.approx(4)  # 51 of 3, 17 of 7
    assert [cells(table, "faces")[name] for name in table.columns] == [1, 1, 1, None, 3]
    assert "1 of 4 faces were not found" in table.to_text()
    quoted = {row.name: row.cells[3] for row in table.rows if row.quoted}
    assert quoted["RDR 3D"] == 5.36 and quoted["3DDFA"] == 5.42 and quoted["SynergyNet"] == 3.41


def test_inner_points_and_regions():
    faces, predicted = faces_and_predictions()
    _, inner, regions = aflw2000.tables(faces, predicted)
    assert cells(inner, "rdrface landmarks")["(30,60]"] == pytest.approx(1)
    assert cells(inner, "rdrface landmarks_jawline")["(30,60]"] == pytest.approx(5)  # its inner points differ here
    assert cells(regions, "rdrface projection_jawline")["contour (17)"] == pytest.approx(7)
    assert cells(regions, "rdrface projection_jawline")["nose (9)"] == pytest.approx(3)
    assert sum(len(points) for points in aflw2000.REGIONS.values()) == 68


def test_outputs_that_share_their_inner_points_have_one_row():
    faces = annotations(4, angles=ANGLES)
    _, inner, _ = aflw2000.tables(faces, predictions(faces, (1, 2, 1, 2)))
    assert [row.name for row in inner.rows if not row.quoted] == ["rdrface landmarks", "rdrface projection", "faces"]


def test_bin_edges_belong_to_the_lower_bin():
    faces = annotations(4, angles=[[0, 30, 0], [0, -60, 0], [0, 90, 0], [0, 130, 0]])
    table = aflw2000.tables(faces, predictions(faces, (1, 1, 1, 1)))[0]
    assert cells(table, "faces")["[0,30]"] == 1 and cells(table, "faces")["(30,60]"] == 1
    assert cells(table, "faces")["(60,90]"] == 2  # beyond 90 too


def test_the_order_of_the_faces_does_not_matter():
    faces, predicted = faces_and_predictions()
    order = np.array([2, 0, 3, 1])
    turned = Predictions({name: points[order] for name, points in predicted.outputs.items()})
    before = [table.to_text() for table in aflw2000.tables(faces, predicted)]
    assert [table.to_text() for table in aflw2000.tables(faces.select(order), turned)] == before


def test_a_method_with_one_output_has_one_row():
    faces = annotations(4, angles=ANGLES)
    other = Predictions({"": faces.points + np.array([0, 2])}, method="dlib")
    all_points, inner, _ = aflw2000.tables(faces, other)
    assert cells(all_points, "dlib")["mean of bins"] == pytest.approx(2)
    assert cells(inner, "dlib")["image mean"] == pytest.approx(2)
    assert set(aflw2000.errors(faces, other)) == {"68 points", "inner 51"}


def test_only_the_second_published_annotations_are_marked_as_unverified():
    for source, marked in (("aflw2000_3d", False), ("aflw2000_3d/reannotated", True)):
        faces = annotations(4, sources=[source] * 4, angles=ANGLES)
        for table in aflw2000.tables(faces, predictions(faces)):
            assert (UNVERIFIED in table.notes) == marked


def test_missing_angles_and_wrong_numbers_of_points_raise():
    with pytest.raises(ValueError, match="angles"):
        aflw2000.tables(annotations(2), predictions(annotations(2)))
    faces = annotations(2, points=21, angles=np.zeros((2, 3)))
    with pytest.raises(ValueError, match="68 points"):
        aflw2000.errors(faces, predictions(faces))
