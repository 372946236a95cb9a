"""Reader of FG-NET on small folders."""

import numpy as np
import pytest

from annotated import face_points, fgnet_folder, write_pts
from rdrface.datasets.readers.fgnet import FROM_FGNET, read_fgnet
from rdrface.errors import DataError
from rdrface.fitting.estimated_boxes import with_missing_boxes


def test_shared_landmarks_are_converted_and_the_others_have_no_position(tmp_path):
    fgnet_folder(tmp_path, ["004a20"])
    records = read_fgnet(tmp_path)
    shared = sorted(FROM_FGNET)
    assert len(shared) == 19
    np.testing.assert_allclose(records.points[0, shared], face_points()[shared], atol=0.006)
    assert np.isnan(np.delete(records.points[0], shared, 0)).all()
    assert (records.state == 0).all() and records.contour.tolist() == ["outline"]
    # The 19 include no brow and no cheek, so the box of the 68 is estimated.
    assert np.isnan(records.box).all()
    box = with_missing_boxes(records).box[0]
    assert box[2] - box[0] > 1.2 * np.ptp(records.points[0, [36, 45], 0])


def test_eye_aspect_comes_from_the_lid_points_in_the_middle(tmp_path):
    fgnet_folder(tmp_path, ["004a20"])
    width = 0.18 * 60
    np.testing.assert_allclose(
        read_fgnet(tmp_path).eye_aspect, [[4.5 / width * 8 / 9 * 0.85, 2.25 / width * 8 / 9 * 0.85]], atol=2e-3
    )


def test_no_person_is_in_both_parts(tmp_path):
    fgnet_folder(tmp_path, ["005a11", "005a30", "006a07", "010A02", "011a02b"])
    records = read_fgnet(tmp_path)
    assert dict(zip([name[-10:-4] for name in records.image], records.is_test, strict=True)) == {
        "005A11": True,
        "005A30": True,
        "006A07": False,
        "010A02": True,
        "11A02B": False,
    }


def test_damaged_folders_are_named(tmp_path):
    with pytest.raises(DataError, match="images is not a folder"):
        read_fgnet(tmp_path)
    (tmp_path / "images").mkdir()
    (tmp_path / "points").mkdir()
    with pytest.raises(DataError, match=r"no \.pts files"):
        read_fgnet(tmp_path)
    write_pts(tmp_path / "points/001a02.pts", face_points())
    with pytest.raises(DataError, match=r"1 of 1 images are missing: no image for .*001a02\.pts"):
        read_fgnet(tmp_path)
    fgnet_folder(tmp_path, ["somebody"])
    (tmp_path / "points/001a02.pts").unlink()
    with pytest.raises(DataError, match=r"somebody\.pts: names of FG-NET's files must have three digits"):
        read_fgnet(tmp_path)
