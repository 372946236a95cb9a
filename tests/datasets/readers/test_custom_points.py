"""Images with custom landmarks in .pts files."""

from pathlib import Path

import numpy as np
import pytest

from published_sets import write_custom_face
from rdrface.datasets.readers.custom_points import read_custom_points
from rdrface.errors import DataError

POINTS = np.array([[10.0, 12.5], [20.0, 12.0], [15.0, 30.0]])


def test_pixels_are_counted_from_one_and_absent_points_become_nan(tmp_path: Path) -> None:
    write_custom_face(tmp_path, "a", POINTS)
    write_custom_face(tmp_path, "b", np.array([[1, 1], [-1, -1], [5, 6]]))
    write_custom_face(tmp_path, "c", np.array([[1, 1], [2, 2], [np.nan, np.nan]]))
    records = read_custom_points(tmp_path)
    assert [Path(image).name for image in records.image] == ["a.png", "b.png", "c.png"]
    np.testing.assert_allclose(records.points[0], POINTS - 1)
    assert np.isnan(records.points[1, 1]).all() and np.isnan(records.points[2, 2]).all()
    np.testing.assert_allclose(records.points[1, 0], 0)
    np.testing.assert_allclose(read_custom_points(tmp_path, origin=0).points[0], POINTS)


def test_a_file_with_another_number_of_points_is_named(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_custom_face(tmp_path, name, POINTS)
    write_custom_face(tmp_path, "odd", POINTS[:2])
    with pytest.raises(DataError, match=r"odd\.pts has 2 points, but most files .* have 3"):
        read_custom_points(tmp_path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("n_points: 3\n", "not a complete"),
        ("{\n1 2\n3 x\n}", "must contain only numbers"),
        ("{\n1 2\n3\n}", "contains 3 numbers"),
        ("{\n}", "contains 0 numbers"),
        ("{\n1 2\n-1 -1\n-1 -1\n}", "has 1 of 3 points with a position"),
        ("{\n1 2\n3 4\ninf 6\n}", "infinite"),
        ("{\n7 2\n7 2\n-1 -1\n}", "all 2 points are at 7, 2; expected points at different places"),
    ],
)
def test_damaged_files_are_named(tmp_path: Path, content: str, message: str) -> None:
    for name in ("a", "b"):
        write_custom_face(tmp_path, name, POINTS)
    (tmp_path / "b.pts").write_text(content)
    with pytest.raises(DataError, match=message) as caught:
        read_custom_points(tmp_path)
    assert "b.pts" in str(caught.value)


def test_missing_images_files_and_points_are_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no \.pts files"):
        read_custom_points(tmp_path)
    write_custom_face(tmp_path, "a", np.array([[1, 1], [-1, -1], [5, 6]]))
    with pytest.raises(DataError, match="point 2 of 3"):
        read_custom_points(tmp_path)
    write_custom_face(tmp_path, "a", POINTS)
    (tmp_path / "a.png").unlink()
    with pytest.raises(DataError, match="1 of 1 images are missing"):
        read_custom_points(tmp_path)
