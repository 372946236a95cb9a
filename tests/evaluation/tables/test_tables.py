"""Tables as text and as JSON."""

import json

import pytest

from rdrface.evaluation.tables.tables import Row, Table


def table():
    rows = (Row("theirs", (None, 5.36, 200), quoted="A paper"), Row("ours, long name", (1.0, float("nan"), 7)))
    return Table("Title", ("[0,30]", "mean", "faces"), rows, ("a note",))


def test_text_has_aligned_columns_sources_and_notes():
    assert table().to_text().splitlines() == [
        "Title",
        "------------------------------------",
        "                 [0,30]  mean  faces",
        "------------------------------------",
        "theirs [1]            -  5.36    200",
        "ours, long name    1.00     -      7",
        "------------------------------------",
        "[1] quoted, not measured here: A paper",
        "a note",
    ]


def test_dict_is_valid_json_without_nan():
    content = json.loads(json.dumps(table().to_dict(), allow_nan=False))
    assert content["rows"][0] == {"name": "theirs", "quoted": "A paper", "[0,30]": None, "mean": 5.36, "faces": 200}
    assert content["rows"][1]["quoted"] is None and content["rows"][1]["mean"] is None


def test_a_row_with_the_wrong_number_of_cells_raises():
    with pytest.raises(ValueError, match="'x' has 1 cells for 2 columns"):
        Table("t", ("a", "b"), (Row("x", (1.0,)),))
