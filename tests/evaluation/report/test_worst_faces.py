"""Sheet of the worst faces: which faces it shows, in which order, and with which points."""

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
    """A different gray for every face, so that its cell can be recognized."""
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
        source=np.full(count, "synthetic"),
        is_test=np.ones(count, bool),
        open_image=photo,
    )


def drawn(path: Path) -> np.ndarray:
    return cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB)


def cell(sheet: np.ndarray, i: int) -> np.ndarray:
    row, column = divmod(i, COLUMNS)
    return sheet[_HEADING + row * CELL :, column * CELL :][:CELL, :CELL]


def shown_face(sheet: np.ndarray, i: int) -> int:
    """Number of the face in cell i, from the gray of a patch without points."""
    return round(float(np.median(cell(sheet, i)[-40:-20, 20:40])) / 20)


def test_faces_not_found_come_first_then_faces_by_decreasing_error(tmp_path: Path) -> None:
    faces = annotated(["1", "2", "broken", "4", "5", "6"])
    predictions = Predictions({"landmarks": faces.points.copy()})
    predictions.landmarks[3] = np.nan
    errors = np.array([1.0, 5.0, 9.0, np.nan, 3.0, np.nan])
    sheet = drawn(draw_worst(faces, predictions, errors, tmp_path / "w.jpg", "synthetic"))
    assert sheet.shape == (_HEADING + CELL, COLUMNS * CELL, 3)
    assert [shown_face(sheet, i) for i in range(4)] == [4, 2, 5, 1]
    assert (cell(sheet, 4) > 240).all(), "no fifth face: one image is broken, one face has no error"
    frame = cell(sheet, 0)[-3, 100:200].mean(0) - cell(sheet, 1)[-3, 100:200].mean(0)
    assert frame[0] > 100 > frame[2] + 60, "only the face not found has a frame"


def test_points_are_drawn_at_their_positions(tmp_path: Path) -> None:
    faces = annotated(["2"], points=1)
    predictions = Predictions({"landmarks": faces.points + np.array([20.0, 10.0])})
    one = cell(drawn(draw_worst(faces, predictions, np.array([40.0]), tmp_path / "w.jpg", "synthetic")), 0)
    # The crop covers 80 pixels around (50, 50); pixel 0 of the cell is at its edge.
    for position, color in (((35, 40), ANNOTATED), ((55, 50), PREDICTED)):
        x, y = ((np.array(position) - 10) * CELL / 80).round().astype(int)
        around = one[y - 3 : y + 4, x - 3 : x + 4].reshape(-1, 3).astype(int)
        assert np.abs(around - color).sum(1).min() < 90
    middle = one[int(35 * CELL / 80) - 2 :, int(35 * CELL / 80) - 2 :][:5, :5]
    assert middle.max() > 150, "a line connects them"


def test_faces_not_found_take_at_most_half_of_the_sheet(tmp_path: Path) -> None:
    faces = annotated([str(i % 12) for i in range(30)])
    predictions = Predictions({"landmarks": faces.points.copy()})
    predictions.landmarks[:20] = np.nan
    errors = np.where(np.arange(30) < 20, np.nan, np.arange(30.0))
    sheet = drawn(draw_worst(faces, predictions, errors, tmp_path / "w.jpg", "synthetic", faces=6))
    assert [shown_face(sheet, i) for i in range(6)] == [0, 1, 2, 5, 4, 3]
    assert sheet.shape[0] == _HEADING + CELL


def test_no_sheet_is_written_without_a_face_to_show(tmp_path: Path) -> None:
    faces = annotated(["broken", "1"])
    predictions = Predictions({"landmarks": faces.points})
    assert draw_worst(faces, predictions, np.array([3.0, np.nan]), tmp_path / "w.jpg", "synthetic") is None
    assert not (tmp_path / "w.jpg").exists()


def test_sets_without_points_show_the_images(tmp_path: Path) -> None:
    faces = annotated(["1", "2"], points=0)
    predictions = Predictions({"landmarks": faces.points}, rotation=np.array([np.eye(3), np.full((3, 3), np.nan)]))
    sheet = drawn(draw_worst(faces, predictions, np.array([4.0, np.nan]), tmp_path / "w.jpg", "synthetic", "degrees"))
    assert [shown_face(sheet, 0), shown_face(sheet, 1)] == [2, 1]


@pytest.mark.parametrize("far", [1e3, 1e7, np.inf])
def test_distant_predictions_and_long_names_are_drawn(tmp_path: Path, far: float) -> None:
    faces = replace(
        annotated(["3"]), image=np.array(["a/folder/" + 60 * "x" + ".jpg"]), open_image=lambda image: photo("3")
    )
    predictions = Predictions({"landmarks": faces.points + np.array([[far, 0], [0, 0]])})
    for stem in ("a", "b"):
        draw_worst(faces, predictions, np.array([99.0]), tmp_path / f"{stem}.jpg", "synthetic")
    assert shown_face(drawn(tmp_path / "a.jpg"), 0) == 3
    assert (tmp_path / "a.jpg").read_bytes() == (tmp_path / "b.jpg").read_bytes()
