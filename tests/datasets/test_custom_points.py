"""Reading images with custom landmarks."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from rdrface.datasets.custom_points import read_custom_points
from rdrface.errors import DataError

POINTS = np.array([[10.0, 12.5], [20.0, 12.0], [15.0, 30.0]])


def write_face(folder: Path, name: str, points: np.ndarray) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(folder / f"{name}.png"), np.full((40, 40, 3), 90, np.uint8))
    lines = [" ".join(map(str, point)) for point in points]
    (folder / f"{name}.pts").write_text("\n".join(["version: 1", f"n_points: {len(points)}", "{", *lines, "}"]))


def test_pixels_are_counted_from_one_and_missing_points_become_nan(tmp_path: Path) -> None:
    write_face(tmp_path, "a", POINTS)
    write_face(tmp_path, "b", np.array([[1, 1], [-1, -1], [5, 6]]))
    write_face(tmp_path, "c", np.array([[1, 1], [2, 2], [np.nan, np.nan]]))
    faces = read_custom_points(tmp_path)
    assert [Path(image).name for image in faces.image] == ["a.png", "b.png", "c.png"]
    np.testing.assert_allclose(faces.points[0], POINTS - 1)
    assert np.isnan(faces.points[1, 1]).all() and np.isnan(faces.points[2, 2]).all()
    np.testing.assert_allclose(faces.points[1, 0], 0)
    np.testing.assert_allclose(read_custom_points(tmp_path, origin=0).points[0], POINTS)


def test_a_file_with_another_number_of_points_is_named(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_face(tmp_path, name, POINTS)
    write_face(tmp_path, "odd", POINTS[:2])
    with pytest.raises(DataError, match=r"odd\.pts holds 2 points, most files .* hold 3"):
        read_custom_points(tmp_path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("n_points: 3\n", "cut short"),
        ("{\n1 2\n3 x\n}", "other than numbers"),
        ("{\n1 2\n3\n}", "holds 3 numbers"),
        ("{\n}", "holds 0 numbers"),
        ("{\n1 2\n-1 -1\n-1 -1\n}", "gives a position to 1 of 3 points"),
        ("{\n1 2\n3 4\ninf 6\n}", "infinite"),
    ],
)
def test_damaged_files_are_named(tmp_path: Path, content: str, message: str) -> None:
    for name in ("a", "b"):
        write_face(tmp_path, name, POINTS)
    (tmp_path / "b.pts").write_text(content)
    with pytest.raises(DataError, match=message) as caught:
        read_custom_points(tmp_path)
    assert "b.pts" in str(caught.value)


def test_missing_images_files_and_points_are_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no \.pts files"):
        read_custom_points(tmp_path)
    write_face(tmp_path, "a", np.array([[1, 1], [-1, -1], [5, 6]]))
    with pytest.raises(DataError, match="point 2 of 3"):
        read_custom_points(tmp_path)
    write_face(tmp_path, "a", POINTS)
    (tmp_path / "a.png").unlink()
    with pytest.raises(DataError, match="no photo beside"):
        read_custom_points(tmp_path)
