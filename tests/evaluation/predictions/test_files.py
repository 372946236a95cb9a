"""Reading and writing files of predictions in all formats."""

import json

import numpy as np
import pytest

from rdrface.errors import DataError
from rdrface.evaluation.predictions.files import PredictionFile, read_prediction_file, write_prediction_file

POINTS = [[1.5, 2.0], [3.0, 4.25], [5.0, 6.0]]


def entries(count=2):
    rng = np.random.default_rng(0)
    return PredictionFile(
        image=tuple(f"a/{i}.jpg" for i in range(count)),
        landmarks=rng.uniform(0, 100, (count, 5, 2)).round(4),
        face=np.array([3, -1]),
        box=np.array([[1, 2, 3, 4], [np.nan] * 4]),
        milliseconds=np.array([12.5, np.nan]),
        angles=np.array([[1, 2, 3], [np.nan] * 3]),
        method="synthetic",
        megabytes=1.5,
    )


@pytest.mark.parametrize("suffix", [".json", ".csv", ".npz"])
def test_written_files_are_read_back_unchanged(tmp_path, suffix):
    path = tmp_path / f"p{suffix}"
    write_prediction_file(path, entries())
    back = read_prediction_file(path)
    assert back.image == entries().image
    for name in ("landmarks", "face", "box", "milliseconds", "angles"):
        np.testing.assert_allclose(getattr(back, name), getattr(entries(), name), atol=1e-9)
    if suffix != ".csv":
        assert back.method == "synthetic" and back.megabytes == 1.5


def test_files_of_release_0_1_are_read(tmp_path):
    """The keys that release 0.1 wrote and documented; other programs write them too."""
    (tmp_path / "a.json").write_text(
        '{"method": "synthetic", "megabytes": 1.5, "faces": [{"image": "a.jpg", "landmarks": [[1, 2], [3, 4]], '
        '"face": 3, "box": [1, 2, 3, 4], "milliseconds": 12.5, "pitch": 1, "yaw": 2, "roll": 3}]}'
    )
    (tmp_path / "a.csv").write_text(
        "image,x0,y0,x1,y1,face,box_x0,box_y0,box_x1,box_y1,milliseconds,pitch,yaw,roll\n"
        "a.jpg,1,2,3,4,3,1,2,3,4,12.5,1,2,3\n"
    )
    np.savez(
        tmp_path / "a.npz",
        image=np.array(["a.jpg"]),
        landmarks=np.array([[[1, 2], [3, 4]]]),
        face=np.array([3]),
        box=np.array([[1, 2, 3, 4]]),
        milliseconds=np.array([12.5]),
        angles=np.array([[1, 2, 3]]),
        method=np.array("synthetic"),
        megabytes=np.array(1.5),
    )
    for name in ("a.json", "a.csv", "a.npz"):
        file = read_prediction_file(tmp_path / name)
        assert file.image == ("a.jpg",) and file.landmarks.tolist() == [[[1, 2], [3, 4]]]
        assert file.face.tolist() == [3] and file.box.tolist() == [[1, 2, 3, 4]]
        assert file.milliseconds.tolist() == [12.5] and file.angles.tolist() == [[1, 2, 3]]
        if name != "a.csv":
            assert (file.method, file.megabytes) == ("synthetic", 1.5)


def test_json_of_names_and_points(tmp_path):
    path = tmp_path / "p.json"
    path.write_text(json.dumps({"x.jpg": POINTS, "y.jpg": POINTS}))
    back = read_prediction_file(path)
    assert back.image == ("x.jpg", "y.jpg") and back.landmarks.shape == (2, 3, 2)
    assert (back.face == -1).all() and np.isnan(back.box).all()


@pytest.mark.parametrize("separator", [" ", "\t", ","])
def test_text_of_names_and_coordinates(tmp_path, separator):
    path = tmp_path / "p.txt"
    numbers = separator.join(str(v) for point in POINTS for v in point)
    path.write_text(f"# a comment\nx.jpg{separator}{numbers}\n\ny.jpg{separator}{numbers}\n")
    np.testing.assert_array_equal(read_prediction_file(path).landmarks, [POINTS, POINTS])


def test_csv_columns_can_be_in_any_order(tmp_path):
    path = tmp_path / "p.csv"
    path.write_text("yaw,x1,y1,image,x0,y0,pitch,roll\n10,3,4,x.jpg,1,2,0,0\n,30,40,y.jpg,10,20,,\n")
    back = read_prediction_file(path)
    np.testing.assert_array_equal(back.landmarks, [[[1, 2], [3, 4]], [[10, 20], [30, 40]]])
    assert back.angles[0, 1] == 10 and np.isnan(back.angles[1]).all()


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("p.json", "[1]", "must be an object"),
        ("p.json", "{", "not a file of predictions"),
        ("p.json", '{"faces": [{"image": "x.jpg"}]}', "'image' and 'landmarks'"),
        ("p.json", '{"x.jpg": [[1, 2]], "y.jpg": [[1, 2], [3, 4]]}', "entry 1 has 2 points"),
        ("p.json", '{"faces": [{"image": "x", "landmarks": [[1, 2]], "box": [1, 2]}]}', "box of entry 0"),
        ("p.csv", "image,x0,y0,x2,y2\na,1,2,3,4\n", "without gaps"),
        ("p.csv", "image,x0,y0\na,1\n", "line 2 has 2 values"),
        ("p.csv", "image,x0,y0\na,1,b\n", "could not convert"),
        ("p.txt", "", "empty"),
        ("p.txt", "a.jpg 1 2 3\n", "pairs of numbers"),
        ("p.npz", "no zip", "not a file of predictions"),
    ],
)
def test_errors_name_the_file_and_the_problem(tmp_path, name, content, message):
    path = tmp_path / name
    path.write_text(content)
    with pytest.raises(DataError, match=message) as error:
        read_prediction_file(path)
    assert name in str(error.value)


def test_missing_files_and_unknown_suffixes_are_rejected(tmp_path):
    with pytest.raises(DataError, match="cannot read"):
        read_prediction_file(tmp_path / "none.json")
    with pytest.raises(DataError, match=r"\.json, \.npz, \.csv"):
        write_prediction_file(tmp_path / "p.xls", entries())
    with pytest.raises(DataError, match="cannot write"):
        write_prediction_file(tmp_path / "none" / "p.json", entries())
