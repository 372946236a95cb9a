"""Face records: checks, selection, concatenation and files."""

import numpy as np
import pytest

from annotated import records_of
from rdrface.datasets.records import FaceRecords, is_outside
from rdrface.errors import DataError


def test_arrays_are_converted_to_the_documented_dtypes(tmp_path):
    records = records_of(tmp_path, 3)
    assert len(records) == 3
    assert (
        records.points.dtype == records.box.dtype == np.float64
        and records.state.dtype == np.int8
        and records.hidden.dtype == bool
    )
    assert records.image.dtype.kind == "U"


def test_save_and_load_keep_everything(tmp_path):
    records = records_of(tmp_path, 3)
    records.points[0, 3] = np.nan
    records.save(tmp_path / "r.npz")
    loaded = FaceRecords.load(tmp_path / "r.npz")
    for name in (
        "image",
        "points",
        "state",
        "contour",
        "box",
        "source",
        "is_test",
        "Q",
        "outline",
        "hidden",
        "residual",
    ):
        np.testing.assert_array_equal(getattr(loaded, name), getattr(records, name), err_msg=name)
    assert loaded.pose is None


def test_concat_and_select_keep_the_order(tmp_path):
    records = records_of(tmp_path, 4)
    both = FaceRecords.concat([records.select([2]), records.select(np.array([True, False, False, True]))])
    assert both.image.tolist() == [records.image[2], records.image[0], records.image[3]]
    np.testing.assert_array_equal(both.Q, records.Q[[2, 0, 3]])
    assert len(records.select([])) == 0
    assert len(FaceRecords.concat([records.select([]), records])) == 4


def test_concat_fills_a_missing_pose_but_refuses_a_missing_fit(tmp_path):
    plain = records_of(tmp_path, 2, fitted=False)
    posed = FaceRecords(**{**plain.__dict__, "pose": np.ones((2, 3))})
    joined = FaceRecords.concat([plain, posed])
    assert np.isnan(joined.pose[:2]).all() and (joined.pose[2:] == 1).all()
    with pytest.raises(ValueError, match="fit all of them"):
        FaceRecords.concat([plain, records_of(tmp_path, 2)])
    with pytest.raises(ValueError, match="at least one"):
        FaceRecords.concat([])


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("points", np.zeros((2, 68, 3)), "points must have shape"),
        ("points", np.zeros((2, 51, 2)), r"state must have shape \(2, 51\)"),
        ("contour", np.array(["outline", "round"]), "contour must be one of"),
        ("state", np.full((2, 68), 7), "state must be"),
        ("Q", np.zeros((2, 99)), "Q must have shape"),
    ],
)
def test_invalid_fields_are_refused(tmp_path, field, value, message):
    good = records_of(tmp_path, 2).__dict__
    with pytest.raises(ValueError, match=message):
        FaceRecords(**{**good, field: value})


def test_select_refuses_a_mask_of_another_length(tmp_path):
    with pytest.raises(ValueError, match="boolean index"):
        records_of(tmp_path, 2).select([True, False, True])


def test_damaged_files_are_named(tmp_path):
    with pytest.raises(DataError, match="no record file"):
        FaceRecords.load(tmp_path / "none.npz")
    text = tmp_path / "text.npz"
    text.write_text("hello")
    with pytest.raises(DataError, match=r"text\.npz"):
        FaceRecords.load(text)
    records_of(tmp_path, 2).save(tmp_path / "r.npz")
    short = tmp_path / "short.npz"
    short.write_bytes((tmp_path / "r.npz").read_bytes()[:500])
    with pytest.raises(DataError, match=r"short\.npz"):
        FaceRecords.load(short)
    other = tmp_path / "other.npz"
    np.savez(other, points=np.zeros(3))
    with pytest.raises(DataError, match="not a record file"):
        FaceRecords.load(other)
    pickled = tmp_path / "pickled.npz"
    np.savez(pickled, format=np.array("rdrface-records-1"), image=np.array([{}], dtype=object))
    with pytest.raises(DataError, match=r"pickled\.npz"):
        FaceRecords.load(pickled)


def test_a_second_contour_and_eye_aspects_are_kept_and_filled_with_nan(tmp_path):
    plain = records_of(tmp_path, 2, fitted=False)
    more = FaceRecords(**{**plain.__dict__, "jawline_contour": np.ones((2, 17, 2)), "eye_aspect": np.full((2, 2), 0.3)})
    FaceRecords.concat([plain, more]).select([3, 0]).save(tmp_path / "r.npz")
    loaded = FaceRecords.load(tmp_path / "r.npz")
    assert (loaded.jawline_contour[0] == 1).all() and np.isnan(loaded.jawline_contour[1]).all()
    np.testing.assert_allclose(loaded.eye_aspect, [[0.3, 0.3], [np.nan, np.nan]])
    assert loaded.eye_aspect.dtype == loaded.jawline_contour.dtype == np.float32


def test_files_of_release_0_1_can_be_read(tmp_path):
    records = records_of(tmp_path, 2)
    old = {
        "format": np.array("rdrface-records-1"),
        "split": np.array(["train", "test"]),
        "annotated_pose": np.array([[0.1, 0.5, -0.2], [np.nan] * 3], np.float32),
        "points": records.points.astype(np.float32),
        "box": records.box.astype(np.float32),
    }
    same = ("image", "state", "contour", "source", "Q", "outline", "jawline", "hidden", "residual")
    np.savez_compressed(tmp_path / "old.npz", **old, **{name: getattr(records, name) for name in same})
    loaded = FaceRecords.load(tmp_path / "old.npz")
    assert loaded.is_test.tolist() == [False, True]
    np.testing.assert_allclose(loaded.angles[0], np.degrees([0.1, 0.5, -0.2]), rtol=1e-6)
    assert np.isnan(loaded.yaw[1])
    np.testing.assert_allclose(loaded.points, records.points, atol=1e-4)
    for name in same:
        np.testing.assert_array_equal(getattr(loaded, name), getattr(records, name), err_msg=name)


def points21(count=3, **more):
    """Records of another annotation scheme: 21 points, no contour convention."""
    return FaceRecords(
        image=np.array([f"{i}.jpg" for i in range(count)]),
        points=np.random.default_rng(2).uniform(0, 100, (count, 21, 2)),
        state=np.ones((count, 21)),
        box=np.tile([0, 0, 100, 100], (count, 1)),
        source=np.full(count, "invented"),
        is_test=np.ones(count, bool),
        **more,
    )


def test_any_number_of_points_and_optional_fields_survive_a_file(tmp_path):
    faces = points21(normalizer=np.full(3, 50), angles=np.ones((3, 3)), rotation=np.tile(np.eye(3), (3, 1, 1)))
    FaceRecords.concat([points21(), faces]).select([5, 0]).save(tmp_path / "r.npz")
    loaded = FaceRecords.load(tmp_path / "r.npz")
    np.testing.assert_array_equal(loaded.points, points21().points[[2, 0]])
    assert loaded.contour is None and loaded.yaw[0] == 1 and np.isnan(loaded.yaw[1])
    assert loaded.normalizer[0] == 50 and np.isnan(loaded.normalizer[1])
    np.testing.assert_array_equal(loaded.rotation[0], np.eye(3))


def test_concat_refuses_records_of_different_kinds(tmp_path):
    with pytest.raises(ValueError, match="same points"):
        FaceRecords.concat([points21(), records_of(tmp_path, 2, fitted=False)])
    with pytest.raises(ValueError, match="same function"):
        FaceRecords.concat([points21(), points21(open_image=lambda image: image)])


def test_records_of_other_points_have_no_contour_and_records_with_open_image_cannot_be_saved(tmp_path):
    with pytest.raises(ValueError, match="these have 21 points and no `contour`"):
        points21().on_jawline  # noqa: B018
    with pytest.raises(ValueError, match="images are files"):
        points21(open_image=lambda image: image).save(tmp_path / "r.npz")


def test_a_face_is_outside_its_image_if_none_of_its_points_is_inside():
    points = np.array([[200.0, 10.0], [np.nan, np.nan], [120.6, 20.0]])
    assert is_outside(points, 120, 120)
    assert not is_outside(points, 201, 120)
    points[1] = [-0.4, 119.4]
    assert not is_outside(points, 120, 120)
    assert not is_outside(np.full((3, 2), np.nan), 120, 120)
