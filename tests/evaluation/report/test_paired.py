"""Paired comparison of two reports."""

import json

import pytest

from rdrface.errors import DataError
from rdrface.evaluation.report.paired import paired_table, read_report


def report(errors, sizes=None):
    sizes = sizes or [100.0] * len(errors)
    faces = [
        {"image": f"{i}.jpg", "size": size, "errors": {"landmarks": error}}
        for i, (error, size) in enumerate(zip(errors, sizes, strict=True))
    ]
    return {"faces": faces}


def test_a_constant_difference_has_no_standard_error():
    table = paired_table(report([1.0, 2, 9]), report([0.5, 1.5, 8.5]), ("first", "second"))
    assert table.rows[0].cells == pytest.approx((4.0, 3.5, -0.5, 0.0, -12.5, 3))


def test_large_faces_have_a_row_and_faces_without_an_error_are_left_out():
    first = report([1.0, 2, None], [100.0, 130, 200])
    table = paired_table(first, report([2.0, 4, 5], [100.0, 130, 200]), ("first", "second"))
    everyone, large = table.rows
    assert everyone.cells[-1] == 2 and everyone.cells[2] == pytest.approx(1.5)
    assert large.name == "landmarks, large faces" and large.cells[2] == pytest.approx(2) and large.cells[-1] == 1


def test_reports_on_other_faces_are_refused(tmp_path):
    with pytest.raises(DataError, match="2 and 3 faces"):
        paired_table(report([1.0, 2]), report([1.0, 2, 3]), ("first", "second"))
    (tmp_path / "a.json").write_text(json.dumps({"faces": [{"image": "a"}]}))
    with pytest.raises(DataError, match="no faces with"):
        read_report(tmp_path / "a.json")
    (tmp_path / "b.json").write_text("[]")
    with pytest.raises(DataError, match="not a report"):
        read_report(tmp_path / "b.json")
