"""Reader of BIWI on small files, with heads whose direction is known by construction."""

import numpy as np
import pytest

from published_sets import rotation_about, write_biwi_frame
from rdrface.datasets.readers.biwi import FACE_SIDE, read_biwi
from rdrface.errors import DataError
from rdrface.geometry.rotation import euler_angles


def nose(rotation):
    """Direction of the nose in the depth camera's frame; a head without rotation looks at the camera."""
    return rotation @ [0, 0, -1]


@pytest.mark.parametrize(
    ("axis", "degrees", "angle", "sign"),
    [("y", 30, "yaw", -1), ("x", 20, "pitch", 1), ("z", 15, "roll", -1)],
)
def test_signs_of_one_angle(tmp_path, axis, degrees, angle, sign):
    matrix = rotation_about(axis, degrees)
    # Direction of the head in the image, from which the signs below follow.
    if angle == "yaw":
        assert nose(matrix)[0] < 0  # to the image's left
    if angle == "pitch":
        assert nose(matrix)[1] > 0  # down
    if angle == "roll":
        assert (matrix @ [1, 0, 0])[1] > 0  # a point at the image's right moves down: clockwise
    write_biwi_frame(tmp_path / "01", 3, matrix)
    faces = read_biwi(tmp_path)
    at = ("pitch", "yaw", "roll").index(angle)
    converted = np.degrees(euler_angles(faces.rotation))[0]
    expected = np.zeros(3)
    expected[at] = sign * degrees
    # docs/conventions.md: yaw > 0 to the image's right, pitch > 0 down, roll > 0 counterclockwise.
    np.testing.assert_allclose(converted, expected, atol=1e-3)
    # The dataset's own angles have the opposite signs.
    np.testing.assert_allclose(faces.angles[0], -expected, atol=1e-3)


def test_angles_are_those_of_fsa_net(tmp_path):
    matrix = rotation_about("y", 40) @ rotation_about("x", -25) @ rotation_about("z", 20)
    write_biwi_frame(tmp_path / "01", 3, matrix)
    transposed = matrix.T
    yaw = -np.arctan2(-transposed[2, 0], np.hypot(transposed[2, 1], transposed[2, 2]))
    pitch, roll = np.arctan2(transposed[2, 1], transposed[2, 2]), -np.arctan2(transposed[1, 0], transposed[0, 0])
    np.testing.assert_allclose(read_biwi(tmp_path).angles[0], np.degrees([pitch, yaw, roll]), atol=1e-3)


def test_layout_and_order(tmp_path):
    for person, number in (("02", 10), ("01", 20), ("01", 3)):
        write_biwi_frame(tmp_path / "hpdb" / person, number, np.eye(3))
    (tmp_path / "hpdb" / "01.obj").write_text("")
    faces = read_biwi(tmp_path)
    assert faces.source.tolist() == ["biwi/01", "biwi/01", "biwi/02"]
    assert [image.rsplit("/", 1)[1] for image in faces.image.tolist()][:2] == [
        "frame_00003_rgb.png",
        "frame_00020_rgb.png",
    ]
    assert faces.is_test.all() and faces.points.shape == (3, 0, 2) and faces.state.shape == (3, 0)
    write_biwi_frame(tmp_path / "hpdb" / "03", 3, np.eye(3), suffix=".jpg")
    assert len(read_biwi(tmp_path)) == 4


def test_the_box_is_around_the_projected_center(tmp_path):
    write_biwi_frame(tmp_path / "01", 3, np.eye(3), center=(125.0, -80.0, 800.0))
    left, top, right, bottom = read_biwi(tmp_path).box[0]
    # x: 320 + 500 (125 - 25) / 800; the color camera is 25 mm to the right of the depth camera.
    assert ((left + right) / 2, (top + bottom) / 2) == pytest.approx((382.5, 190))
    assert right - left == bottom - top == pytest.approx(500 * FACE_SIDE / 800)


def test_damaged_folders_are_refused(tmp_path):
    with pytest.raises(DataError, match="official BIWI folder"):
        read_biwi(tmp_path)
    person = tmp_path / "01"
    write_biwi_frame(person, 3, np.eye(3), center=(0, 0, -10))
    with pytest.raises(DataError, match=r"frame_00003_pose\.txt.*behind the camera"):
        read_biwi(tmp_path)
    write_biwi_frame(person, 3, 2 * np.eye(3))
    with pytest.raises(DataError, match="not a rotation matrix"):
        read_biwi(tmp_path)
    write_biwi_frame(person, 3, np.diag([1, 1, -1]))
    with pytest.raises(DataError, match="not a rotation matrix"):
        read_biwi(tmp_path)
    pose = person / "frame_00003_pose.txt"
    for text, message in (
        ("1 0 0\n", "contains 3 numbers"),
        ("1 x\n", "must contain only numbers"),
        ("nan " * 12, "not finite"),
    ):
        pose.write_text(text)
        with pytest.raises(DataError, match=message):
            read_biwi(tmp_path)
    write_biwi_frame(person, 3, np.eye(3))
    (person / "frame_00003_rgb.png").unlink()
    with pytest.raises(DataError, match=r"1 of 1 images are missing: no image for .*frame_00003_pose\.txt"):
        read_biwi(tmp_path)
    write_biwi_frame(person, 3, np.eye(3), translation="1 2")
    with pytest.raises(DataError, match=r"rgb\.cal is not a calibration"):
        read_biwi(tmp_path)
    (person / "rgb.cal").unlink()
    with pytest.raises(DataError, match=r"no file of BIWI at .*rgb\.cal"):
        read_biwi(tmp_path)
