import json

import numpy as np
import pytest

from rdrface.errors import DataError
from rdrface.evaluation.predictions.files import PredictedFaces, read_prediction_file, write_prediction_file

POINTS = [[1.5, 2.0], [3.0, 4.25], [5.0, 6.0]]


def faces(count=2):
    rng = np.random.default_rng(0)
    return PredictedFaces(
        image=tuple(f"a/{i}.jpg" for i in range(count)),
        landmarks=rng.uniform(0, 100, (count, 5, 2)).round(4),
        face=np.array([3, -1]),
        box=np.array([[1, 2, 3, 4], [np.nan] * 4]),
        milliseconds=np.array([12.5, np.nan]),
        angles=np.array([[1, 2, 3], [np.nan] * 3]),
        method="made",
        megabytes=1.5,
    )


@pytest.mark.parametrize("suffix", [".json", ".csv", ".npz"])
def test_what_is_written_is_read(tmp_path, suffix):
    path = tmp_path / f"p{suffix}"
    write_prediction_file(path, faces())
    back = read_prediction_file(path)
    assert back.image == faces().image
    for name in ("landmarks", "face", "box", "milliseconds", "angles"):
        np.testing.assert_allclose(getattr(back, name), getattr(faces(), name), atol=1e-9)
    if suffix != ".csv":
        assert back.method == "made" and back.megabytes == 1.5


def test_plain_json(tmp_path):
    path = tmp_path / "p.json"
    path.write_text(json.dumps({"x.jpg": POINTS, "y.jpg": POINTS}))
    back = read_prediction_file(path)
    assert back.image == ("x.jpg", "y.jpg") and back.landmarks.shape == (2, 3, 2)
    assert (back.face == -1).all() and np.isnan(back.box).all()


@pytest.mark.parametrize("separator", [" ", "\t", ","])
def test_plain_text(tmp_path, separator):
    path = tmp_path / "p.txt"
    numbers = separator.join(str(v) for point in POINTS for v in point)
    path.write_text(f"# a comment\nx.jpg{separator}{numbers}\n\ny.jpg{separator}{numbers}\n")
    np.testing.assert_array_equal(read_prediction_file(path).landmarks, [POINTS, POINTS])


def test_csv_columns_may_stand_in_any_order(tmp_path):
    path = tmp_path / "p.csv"
    path.write_text("yaw,x1,y1,image,x0,y0,pitch,roll\n10,3,4,x.jpg,1,2,0,0\n,30,40,y.jpg,10,20,,\n")
    back = read_prediction_file(path)
    np.testing.assert_array_equal(back.landmarks, [[[1, 2], [3, 4]], [[10, 20], [30, 40]]])
    assert back.angles[0, 1] == 10 and np.isnan(back.angles[1]).all()


@pytest.mark.parametrize(
    ("name", "content", "complaint"),
    [
        ("p.json", "[1]", "not an object"),
        ("p.json", "{", "not a file of predictions"),
        ("p.json", '{"faces": [{"image": "x.jpg"}]}', "'image' and 'landmarks'"),
        ("p.json", '{"x.jpg": [[1, 2]], "y.jpg": [[1, 2], [3, 4]]}', "entry 1 has 2 points"),
        ("p.json", '{"faces": [{"image": "x", "landmarks": [[1, 2]], "box": [1, 2]}]}', "box of entry 0"),
        ("p.csv", "image,x0,y0,x2,y2\na,1,2,3,4\n", "without a gap"),
        ("p.csv", "image,x0,y0\na,1\n", "line 2 has 2 values"),
        ("p.csv", "image,x0,y0\na,1,b\n", "could not convert"),
        ("p.txt", "", "empty"),
        ("p.txt", "a.jpg 1 2 3\n", "pairs of numbers"),
        ("p.npz", "no zip", "not a file of predictions"),
    ],
)
def test_bad_files_are_named(tmp_path, name, content, complaint):
    path = tmp_path / name
    path.write_text(content)
    with pytest.raises(DataError, match=complaint) as error:
        read_prediction_file(path)
    assert name in str(error.value)


def test_missing_files_and_other_suffixes(tmp_path):
    with pytest.raises(DataError, match="cannot be read"):
        read_prediction_file(tmp_path / "none.json")
    with pytest.raises(DataError, match=r"\.json, \.npz, \.csv"):
        write_prediction_file(tmp_path / "p.xls", faces())
    with pytest.raises(DataError, match="cannot write"):
        write_prediction_file(tmp_path / "none" / "p.json", faces())
