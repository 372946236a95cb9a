"""Box files."""

import json

import numpy as np
import pytest

from rdrface.detection.box_file import BoxFile
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


def test_the_csv_output_of_rdrface_is_read_by_its_columns_of_boxes(tmp_path):
    """There, x0, y0, x1 and y1 are landmarks."""
    header = "image,face,box_x0,box_y0,box_x1,box_y1,x0,y0,x1,y1,x2,y2"
    for name, status in (("photo", ""), ("image", ",status")):
        rows = ["a.jpg,0,10,20,30,40,1,2,3,4,5,6", "a.jpg,1,50,60,70,80,1,2,3,4,5,6"]
        if status:
            rows = [f"{row},face" for row in rows]
            rows += ["b.jpg" + "," * 12 + "no face", "c.jpg" + "," * 12 + "failed"]
        (tmp_path / "faces.csv").write_text("\n".join([header.replace("image", name) + status, *rows]))
        boxes = BoxFile.read(tmp_path / "faces.csv")
        np.testing.assert_array_equal(boxes.of("a.jpg"), [[10, 20, 30, 40], [50, 60, 70, 80]])
        assert boxes.of("c.jpg") is None
    assert boxes.of("b.jpg").shape == (0, 4)


def test_landmarks_are_not_read_as_boxes(tmp_path):
    (tmp_path / "points.csv").write_text("image,x0,y0,x1,y1,x2,y2\na.jpg,1,2,31,42,5,6\n")
    with pytest.raises(DataError, match="are landmarks here"):
        BoxFile.read(tmp_path / "points.csv")


def test_the_json_output_of_rdrface_is_read(tmp_path):
    faces = [{"box": [1, 2, 30, 40], "score": 1}]
    for name, content in (
        ("all", {"rdrface": "0.2", "images": [{"image": "a.jpg", "faces": faces}, {"image": "b.jpg", "faces": []}]}),
        ("release_0_1", {"rdrface": "0.1", "photos": [{"photo": "a.jpg", "faces": faces}]}),
        ("one", {"rdrface": "0.2", "image": "a.jpg", "faces": faces}),
    ):
        (tmp_path / f"{name}.json").write_text(json.dumps(content))
        np.testing.assert_array_equal(BoxFile.read(tmp_path / f"{name}.json").of("a.jpg"), [[1, 2, 30, 40]])


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        ("b.json", '{"a.jpg": [[1, 2, 30, 40]], "a.jpg": []}', "a.jpg has two entries"),
        ("b.json", '{"a.jpg": [[1, 2, 30, 40]], "./a.jpg": []}', "a.jpg has two entries"),
        ("b.json", '{"rdrface": "0.2", "images": [{"faces": []}]}', "no 'image' or no 'faces'"),
        ("b.json", '{"a.jpg": [[0.2, 0.3, 0.5, 0.9]]}', "multiply them by its width and height"),
        ("b.json", '{"a.jpg": [[1, 2, 30, 40]]', "no valid JSON at line 1, column"),
        ("b.json", "[" * 200_000, "nested too deeply"),
        ("b.json", "[1, 2]", "the file contains a list, not an object"),
        ("b.json", '{"a.jpg": null}', "a.jpg: boxes must be numbers"),
        ("b.json", '{"a.jpg": {"box": [1, 2, 30, 40]}}', "a.jpg: boxes must be numbers"),
        ("b.json", '{"a.jpg": [[1, 2], [1, 2, 30, 40]]}', "a.jpg: .*got rows of different lengths"),
        ("b.json", '{"rdrface": "0.2", "images": 5}', "'images' is a number, not a list"),
        ("b.json", '{"rdrface": "0.2", "images": [5]}', "entry 1 of 'images' is a number, not an object"),
        ("b.json", '{"rdrface": "0.2", "images": [{"image": 5, "faces": []}]}', "no 'image' or no 'faces'"),
        ("b.json", '{"rdrface": "0.2", "images": [{"image": "a.jpg", "faces": 5}]}', "no 'image' or no 'faces'"),
        ("b.json", '{"rdrface": "0.2", "images": [{"image": "a.jpg", "faces": [5]}]}', "a face of a.jpg has no 'box'"),
        ("b.json", '{"rdrface": "0.2", "images": [{"image": "a.jpg", "faces": [{}]}]}', "a.jpg has no 'box'"),
        (
            "b.json",
            '{"rdrface": "0.2", "images": [{"image": "a", "faces": []}, {"image": "a", "faces": []}]}',
            "a has two",
        ),
        ("b.csv", "image,x0,y0,x1,y1\na.jpg,,2,30,40\n", "line 2 has no number in x0"),
        ("b.csv", "image,x0,y0,x1,y1\na.jpg,1,2,30,40\na.jpg,1,2,30,forty\n", "line 3 has no number in y1"),
        ("b.csv", "image,x0,y0,x1,y1\na.jpg,1,nan,30,40\n", "line 2 has no number in y0"),
        ("b.csv", "image,x0,y0,x1,y1\na.jpg,1,2\n", "line 2 has fewer cells than the header"),
        ("b.csv", "image,x0,y0,x1,y1,status\na.jpg,1,2,30,40\n", "line 2 has fewer cells"),
        ("b.csv", "image,x0,y0,x1,y1\n,1,2,30,40\n", "line 2 has no name in image"),
        ("b.csv", "image,x0,y0,x1,y1\nme, you.jpg,1,2,30,40\n", "line 2 has more cells"),
        ("b.csv", "image,x0,y0,x1,y1\na.jpg,400,300,90,90\n", "pass x, y"),
    ],
)
def test_the_reason_is_named(tmp_path, name, text, reason):
    (tmp_path / name).write_text(text)
    with pytest.raises(DataError, match=f"{name} is not a box file: .*{reason}"):
        BoxFile.read(tmp_path / name)


def test_cells_of_other_columns_may_be_missing(tmp_path):
    (tmp_path / "b.csv").write_text("image,x0,y0,x1,y1,comment\na.jpg,1,2,30,40\n")
    np.testing.assert_array_equal(BoxFile.read(tmp_path / "b.csv").of("a.jpg"), [[1, 2, 30, 40]])


def test_an_entry_belongs_to_one_image():
    boxes = BoxFile({"a.jpg": [[1, 2, 30, 40]], "q/b.jpg": [], "c.jpg": []})
    assert boxes.check_images(["p/a.jpg", "q/b.jpg", "r/b.jpg"]) == ["c.jpg"]
    with pytest.raises(DataError, match=r"one entry, a\.jpg, for the images p/a\.jpg and q/a\.jpg"):
        boxes.check_images(["p/a.jpg", "q/a.jpg"])


def test_an_entry_belongs_to_the_same_file_under_any_path(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for entry in (str(tmp_path / "p" / "a.jpg"), "p/a.jpg", "p/../p/a.jpg"):
        boxes = BoxFile({entry: [[1, 2, 30, 40]], "b.jpg": []})
        for image in ("p/a.jpg", "./p/a.jpg", str(tmp_path / "p" / "a.jpg"), "q/../p/a.jpg"):
            assert boxes.of(image) is not None and boxes.check_images([image]) == ["b.jpg"]
        assert boxes.of("q/a.jpg") is None


def test_spaces_after_commas_are_accepted(tmp_path):
    (tmp_path / "b.csv").write_text(
        'image, x0, y0, x1, y1 , status\na b.jpg, 1, 2, 30, 40, face\n"c, d.jpg",,,,, no face\n'
    )
    boxes = BoxFile.read(tmp_path / "b.csv")
    np.testing.assert_array_equal(boxes.of("a b.jpg"), [[1, 2, 30, 40]])
    assert boxes.of("c, d.jpg").shape == (0, 4)


@pytest.mark.parametrize(("separator", "name"), [(";", "semicolons"), ("\t", "tabs")])
def test_other_separators_are_named(tmp_path, separator, name):
    text = "image,x0,y0,x1,y1\na.jpg,1,2,30,40\n".replace(",", separator)
    (tmp_path / "b.csv").write_text(text)
    with pytest.raises(DataError, match=f"its columns are separated by {name}; save it with commas"):
        BoxFile.read(tmp_path / "b.csv")


def test_no_status_is_ignored(tmp_path):
    (tmp_path / "b.csv").write_text("image,x0,y0,x1,y1,status\na.jpg,1,2,30,40,\nb.jpg,,,,,failed\n")
    boxes = BoxFile.read(tmp_path / "b.csv")
    np.testing.assert_array_equal(boxes.of("a.jpg"), [[1, 2, 30, 40]])
    assert boxes.of("b.jpg") is None
    (tmp_path / "b.csv").write_text("image,x0,y0,x1,y1,status\na.jpg,1,2,30,40,good\n")
    with pytest.raises(DataError, match="line 2 has the unknown status good; expected face or no face"):
        BoxFile.read(tmp_path / "b.csv")
