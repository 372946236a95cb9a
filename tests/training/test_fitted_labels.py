"""Corrections of labels with the fitted face: self-occluded points, and outlines that are not manual annotations."""

from dataclasses import replace

import numpy as np
import pytest

from annotated import records_of
from rdrface.datasets.records import OCCLUDED, SELF_OCCLUDED, UNKNOWN, VISIBLE
from rdrface.landmarks import INNER
from rdrface.morphable.model import FaceModel
from rdrface.training.fitted_labels import with_self_occlusion, without_fitted_outline


@pytest.fixture(scope="module")
def model():
    return FaceModel.load()


def faces_at(folder, degrees):
    """One mean face per yaw, without annotated visibility."""
    records = records_of(folder, len(degrees))
    q = np.zeros_like(records.Q)
    q[:, 51], q[:, 56] = np.deg2rad(degrees), 0.5
    return replace(records, Q=q, state=np.full((len(degrees), 68), UNKNOWN))


def test_far_side_points_of_profiles_are_hidden_and_keep_their_positions(tmp_path, model):
    records = faces_at(tmp_path, [80, -80])
    marked = with_self_occlusion(records, model)
    # The nose points to the right of the image: the eye and brow on the right are on the far side.
    assert (marked.state[0, [23, 24, 25, 26, 42, 44, 45, 54]] == SELF_OCCLUDED).all()
    assert (marked.state[1, [17, 18, 19, 20, 36, 37, 39, 48]] == SELF_OCCLUDED).all()
    assert (marked.state[0, [17, 18, 30, 36, 37, 48]] == UNKNOWN).all()
    assert (marked.state[:, :17] == UNKNOWN).all()
    np.testing.assert_array_equal(marked.points, records.points)


def test_near_frontal_faces_and_annotated_ones_do_not_change(tmp_path, model):
    records = faces_at(tmp_path, [0, 20, -40, 80])
    records.state[3, 30] = VISIBLE
    np.testing.assert_array_equal(with_self_occlusion(records, model).state, records.state)


def test_records_without_a_fit_are_refused(tmp_path, model):
    with pytest.raises(ValueError, match="self-occlusion needs fits"):
        with_self_occlusion(records_of(tmp_path, 1, fitted=False), model)


def test_points_of_a_fitted_outline_are_removed(tmp_path):
    records = replace(records_of(tmp_path, 3), source=np.array(["300w_lp/AFW", "300w_lp/AFW", "300w/afw"]))
    jawline = records.points[:, :17] + 1
    jawline[1] = np.nan
    kept = without_fitted_outline(replace(records, jawline_contour=jawline))
    assert np.isnan(kept.points[0, :17]).all()
    np.testing.assert_array_equal(kept.points[0, 17:], records.points[0, 17:])
    np.testing.assert_array_equal(kept.points[1:], records.points[1:])
    assert without_fitted_outline(records) is records


def test_marked_points_agree_with_annotated_ones(shared_data, model):
    from rdrface.datasets.readers import read_merl_rav
    from rdrface.fitting import fit_records

    faces = read_merl_rav(shared_data / "merl_rav", "test")
    faces = fit_records(faces.select(np.arange(0, len(faces), 16)), model, progress=False)
    marked = with_self_occlusion(replace(faces, state=np.full(faces.state.shape, UNKNOWN)), model, progress=False)
    changed = (marked.state == SELF_OCCLUDED).any(1)
    assert changed.sum() > 20
    marked_hidden, annotated_hidden = (state[changed][:, INNER] for state in (marked.state, faces.state))
    known = annotated_hidden != OCCLUDED
    marked_hidden, annotated_hidden = (
        (marked_hidden == SELF_OCCLUDED)[known],
        (annotated_hidden == SELF_OCCLUDED)[known],
    )
    assert (marked_hidden & annotated_hidden).sum() / marked_hidden.sum() > 0.85 and (
        marked_hidden & annotated_hidden
    ).sum() / annotated_hidden.sum() > 0.85
