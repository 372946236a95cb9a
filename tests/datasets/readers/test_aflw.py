import csv

import numpy as np
import pytest
import scipy.io

from rdrface.datasets.readers.aflw import read_aflw21, read_aflw_pifa
from rdrface.datasets.records import SELF_OCCLUDED, VISIBLE
from rdrface.errors import DataError
from rdrface.fitting.landmark_box import with_landmark_boxes
from some_face import some_face


def pifa_rows(count=34, faces=3, offset=0.0):
    """Positions (n, P, 2), 1-based, and marks "hidden" (n, P) as the set's files have them."""
    scheme = f"aflw{count}"
    points = np.stack([some_face((150 + 10 * i, 120), 90).points(scheme)[:, :2] for i in range(faces)]) + offset
    hidden = np.zeros((faces, count))
    hidden[0, :3] = 1
    hidden[1, 5:] = 1  # five points left: too few for a pose
    return points.astype(np.float64), hidden


def write_pifa(folder, count=34, **changes):
    test, hidden = pifa_rows(count)
    test[0, 0] = 0  # a hidden point without a position
    train, shown = pifa_rows(count, 2, 5.0)

    def rows(points, marks):
        return np.concatenate((points[..., 0], points[..., 1], marks), axis=1)

    marks = {"phisT": rows(test, hidden), "phisTr": rows(train, shown)}
    boxes = {"bboxesT": np.tile([101.0, 71, 100, 81], (3, 1)), "bboxesTr": np.tile([11.0, 21, 50, 50], (2, 1))}
    scipy.io.savemat(folder / "Landmark.mat", {**marks, **{k: v for k, v in changes.items() if k in marks}})
    scipy.io.savemat(folder / "BoundingBox.mat", {**boxes, **{k: v for k, v in changes.items() if k in boxes}})
    return test, hidden


def write_csv(folder, points, visible, part=("test",) * 3):
    count = points.shape[1]
    head = ["image", "part", "box_x0", "box_y0", "box_x1", "box_y1"]
    with (folder / "aflw_pifa.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(head + [f"{name}{i}" for i in range(count) for name in ("x", "y", "visible")])
        for i in range(len(points)):
            values = []
            for (x, y), seen in zip(points[i], visible[i], strict=True):
                values += ["", "", 0] if np.isnan(x) else [x, y, int(seen)]
            writer.writerow([f"photos/{i}.jpg", part[i], 100, 70, 200, 151, *values])


def test_pifa_from_the_sets_files(tmp_path):
    points, hidden = write_pifa(tmp_path)
    faces = read_aflw_pifa(tmp_path)
    assert faces.points.shape == (3, 34, 2) and faces.is_test.all()
    assert [name.rsplit("/", 2)[-2:] for name in faces.image.tolist()] == [
        ["TestImages", f"{i}.jpg"] for i in (1, 2, 3)
    ]
    np.testing.assert_allclose(faces.points[2], points[2] - 1)  # from 1-based to ours
    assert np.isnan(faces.points[0, 0]).all() and np.isfinite(faces.points[0, 1:]).all()
    np.testing.assert_array_equal(faces.state == SELF_OCCLUDED, hidden == 1)
    np.testing.assert_allclose(faces.normalizer, 90)  # sqrt(100 * 81)
    np.testing.assert_allclose(faces.box, np.tile([100, 70, 200, 151], (3, 1)))  # the set's own face box
    box = with_landmark_boxes(faces, "aflw34").box
    np.testing.assert_allclose(box[1], [100, 70, 200, 151])  # too few points for an estimate
    assert not np.allclose(box[2], [100, 70, 200, 151])
    train = read_aflw_pifa(tmp_path, split="train")
    assert len(train) == 2 and not train.is_test.any() and train.image[0].endswith("TrainImages/1.jpg")


def test_pifa_21_are_the_first_of_34(tmp_path):
    write_pifa(tmp_path)
    both = read_aflw_pifa(tmp_path), read_aflw_pifa(tmp_path, 21)
    np.testing.assert_array_equal(both[0].points[:, :21], both[1].points)
    np.testing.assert_array_equal(both[0].state[:, :21], both[1].state)
    (tmp_path / "short").mkdir()
    write_pifa(tmp_path / "short", 21)
    assert read_aflw_pifa(tmp_path / "short", 21).points.shape == (3, 21, 2)
    with pytest.raises(DataError, match="21 points per face, wanted 34"):
        read_aflw_pifa(tmp_path / "short")
    with pytest.raises(ValueError, match="count"):
        read_aflw_pifa(tmp_path, 68)


def test_pifa_from_a_csv_is_the_same(tmp_path):
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
        ({"bboxesT": np.zeros((3, 4))}, "must have an area"),
    ],
)
def test_pifa_refuses_what_it_cannot_be(tmp_path, changes, message):
    write_pifa(tmp_path, **changes)
    with pytest.raises(DataError, match=message):
        read_aflw_pifa(tmp_path)


def test_pifa_names_what_is_missing(tmp_path):
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
    with pytest.raises(DataError, match="box_x0 must hold numbers"):
        read_aflw_pifa(tmp_path)


def write_3ddfa(folder, count=3, **changes):
    """Crops of 240 x 240 pixels of a photo, at (30, 50); the hand-made landmark box is 160 x 90 there."""
    (folder / "test.configs").mkdir(parents=True)
    (folder / "test.data").mkdir()
    names = "".join(f"image{i:05d}.jpg\n" for i in range(count))
    (folder / "test.data" / "AFLW_GT_crop.list").write_text(names)
    points = np.full((count, 2, 21), 100.0)
    points[:, 0, 4] = -1
    whole = np.full((count, 3, 68), 80.0)
    whole[:, :2, 0], whole[:, :2, 1] = (70, 80), (230, 170)
    arrays = {
        "AFLW_GT_crop_roi_box.npy": np.tile([30.0, 50, 270, 290], (count, 1)),
        "AFLW_GT_crop_yaws.npy": np.linspace(-80, 20, count),
        "AFLW_GT_pts21.npy": points,
        "AFLW_GT_pts68.npy": whole,
    }
    for name, values in {**arrays, **changes}.items():
        np.save(folder / "test.configs" / name, values)


def test_3ddfas_list(tmp_path):
    write_3ddfa(tmp_path)
    faces = read_aflw21(tmp_path)
    assert faces.image[1].endswith("test.data/AFLW_GT_crop/image00001.jpg")
    # The benchmark brings a crop's (36, 26), counted from 1, to the photo's (36 * 2 + 30, ...): 100 is crop 35 and 25.
    np.testing.assert_allclose(faces.points[0, 0], [35 - 1, 25 - 1])
    assert np.isnan(faces.points[:, 4]).all() and (faces.state[:, 4] == SELF_OCCLUDED).all()
    assert (np.delete(faces.state, 4, axis=1) == VISIBLE).all()
    np.testing.assert_allclose(faces.normalizer, 60)  # sqrt(160 * 90) / 2
    np.testing.assert_allclose(faces.box[0], [19, 14, 99, 59])
    np.testing.assert_allclose(faces.yaw, [-80, -30, 20])


def test_3ddfas_list_refuses_other_shapes(tmp_path):
    write_3ddfa(tmp_path / "a", **{"AFLW_GT_pts21.npy": np.zeros((2, 2, 21))})
    with pytest.raises(DataError, match=r"AFLW_GT_pts21.npy must have shape \(3, 2, 21\)"):
        read_aflw21(tmp_path / "a")
    write_3ddfa(tmp_path / "b", **{"AFLW_GT_crop_yaws.npy": np.array([1, np.nan, 2])})
    with pytest.raises(DataError, match="finite yaw"):
        read_aflw21(tmp_path / "b")
    write_3ddfa(tmp_path / "c")
    (tmp_path / "c" / "test.configs" / "AFLW_GT_pts68.npy").unlink()
    with pytest.raises(DataError, match=r"no AFLW_GT_pts68\.npy"):
        read_aflw21(tmp_path / "c")
    with pytest.raises(DataError, match="3DDFA repository"):
        read_aflw21(tmp_path / "nowhere")
