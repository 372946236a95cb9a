"""Readers of AFLW-PIFA and of 3DDFA's AFLW list, on small files in the published format."""

import csv

import numpy as np
import pytest

from published_sets import pifa_rows, write_3ddfa, write_pifa
from rdrface.datasets.readers.aflw import read_aflw21, read_aflw_pifa
from rdrface.datasets.records import SELF_OCCLUDED, VISIBLE
from rdrface.errors import DataError
from rdrface.fitting.estimated_boxes import with_landmark_boxes


def write_csv(folder, points, visible, part=("test",) * 3):
    count = points.shape[1]
    head = ["image", "part", "box_x0", "box_y0", "box_x1", "box_y1"]
    with (folder / "aflw_pifa.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(head + [f"{name}{i}" for i in range(count) for name in ("x", "y", "visible")])
        for i in range(len(points)):
            values = []
            for (x, y), is_visible in zip(points[i], visible[i], strict=True):
                values += ["", "", 0] if np.isnan(x) else [x, y, int(is_visible)]
            writer.writerow([f"photos/{i}.jpg", part[i], 100, 70, 200, 151, *values])


def test_pifa_is_read_from_its_mat_files(tmp_path):
    points, hidden = write_pifa(tmp_path)
    faces = read_aflw_pifa(tmp_path)
    assert faces.points.shape == (3, 34, 2) and faces.is_test.all()
    assert [name.rsplit("/", 2)[-2:] for name in faces.image.tolist()] == [
        ["TestImages", f"{i}.jpg"] for i in (1, 2, 3)
    ]
    np.testing.assert_allclose(faces.points[2], points[2] - 1)  # from 1-based to 0-based
    assert np.isnan(faces.points[0, 0]).all() and np.isfinite(faces.points[0, 1:]).all()
    np.testing.assert_array_equal(faces.state == SELF_OCCLUDED, hidden == 1)
    np.testing.assert_allclose(faces.normalizer, 90)  # sqrt(100 * 81)
    np.testing.assert_allclose(faces.box, np.tile([100, 70, 200, 151], (3, 1)))  # the dataset's own face box
    box = with_landmark_boxes(faces, "aflw34").box
    np.testing.assert_allclose(box[1], [100, 70, 200, 151])  # too few points for an estimate
    assert not np.allclose(box[2], [100, 70, 200, 151])
    train = read_aflw_pifa(tmp_path, split="train")
    assert len(train) == 2 and not train.is_test.any() and train.image[0].endswith("TrainImages/1.jpg")


def test_the_21_points_of_pifa_are_the_first_of_the_34(tmp_path):
    write_pifa(tmp_path)
    both = read_aflw_pifa(tmp_path), read_aflw_pifa(tmp_path, 21)
    np.testing.assert_array_equal(both[0].points[:, :21], both[1].points)
    np.testing.assert_array_equal(both[0].state[:, :21], both[1].state)
    (tmp_path / "short").mkdir()
    write_pifa(tmp_path / "short", 21)
    assert read_aflw_pifa(tmp_path / "short", 21).points.shape == (3, 21, 2)
    with pytest.raises(DataError, match="21 points per face, expected 34"):
        read_aflw_pifa(tmp_path / "short")
    with pytest.raises(ValueError, match="count"):
        read_aflw_pifa(tmp_path, 68)


def test_pifa_from_a_csv_file_is_the_same(tmp_path):
    write_pifa(tmp_path)
    first = read_aflw_pifa(tmp_path)
    (tmp_path / "plain").mkdir()
    write_csv(tmp_path / "plain", first.points, first.state == VISIBLE)
    second = read_aflw_pifa(tmp_path / "plain")
    np.testing.assert_allclose(first.points, second.points)
    for name in ("state", "normalizer"):
        np.testing.assert_allclose(getattr(first, name), getattr(second, name))
    np.testing.assert_allclose(first.box, second.box, atol=1e-6)
    assert second.image[1].endswith("plain/photos/1.jpg")
    with pytest.raises(DataError, match="part 'train'"):
        read_aflw_pifa(tmp_path / "plain", split="train")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"phisT": np.ones((3, 100))}, "3 x 21 or 3 x 34 columns, got 100"),
        ({"phisT": np.full((3, 102), 50.0)}, "must be 0"),
        ({"bboxesT": np.ones((2, 4))}, r"shape \(3, 4\), got \(2, 4\)"),
        ({"bboxesT": np.zeros((3, 4))}, "must have a positive area"),
    ],
)
def test_pifa_with_wrong_fields_is_refused(tmp_path, changes, message):
    write_pifa(tmp_path, **changes)
    with pytest.raises(DataError, match=message):
        read_aflw_pifa(tmp_path)


def test_pifa_errors_give_the_file_and_the_point(tmp_path):
    with pytest.raises(DataError, match=r"Landmark.mat"):
        read_aflw_pifa(tmp_path)
    points, hidden = pifa_rows()
    points[2, 7] = np.nan
    write_csv(tmp_path, points, hidden == 0)
    text = (tmp_path / "aflw_pifa.csv").read_text()
    (tmp_path / "aflw_pifa.csv").write_text(text.replace(",,0", ",,1"))
    with pytest.raises(DataError, match=r"point 7 of .*2\.jpg is marked as visible"):
        read_aflw_pifa(tmp_path)
    (tmp_path / "aflw_pifa.csv").write_text(text.replace("visible33", "seen33"))
    with pytest.raises(DataError, match="columns"):
        read_aflw_pifa(tmp_path)
    (tmp_path / "aflw_pifa.csv").write_text(text.replace(",100,70,", ",wide,70,"))
    with pytest.raises(DataError, match="box_x0 must contain numbers"):
        read_aflw_pifa(tmp_path)


def test_the_list_of_3ddfa_is_read(tmp_path):
    write_3ddfa(tmp_path)
    faces = read_aflw21(tmp_path)
    assert faces.image[1].endswith("test.data/AFLW_GT_crop/image00001.jpg")
    # The benchmark maps (36, 26) of a crop, counted from 1, to (36 * 2 + 30, ...) of the image: 100 is 35 and 25 there.
    np.testing.assert_allclose(faces.points[0, 0], [35 - 1, 25 - 1])
    assert np.isnan(faces.points[:, 4]).all() and (faces.state[:, 4] == SELF_OCCLUDED).all()
    assert (np.delete(faces.state, 4, axis=1) == VISIBLE).all()
    np.testing.assert_allclose(faces.normalizer, 60)  # sqrt(160 * 90) / 2
    np.testing.assert_allclose(faces.box[0], [19, 14, 99, 59])
    np.testing.assert_allclose(faces.yaw, [-80, -30, 20])


def test_a_3ddfa_list_with_invalid_arrays_is_refused(tmp_path):
    write_3ddfa(tmp_path / "a", **{"AFLW_GT_pts21.npy": np.zeros((2, 2, 21))})
    with pytest.raises(DataError, match=r"AFLW_GT_pts21.npy must have shape \(3, 2, 21\)"):
        read_aflw21(tmp_path / "a")
    write_3ddfa(tmp_path / "b", **{"AFLW_GT_crop_yaws.npy": np.array([1, np.nan, 2])})
    with pytest.raises(DataError, match="finite yaw"):
        read_aflw21(tmp_path / "b")
    write_3ddfa(tmp_path / "c")
    (tmp_path / "c" / "test.configs" / "AFLW_GT_pts68.npy").unlink()
    with pytest.raises(DataError, match=r"no file of .*AFLW_GT_pts68\.npy"):
        read_aflw21(tmp_path / "c")
    with pytest.raises(DataError, match="3DDFA repository"):
        read_aflw21(tmp_path / "nowhere")
