"""Readers on small folders in the official layouts, and on the real datasets if they are available."""

import numpy as np
import pytest

from annotated import face_points, fgnet_folder, write_photo, write_pts
from published_sets import merl_rav_folder, write_mat
from rdrface.datasets.readers import SETS, read_300wlp, read_aflw2000, read_fgnet, read_merl_rav, read_set, read_w300
from rdrface.datasets.readers.aflw2000 import angles_from_hpen, hpen_angles, hpen_rotation
from rdrface.datasets.readers.merl_rav import SIDES, decode_signs
from rdrface.datasets.readers.pts import read_pts
from rdrface.errors import DataError


def test_pts_files_are_read_unchanged(tmp_path):
    write_pts(tmp_path / "a.pts", face_points())
    np.testing.assert_allclose(read_pts(tmp_path / "a.pts"), face_points(), atol=0.006)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "complete .pts file"),
        ("version: 1\nn_points: 68\n{\n1 2\n", "not a complete"),
        ("version: 1\n{\n1 2\n3 4\n}", "contains 4 numbers"),
        ("{\n1 x\n}", "must contain only numbers"),
        ("{" + "nan 1 " * 68 + "}", "not finite"),
    ],
)
def test_damaged_pts_files_are_named(tmp_path, text, message):
    file = tmp_path / "bad.pts"
    file.write_text(text)
    with pytest.raises(DataError, match=message) as caught:
        read_pts(file)
    assert "bad.pts" in str(caught.value)


def test_merl_rav_signs():
    values = face_points()
    values[0] = (-1, -1)
    values[1] = (-12.5, -40.25)
    values[2] = (-3.5, 20.0)  # left of the image's border
    values[3] = (20.0, -0.4)
    values[4] = (-1, -5)  # not the mark of self-occlusion
    values[5] = (0.0, 7.0)
    position, state = decode_signs(values)
    assert np.isnan(position[0]).all()
    np.testing.assert_allclose(position[1:6], [[12.5, 40.25], [-3.5, 20], [20, -0.4], [1, 5], [0, 7]], rtol=1e-6)
    assert state[:7].tolist() == [3, 2, 2, 2, 2, 1, 1]


def test_merl_rav_layout(tmp_path):
    points = face_points()
    points[9:17] = -1
    root = merl_rav_folder(tmp_path, points)
    train, test = read_merl_rav(root, "train"), read_merl_rav(root, "test")
    assert train.source.tolist() == [f"merl_rav/{side}/trainset" for side in SIDES]
    assert test.is_test.all() and not train.is_test.any() and set(train.contour) == {"outline"}
    assert np.isnan(train.points[:, 9:17]).all() and np.isfinite(train.points[:, :9]).all()
    assert (train.state[:, 9:17] == 3).all() and (train.state[:, :9] == 1).all()
    np.testing.assert_allclose(
        train.box[0, 2] - train.box[0, 0], np.ptp(np.delete(points, range(9, 17), 0)[:, 0]), atol=0.02
    )


def test_damaged_merl_rav_folders_are_refused(tmp_path):
    root = merl_rav_folder(tmp_path, face_points())
    with pytest.raises(ValueError, match="split must be"):
        read_merl_rav(root, "trainset")
    (root / "left/testset/image00001.jpg").unlink()
    with pytest.raises(DataError, match=r"1 of 5 images are missing: no image for .*left/testset/image00001\.pts"):
        read_merl_rav(root, "test")
    with pytest.raises(DataError, match="not a folder"):
        read_merl_rav(root / "nowhere", "train")
    write_pts(root / "left/trainset/image00001.pts", np.full((68, 2), -1))
    with pytest.raises(DataError, match="no landmark with a position"):
        read_merl_rav(root, "train")


def test_merl_rav_is_not_read_as_300w(tmp_path):
    points = face_points()
    points[9:17] = -1
    root = merl_rav_folder(tmp_path, points)
    with pytest.raises(DataError, match=r"is not 300-W: 12 % .* two negative coordinates.*name the dataset merl-rav"):
        read_w300(root)


def test_w300_counts_from_zero(tmp_path):
    for part in ("afw", "helen/trainset", "helen/testset", "ibug"):
        write_pts(tmp_path / part / "a_1.pts", face_points())
        write_photo(tmp_path / part / "a_1.png")
    records = read_w300(tmp_path)
    assert dict(zip(records.source, records.is_test, strict=True)) == {
        "300w/afw": False,
        "300w/helen/testset": True,
        "300w/helen/trainset": False,
        "300w/ibug": True,
    }
    np.testing.assert_allclose(records.points[0], face_points() - 1, atol=0.006)
    assert (records.state == 0).all()
    assert read_w300(tmp_path / "helen/testset").is_test.tolist() == [True]
    with pytest.raises(DataError, match=r"no \.pts files"):
        (tmp_path / "empty").mkdir()
        read_w300(tmp_path / "empty")


def test_aflw2000_points_and_pose(tmp_path):
    points = np.vstack([face_points().T, np.zeros(68)])
    pose = [[0.1, 0.5, -0.2, 1, 2, 3, 1e-3]]
    write_mat(tmp_path / "image00002.mat", pt3d_68=points, Pose_Para=pose)
    records = read_aflw2000(tmp_path)
    np.testing.assert_allclose(records.points[0], face_points() - 1, atol=1e-4)
    np.testing.assert_allclose(records.angles, np.degrees([[0.1, 0.5, -0.2]]), rtol=1e-6)
    assert records.contour.tolist() == ["jawline"] and records.is_test.tolist() == [True]
    # HPEN: positive yaw is towards the image's left, positive roll is clockwise. rdrface: the opposite of both.
    assert records.pose[0, 1] < 0 < records.pose[0, 2]


def test_damaged_aflw2000_files_are_refused(tmp_path):
    points = np.vstack([face_points().T, np.zeros(68)])
    with pytest.raises(DataError, match=r"no \.mat files"):
        read_aflw2000(tmp_path)
    for content, message in [
        ({"Pose_Para": np.zeros((1, 7))}, "no field 'pt3d_68'"),
        ({"pt3d_68": points}, "no field 'Pose_Para'"),
        ({"pt3d_68": points[:, :21], "Pose_Para": np.zeros((1, 7))}, "shape"),
        ({"pt3d_68": points * np.nan, "Pose_Para": np.zeros((1, 7))}, "not finite"),
        ({"pt3d_68": points, "Pose_Para": np.full((1, 7), np.nan)}, "finite angles"),
    ]:
        write_mat(tmp_path / "image00002.mat", **content)
        with pytest.raises(DataError, match=message):
            read_aflw2000(tmp_path)
    write_mat(tmp_path / "image00002.mat", pt3d_68=points, Pose_Para=np.zeros((1, 7)))
    whole = (tmp_path / "image00002.mat").read_bytes()
    for damaged in (whole[:200], b"", b"hello" * 100):
        (tmp_path / "image00002.mat").write_bytes(damaged)
        with pytest.raises(DataError, match=r"image00002\.mat"):
            read_aflw2000(tmp_path)


def test_hpen_angles_round_trip_and_axes():
    angles = np.random.default_rng(1).uniform(-1.4, 1.4, (50, 3))
    rotation = hpen_rotation(angles)
    np.testing.assert_allclose(
        rotation @ rotation.transpose(0, 2, 1), np.broadcast_to(np.eye(3), (50, 3, 3)), atol=1e-12
    )
    np.testing.assert_allclose(hpen_angles(rotation), angles, atol=1e-9)
    # For a single angle the conversion changes its sign.
    for axis in range(3):
        single = np.zeros(3)
        single[axis] = 0.4
        np.testing.assert_allclose(angles_from_hpen(single), -single, atol=1e-7)
    nose = hpen_rotation(np.array([0.0, 0.5, 0.0])) @ [0, 0, 1]
    assert nose[0] < 0  # image left
    nose = hpen_rotation(np.array([0.5, 0.0, 0.0])) @ [0, 0, 1]
    assert nose[1] > 0  # up


def test_converted_angles_rebuild_the_rotation():
    angles = np.random.default_rng(2).uniform(-1.4, 1.4, (50, 3))
    pitch, yaw, roll = angles_from_hpen(angles).astype(np.float64).T
    zero, one = np.zeros(50), np.ones(50)

    def stack(*rows):
        return np.stack([np.stack(row, -1) for row in rows], -2)

    rx = stack([one, zero, zero], [zero, np.cos(pitch), -np.sin(pitch)], [zero, np.sin(pitch), np.cos(pitch)])
    ry = stack([np.cos(yaw), zero, np.sin(yaw)], [zero, one, zero], [-np.sin(yaw), zero, np.cos(yaw)])
    rz = stack([np.cos(roll), -np.sin(roll), zero], [np.sin(roll), np.cos(roll), zero], [zero, zero, one])
    np.testing.assert_allclose(rz @ ry @ rx, hpen_rotation(angles), atol=1e-6)


def test_300wlp_uses_both_contours_if_it_has_them_otherwise_the_jawline(tmp_path):
    points = face_points()
    pose = np.array([[0.1, 0.5, -0.2, 1, 2, 3, 1e-3]])
    write_mat(tmp_path / "AFW/AFW_1_1_0.mat", pt2d=points.T, Pose_Para=pose)
    write_mat(tmp_path / "AFW_Flip/AFW_1_1_0.mat", pt2d=points.T, Pose_Para=pose)
    write_mat(tmp_path / "landmarks/AFW_Flip/AFW_1_1_0_pts.mat", image=False, pts_2d=points, pts_3d=points + 5)
    write_mat(
        tmp_path / "HELEN/HELEN_1_1_0.mat",
        pt2d=points.T,
        pt3d_68=np.vstack([points.T + 2, points.T[:1]]),
        Pose_Para=pose,
    )
    records = read_300wlp(tmp_path)
    assert records.source.tolist() == ["300w_lp/AFW", "300w_lp/AFW_Flip", "300w_lp/HELEN"]
    assert records.contour.tolist() == ["outline", "outline", "jawline"]
    np.testing.assert_allclose(records.points, np.stack([points - 1, points - 1, points + 1]), atol=1e-4)
    np.testing.assert_allclose(records.jawline_contour[1], points[:17] + 4, atol=1e-4)
    assert np.isnan(records.jawline_contour[[0, 2]]).all()
    assert (records.state == 0).all()
    plain = read_300wlp(tmp_path, flipped=False)
    assert plain.source.tolist() == ["300w_lp/AFW", "300w_lp/HELEN"] and plain.jawline_contour is None
    assert not records.is_test.any()
    for test in ("IBUG/IBUG_image_003_1_0.mat", "LFPW/LFPW_image_test_0001_0.mat"):
        write_mat(tmp_path / test, pt2d=points.T, Pose_Para=pose)
    write_mat(tmp_path / "LFPW/LFPW_image_train_0001_0.mat", pt2d=points.T, Pose_Para=pose)
    assert read_300wlp(tmp_path, flipped=False).is_test.tolist() == [False, False, True, True, False]
    write_mat(tmp_path / "IBUG/IBUG_1.mat", Pose_Para=pose)
    with pytest.raises(DataError, match="neither 'pt3d_68' nor 'pt2d'"):
        read_300wlp(tmp_path)
    with pytest.raises(DataError, match="300W_LP folder"):
        read_300wlp(tmp_path / "AFW")


def test_datasets_are_read_by_name(tmp_path):
    merl_rav_folder(tmp_path / "merl", face_points())
    write_pts(tmp_path / "300w/ibug/a.pts", face_points())
    write_photo(tmp_path / "300w/ibug/a.jpg")
    points = np.vstack([face_points().T, np.zeros(68)])
    write_mat(tmp_path / "aflw/image00002.mat", pt3d_68=points, Pose_Para=np.zeros((1, 7)))
    write_mat(tmp_path / "lp/AFW/a.mat", pt3d_68=points, Pose_Para=np.zeros((1, 7)))
    fgnet_folder(tmp_path / "fgnet", ["005a11"])
    folders = {"merl-rav": "merl", "300w": "300w", "300w-lp": "lp", "aflw2000-3d": "aflw", "fgnet": "fgnet"}
    assert set(folders) == set(SETS)
    assert len(read_set("merl-rav", tmp_path / "merl", "test")) == 5
    assert len(read_set("300w", tmp_path / "300w", "test")) == 1
    assert len(read_set("300w-lp", tmp_path / "lp", "train")) == 1
    assert len(read_set("aflw2000-3d", tmp_path / "aflw", "test")) == 1
    assert len(read_set("fgnet", tmp_path / "fgnet", "test")) == 1
    with pytest.raises(DataError, match="no train faces of 300w"):
        read_set("300w", tmp_path / "300w", "train")
    with pytest.raises(DataError, match="no reader for a dataset called 'cofw'"):
        read_set("cofw", tmp_path, "test")


def test_real_datasets(shared_data):
    test = read_merl_rav(shared_data / "merl_rav", "test")
    assert len(test) == 2451
    assert len(read_merl_rav(shared_data / "merl_rav", "train")) == 9825
    assert (np.isnan(test.points[..., 0]) == (test.state == 3)).all()
    right = test.points[test.source == "merl_rav/frontal/testset"]
    assert (np.nanmean(right[:, 45, 0] - right[:, 36, 0])) > 20
    w300 = read_w300(shared_data / "300w")
    assert len(w300) == 337 + 870 + 805
    fgnet = read_fgnet(shared_data / "fgnet")
    assert len(fgnet) == 722 and fgnet.is_test.sum() == 141
    # The nose base is below the nose tip and the chin below the lower lip: the points have iBUG's positions.
    assert (np.diff(fgnet.points[:, [30, 33, 57, 8], 1], axis=1) > 0).mean() > 0.98
    profiles = read_300wlp(shared_data / "300w_lp")
    assert len(profiles) == 5207 and np.isfinite(profiles.jawline_contour).all()
    # On a face in profile the contours differ: the outline slides, the jawline is fixed on the head.
    distance = np.linalg.norm(profiles.points[:, :17] - profiles.jawline_contour, axis=-1).mean(1)
    yaw = np.abs(profiles.pose[:, 1])
    assert distance[yaw > 1].mean() > 5 * distance[yaw < 0.2].mean()
    aflw = read_aflw2000(shared_data / "aflw2000_3d_dev")
    assert len(aflw) == 200
    # Positive yaw: the nose is towards the image's right, relative to the outermost contour points.
    offset = aflw.points[:, 30, 0] - aflw.points[:, [0, 16], 0].mean(1)
    assert np.corrcoef(aflw.pose[:, 1], offset)[0, 1] > 0.95
    # Positive roll: counterclockwise, so the image's right eye is higher (smaller y). Near-frontal faces only.
    frontal = np.abs(aflw.pose[:, 1]) < 0.5
    slope = np.arctan2(aflw.points[:, 45, 1] - aflw.points[:, 36, 1], aflw.points[:, 45, 0] - aflw.points[:, 36, 0])
    assert np.corrcoef(-slope[frontal], aflw.pose[frontal, 2])[0, 1] > 0.95
