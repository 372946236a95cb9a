"""AFLW's protocols with 21 and 34 points, and AFLW's points on MERL-RAV."""

import numpy as np
import pytest

from rdrface.datasets.records import OCCLUDED, SELF_OCCLUDED, VISIBLE, FaceRecords
from rdrface.evaluation.predictions.predictions import Predictions
from rdrface.evaluation.protocols import aflw
from rdrface.evaluation.protocols.aflw_points import POINTS, from68, from68_to_34, outputs, outputs34
from rdrface.evaluation.protocols.notes import UNVERIFIED
from some_face import some_face

EARS = [12, 16]


def aflw_faces(count=21, faces=4, **fields):
    points = np.random.default_rng(3).uniform(20, 120, (faces, count, 2))
    return FaceRecords(
        image=np.array([f"{i}.jpg" for i in range(faces)]),
        points=points,
        state=np.full((faces, count), VISIBLE),
        box=np.tile([20.0, 20, 120, 120], (faces, 1)),
        source=np.full(faces, "synthetic"),
        is_test=np.ones(faces, bool),
        **{"normalizer": np.full(faces, 50.0), **fields},
    )


def cells(table, name):
    return next(dict(zip(table.columns, row.cells, strict=True)) for row in table.rows if row.name == name)


def moved(annotations, *shifts):
    points = np.nan_to_num(annotations.points) + np.array(shifts)[:, None, None] * [1, 0]
    return Predictions({"landmarks": points, "projection": points + np.array([0, 10])})


def test_pifa_counts_visible_points_of_test_faces():
    faces = aflw_faces()
    faces.state[0, 3:] = SELF_OCCLUDED
    faces.points[1, 5] = np.nan
    faces.state[1, 5] = SELF_OCCLUDED
    faces.is_test[3] = False
    predicted = moved(faces, 1.0, 2.0, 3.0, 40.0)  # pixels; 50 pixels are 100 %
    predicted.outputs["landmarks"][0, 3:] += 100  # occluded points are not counted
    values = aflw.errors(faces, predicted)
    np.testing.assert_allclose(values["landmarks"], [2, 4, 6, np.nan])
    table = aflw.tables(faces, predicted)[0]
    assert cells(table, "rdrface landmarks") == {"NME": pytest.approx(4), "faces": 3}
    quoted = {row.name: row.cells[0] for row in table.rows if row.quoted}
    assert quoted["RDR"] == 4.07 and quoted["CCL"] == 5.81 and len(quoted) == 8
    assert "44 of 63 points of 3 test faces are marked as visible" in table.to_text()
    assert "quoted there from CCL" in table.to_text() and "All faces found." in table.to_text()
    assert UNVERIFIED in table.to_text()


def test_pifa_does_not_depend_on_the_order_of_faces():
    faces = aflw_faces(34)
    predicted = moved(faces, 1.0, 2.0, 3.0, 4.0)
    order = np.array([2, 0, 3, 1])
    reordered = Predictions({name: points[order] for name, points in predicted.outputs.items()})
    first, second = aflw.errors(faces, predicted), aflw.errors(faces.select(order), reordered)
    for name in first:
        np.testing.assert_allclose(first[name][order], second[name])
    assert aflw.tables(faces, predicted)[0].rows == aflw.tables(faces.select(order), reordered)[0].rows


def test_pifa_34_has_a_row_for_each_of_the_13_chosen_points():
    faces = aflw_faces(34)
    predicted = moved(faces, 1.0, 1.0, 1.0, 1.0)
    predicted.outputs["landmarks"][:, 30] += [19, 0]
    table, single = aflw.tables(faces, predicted)
    quoted = {row.name: row.cells[0] for row in table.rows if row.quoted}
    assert quoted == {"RCPR": 6.26, "PIFA": 8.04, "D3PF": 4.72, "RDR": 4.11}
    assert len(single.rows) == 13 and "is not published" in table.to_text()
    assert cells(single, "30: landmark 46")["landmarks"] == pytest.approx(40)
    assert cells(single, "29: landmark 44")["landmarks"] == pytest.approx(2)


def test_missing_points_and_faces_are_named():
    faces = aflw_faces()
    faces.state[2] = SELF_OCCLUDED
    predicted = Predictions({"": from68(np.random.default_rng(0).uniform(0, 9, (4, 68, 2)))}, method="dlib")
    predicted.outputs[""][:] = np.where(np.isfinite(predicted.outputs[""]), faces.points + np.array([1, 0]), np.nan)
    predicted.outputs[""][3] = np.nan
    table = aflw.tables(faces, predicted)[0]
    assert cells(table, "dlib") == {"NME": pytest.approx(2), "faces": 2}
    text = table.to_text()
    assert "Points that dlib does not predict, not counted for any face: left ear lobe, right ear lobe." in text
    assert "1 of 4 faces were not found" in text and "1 faces have no visible point" in text


def test_3ddfa_bins_mean_and_std():
    angles = np.full((5, 3), np.nan)
    angles[:, 1] = [-30, 10, 45, -70, 95]
    faces = aflw_faces(21, 5, angles=angles)
    predicted = moved(faces, 1.0, 2.0, 3.0, 4.0, 8.0)
    (table,) = aflw.tables_by_yaw(faces, predicted)
    row = cells(table, "rdrface landmarks")
    expected = [3, 6, 12, 7, np.std([3, 6, 12]), 7.2]
    np.testing.assert_allclose([row[name] for name in table.columns], expected)
    assert cells(table, "3DDFA")["mean of bins"] == 5.60 and cells(table, "3DDFA-TPAMI")["mean of bins"] == 4.55
    assert [row.cells for row in table.rows if row.name == "faces"] == [(2, 1, 2, None, None, 5)]
    with pytest.raises(ValueError, match="yaw"):
        aflw.tables_by_yaw(aflw_faces(), moved(aflw_faces(), 1.0, 1.0, 1.0, 1.0))


def test_wrong_shapes_raise():
    with pytest.raises(ValueError, match="21 or 34 points"):
        aflw.errors(aflw_faces(68), moved(aflw_faces(68), 1.0, 1.0, 1.0, 1.0))
    with pytest.raises(ValueError, match="predictions must have shape"):
        aflw.tables(aflw_faces(34), moved(aflw_faces(21), 1.0, 1.0, 1.0, 1.0))
    with pytest.raises(ValueError, match="normalizer"):
        aflw.errors(aflw_faces(normalizer=None), moved(aflw_faces(), 1.0, 1.0, 1.0, 1.0))
    with pytest.raises(ValueError, match="must be"):
        from68(np.zeros((2, 21, 2)))


def test_21_and_34_points_from_68():
    points = np.arange(136.0).reshape(1, 68, 2)
    made21 = from68(points)[0]
    assert made21.shape == (21, 2) and from68_to_34(points).shape == (1, 34, 2)
    np.testing.assert_array_equal(made21[[0, 14, 20]], points[0, [17, 30, 8]])
    np.testing.assert_allclose(made21[7], points[0, 36:42].mean(0))
    np.testing.assert_allclose(made21[18], points[0, 60:68].mean(0))
    assert np.flatnonzero(np.isnan(made21).any(1)).tolist() == EARS
    np.testing.assert_array_equal(
        from68_to_34(points)[0, 21:], points[0, [3, 5, 11, 13, 27, 33, 37, 41, 44, 46, 51, 57, 66]]
    )


def test_outputs_of_the_mesh_agree_with_the_68():
    face = some_face()
    for ours, count in ((outputs(face), 21), (outputs34(face), 34)):
        assert list(ours) == ["landmarks", "projection"] and ours["landmarks"].shape == ours["projection"].shape == (
            count,
            2,
        )
        of68 = from68(face.landmarks_3d[None, :, :2], count)[0]
        single = np.array([len(of) == 1 for of in list(POINTS.values())[:count]])
        np.testing.assert_allclose(ours["projection"][single], of68[single], atol=1e-3)
        # On the mesh, the centers of eyes and mouth are single points close to the means. The face is 100 pixels wide.
        means = ~single & np.isfinite(of68).all(1)
        assert np.abs(ours["projection"][means] - of68[means]).max() < 5
        np.testing.assert_allclose(
            ours["landmarks"] - ours["projection"], 0.25, atol=1e-3
        )  # the refinement moved all points equally


def merl_rav_faces():
    points = np.random.default_rng(1).uniform(30, 70, (3, 68, 2))
    points[:, 0], points[:, 1] = (0, 0), (100, 100)  # box 100 x 100: an error of 1 px is 1 %
    state = np.full((3, 68), VISIBLE)
    state[0, 37] = OCCLUDED
    state[1, 40] = SELF_OCCLUDED
    points[1, 40] = np.nan
    return FaceRecords(
        image=np.array(["a.jpg", "b.jpg", "c.jpg"]),
        points=points,
        state=state,
        box=np.tile([0.0, 0, 100, 100], (3, 1)),
        source=np.full(3, "merl_rav/left/testset"),
        is_test=np.ones(3, bool),
    )


def test_aflw_points_derived_from_merl_rav():
    faces = aflw.of_merl_rav(merl_rav_faces(), 34)
    assert (faces.state[:, EARS] == SELF_OCCLUDED).all() and np.isnan(faces.points[:, EARS]).all()
    assert faces.state[0, 7] == OCCLUDED and np.isfinite(faces.points[0, 7]).all()
    assert faces.state[1, 7] == SELF_OCCLUDED and np.isnan(faces.points[1, 7]).all()
    assert faces.state[2, 7] == VISIBLE and (faces.state[:, 20] == VISIBLE).all()
    np.testing.assert_allclose(faces.normalizer, 100)


def test_tables_on_merl_rav():
    faces = merl_rav_faces()
    predicted = np.nan_to_num(faces.points) + np.array([2, 0])
    predicted[:, 37] += [600, 0]  # an eyelid point: part of the eye's center, and a point of the 34
    predicted[1] = np.nan
    jawline = predicted + 50
    (table,) = aflw.tables_on_merl_rav(faces, Predictions({"landmarks": predicted, "landmarks_jawline": jawline}))
    assert table.columns == ("19 of 21", "32 of 34")
    assert [row.name for row in table.rows] == ["rdrface landmarks", "faces"]
    # Face 0: the eyelid point is occluded, not counted. Face 2: the center is off by 102, the eyelid by 602.
    by_hand = ((2 + (18 * 2 + 102) / 19) / 2, (2 + (30 * 2 + 102 + 602) / 32) / 2)
    np.testing.assert_allclose(table.rows[0].cells, by_hand)
    assert table.rows[1].cells == (2, 2)
    assert not any(row.quoted for row in table.rows)
    text = table.to_text()
    assert (
        "Not comparable with AFLW-PIFA" in text
        and "Ear lobes are not" in text
        and UNVERIFIED not in text
        and "1 of 3 faces were not found" in text
    )
    with pytest.raises(ValueError, match="68 points"):
        aflw.tables_on_merl_rav(aflw_faces(), moved(aflw_faces(), 1.0, 1.0, 1.0, 1.0))
