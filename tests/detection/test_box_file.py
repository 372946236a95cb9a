"""Box files and the check of boxes."""

import json

import numpy as np
import pytest

from rdrface.detection.box_file import BoxFile, check_boxes
from rdrface.errors import DataError


def test_json_and_csv_give_the_same_boxes(tmp_path):
    content = {"a.jpg": [[1, 2, 3, 4.5], [5, 6, 7, 8]], "deep/b.png": [[0, 0, 9, 9]]}
    (tmp_path / "boxes.json").write_text(json.dumps(content))
    lines = [f"{name},{','.join(map(str, box))}" for name, boxes in content.items() for box in boxes]
    (tmp_path / "boxes.csv").write_text("image,x0,y0,x1,y1\n" + "\n".join(lines) + "\n")
    for name in ("boxes.json", "boxes.csv"):
        boxes = BoxFile.read(tmp_path / name)
        np.testing.assert_array_equal(boxes.of("a.jpg"), content["a.jpg"])
        np.testing.assert_array_equal(boxes.of("somewhere/a.jpg"), content["a.jpg"])
        np.testing.assert_array_equal(boxes.of("deep/b.png"), content["deep/b.png"])
        assert boxes.of("b.png") is None
        assert boxes.of("c.png") is None


def test_csv_of_release_0_1_is_read(tmp_path):
    (tmp_path / "boxes.csv").write_text("photo,x0,y0,x1,y1\na.jpg,1,2,3,4\n")
    np.testing.assert_array_equal(BoxFile.read(tmp_path / "boxes.csv").of("a.jpg"), [[1, 2, 3, 4]])


def test_csv_without_a_column_of_images_is_refused(tmp_path):
    (tmp_path / "boxes.csv").write_text("file,x0,y0,x1,y1\na.jpg,1,2,3,4\n")
    with pytest.raises(DataError, match=r"missing columns: image.*columns image,x0,y0,x1,y1"):
        BoxFile.read(tmp_path / "boxes.csv")


def test_an_image_may_have_no_faces(tmp_path):
    (tmp_path / "boxes.json").write_text('{"a.jpg": []}')
    assert BoxFile.read(tmp_path / "boxes.json").of("a.jpg").shape == (0, 4)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("b.json", "not json"),
        ("b.json", "[1, 2]"),
        ("b.json", '{"a.jpg": [[1, 2, 3]]}'),
        ("b.json", '{"a.jpg": [[3, 3, 1, 1]]}'),
        ("b.csv", "image,x,y,w,h\na.jpg,1,2,3,4\n"),
        ("b.csv", "image,x0,y0,x1,y1\na.jpg,1,2,three,4\n"),
        ("b.csv", "image,x0,y0,x1,y1\na.jpg,1,2\n"),
        ("b.csv", ""),
    ],
)
def test_invalid_files_are_refused(tmp_path, name, text):
    (tmp_path / name).write_text(text)
    with pytest.raises(DataError, match="not a box file"):
        BoxFile.read(tmp_path / name)


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(DataError, match="no box file at"):
        BoxFile.read(tmp_path / "none.csv")


def test_boxes_are_converted_and_invalid_ones_are_refused():
    assert check_boxes([]).shape == (0, 4)
    assert check_boxes([[1, 2, 3, 4]]).dtype == np.float64
    with pytest.raises(ValueError, match="single box"):
        check_boxes([1, 2, 3, 4])
    with pytest.raises(ValueError, match="shape"):
        check_boxes(np.zeros((2, 5)))
    with pytest.raises(ValueError, match="xyxy"):
        check_boxes([[10, 10, 5, 20]])
