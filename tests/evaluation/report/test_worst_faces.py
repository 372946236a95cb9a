"""The sheet of the worst faces: who is on it, in which order, and what is drawn there."""

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from rdrface.datasets.records import FaceRecords
from rdrface.errors import ImageError
from rdrface.evaluation.predictions.predictions import Predictions
from rdrface.evaluation.report.worst_faces import _HEADING, ANNOTATED, CELL, COLUMNS, PREDICTED, draw_worst


def photo(image: str) -> np.ndarray:
    """Gray of its own for every face, so that a cell tells who is in it."""
    if image == "broken":
        raise ImageError("cut short")
    return np.full((100, 100, 3), 20 * int(image), np.uint8)


def annotated(images: list[str], points: int = 2) -> FaceRecords:
    count = len(images)
    return FaceRecords(
        image=np.array(images),
        points=np.tile(np.array([[35.0, 40.0], [65.0, 60.0]])[:points], (count, 1, 1)),
        state=np.ones((count, points)),
        box=np.tile([25, 25, 75, 75], (count, 1)),
        source=np.full(count, "made"),
        is_test=np.ones(count, bool),
        open_image=photo,
    )


def drawn(path: Path) -> np.ndarray:
    return cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB)


def cell(picture: np.ndarray, i: int) -> np.ndarray:
    row, column = divmod(i, COLUMNS)
    return picture[_HEADING + row * CELL :, column * CELL :][:CELL, :CELL]


def who(picture: np.ndarray, i: int) -> int:
    """By the gray of a patch without points."""
    return round(float(np.median(cell(picture, i)[-40:-20, 20:40])) / 20)


def test_not_found_first_then_by_falling_error(tmp_path: Path) -> None:
    faces = annotated(["1", "2", "broken", "4", "5", "6"])
    predictions = Predictions({"2D": faces.points.copy()})
    predictions.landmarks[3] = np.nan
    errors = np.array([1.0, 5.0, 9.0, np.nan, 3.0, np.nan])
    picture = drawn(draw_worst(faces, predictions, errors, tmp_path / "w.jpg", "made"))
    assert picture.shape == (_HEADING + CELL, COLUMNS * CELL, 3)
    assert [who(picture, i) for i in range(4)] == [4, 2, 5, 1]
    assert (cell(picture, 4) > 240).all(), "no fifth face: one photo is broken, one face has no error"
    frame = cell(picture, 0)[-3, 100:200].mean(0) - cell(picture, 1)[-3, 100:200].mean(0)
    assert frame[0] > 100 > frame[2] + 60, "only the face that was not found has a frame"


def test_points_lie_where_they_are(tmp_path: Path) -> None:
    faces = annotated(["2"], points=1)
    predictions = Predictions({"2D": faces.points + np.array([20.0, 10.0])})
    one = cell(drawn(draw_worst(faces, predictions, np.array([40.0]), tmp_path / "w.jpg", "made")), 0)
    # The crop is 80 pixels of the photo around (50, 50): pixel 0 of the cell is at the crop's edge.
    for place, color in (((35, 40), ANNOTATED), ((55, 50), PREDICTED)):
        x, y = ((np.array(place) - 10) * CELL / 80).round().astype(int)
        around = one[y - 3 : y + 4, x - 3 : x + 4].reshape(-1, 3).astype(int)
        assert np.abs(around - color).sum(1).min() < 90
    middle = one[int(35 * CELL / 80) - 2 :, int(35 * CELL / 80) - 2 :][:5, :5]
    assert middle.max() > 150, "a line joins them"


def test_missed_faces_leave_room_for_errors(tmp_path: Path) -> None:
    faces = annotated([str(i % 12) for i in range(30)])
    predictions = Predictions({"2D": faces.points.copy()})
    predictions.landmarks[:20] = np.nan
    errors = np.where(np.arange(30) < 20, np.nan, np.arange(30.0))
    picture = drawn(draw_worst(faces, predictions, errors, tmp_path / "w.jpg", "made", faces=6))
    assert [who(picture, i) for i in range(6)] == [0, 1, 2, 5, 4, 3]
    assert picture.shape[0] == _HEADING + CELL


def test_nobody_to_show(tmp_path: Path) -> None:
    faces = annotated(["broken", "1"])
    predictions = Predictions({"2D": faces.points})
    assert draw_worst(faces, predictions, np.array([3.0, np.nan]), tmp_path / "w.jpg", "made") is None
    assert not (tmp_path / "w.jpg").exists()


def test_sets_without_points_show_the_photos(tmp_path: Path) -> None:
    faces = annotated(["1", "2"], points=0)
    predictions = Predictions({"2D": faces.points}, rotation=np.array([np.eye(3), np.full((3, 3), np.nan)]))
    picture = drawn(draw_worst(faces, predictions, np.array([4.0, np.nan]), tmp_path / "w.jpg", "made", "degrees"))
    assert [who(picture, 0), who(picture, 1)] == [2, 1]


@pytest.mark.parametrize("far", [1e3, 1e7, np.inf])
def test_wild_predictions_and_long_names(tmp_path: Path, far: float) -> None:
    faces = replace(
        annotated(["3"]), image=np.array(["a/folder/" + 60 * "x" + ".jpg"]), open_image=lambda image: photo("3")
    )
    predictions = Predictions({"2D": faces.points + np.array([[far, 0], [0, 0]])})
    for stem in ("a", "b"):
        draw_worst(faces, predictions, np.array([99.0]), tmp_path / f"{stem}.jpg", "made")
    assert who(drawn(tmp_path / "a.jpg"), 0) == 3
    assert (tmp_path / "a.jpg").read_bytes() == (tmp_path / "b.jpg").read_bytes()
