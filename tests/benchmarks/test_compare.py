"""The comparison of rdrface with baselines: tables, CSV, reuse of recordings."""

import csv
import json
import os
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from rdrface.datasets.records import SELF_OCCLUDED, VISIBLE, FaceRecords
from rdrface.errors import DataError

BASELINES = Path(__file__).resolve().parents[2] / "benchmarks" / "baselines"

YAW = [0.0, 10.0, -50.0, 80.0, np.nan]


@pytest.fixture(autouse=True)
def import_path(monkeypatch) -> None:
    monkeypatch.syspath_prepend(str(BASELINES))


def annotations() -> FaceRecords:
    """Five faces of 100 x 100 pixels; in the third the contour is hidden."""
    points = np.random.default_rng(3).uniform(0, 100, (5, 68, 2))
    points[:, 20], points[:, 21] = (0, 0), (100, 100)
    state = np.full((5, 68), VISIBLE)
    state[2, :17], points[2, :17] = SELF_OCCLUDED, np.nan
    count = len(points)
    angles = np.zeros((count, 3))
    angles[:, 1] = YAW
    return FaceRecords(
        image=np.array([f"set/{i}.jpg" for i in range(count)]),
        points=points,
        state=state,
        box=np.tile([0.0, 0, 100, 100], (count, 1)),
        source=np.full(count, "set"),
        is_test=np.ones(count, bool),
        angles=angles,
    )


def recording(path: Path, name: str, offsets: dict[int, float]) -> Path:
    """Write predictions of the faces in `offsets`: that many pixels below the truth, twice as many for the contour."""
    truth = np.nan_to_num(annotations().points)
    faces = []
    for face, pixels in offsets.items():
        points = truth[face] + [0, pixels]
        points[:17, 1] += pixels
        costs = {"milliseconds": 10.0 * (face + 1), "processor_milliseconds": 2.0}
        faces.append({"image": f"{face}.jpg", "face": face, "landmarks": points.tolist(), **costs})
    path.write_text(json.dumps({"method": name, "megabytes": 7.5, "installed_megabytes": 90.0, "faces": faces}))
    return path


@pytest.fixture
def results(tmp_path):
    from comparison import Result

    faces = annotations()
    good = recording(tmp_path / "a.json", "good", {0: 1, 1: 3, 2: 4, 3: 6, 4: 1})
    poor = recording(tmp_path / "b.json", "poor", {0: 2, 2: 11})
    return [Result.read(good, faces), Result.read(poor, faces), Result("absent", reason="no weights")]


def table_of(results, *words: str):
    from comparison import accuracy_tables

    tables = [comparison.table for comparison in accuracy_tables(annotations(), results, "Set")]
    (table,) = [table for table in tables if all(word in table.title for word in words)]
    return {row.name: row.cells for row in table.rows}, table


def test_errors_are_averaged_over_the_found_faces_of_each_bin(results) -> None:
    rows, _ = table_of(results, "visible inner points", "found by each method")
    assert rows["good"][:5] == pytest.approx((2, 4, 6, 4, 3))
    # The poor method found two faces: the empty bin and the mean of the bins are NaN.
    assert rows["poor"][:2] == pytest.approx((2, 11)) and np.isnan(rows["poor"][2:4]).all()
    assert rows["poor"][4] == pytest.approx(6.5)


def test_common_faces_are_found_by_all_methods(results) -> None:
    rows, _ = table_of(results, "visible inner points", "found by all methods")
    assert rows["good"][:2] == pytest.approx((1, 4)) and rows["poor"][:2] == pytest.approx((2, 11))
    assert rows["faces"] == (1, 1, 0, None, 2, 2)


def test_hidden_points_are_not_counted(results) -> None:
    rows, _ = table_of(results, "all visible points", "found by each method")
    # First bin: 51 points are off by 2 and 17 by 4 on average. Second bin: the contour is hidden.
    assert rows["good"][0] == pytest.approx((51 * 2 + 17 * 4) / 68) and rows["good"][1] == pytest.approx(4)


def test_faces_that_were_not_found_are_failures(results) -> None:
    rows, _ = table_of(results, "visible inner points", "failures")
    assert rows["good"] == pytest.approx((0, 0, 0, 0))
    assert rows["poor"] == pytest.approx((50, 100, 100, 80))
    missed, _ = table_of(results, "faces not found")
    assert missed["poor"] == pytest.approx((50, 0, 100, 60))
    assert missed["faces"] == (2, 1, 1, 5)


def test_the_offset_is_removed_in_one_column_only(results, tmp_path) -> None:
    from comparison import Result

    constant = Result.read(recording(tmp_path / "c.json", "constant", dict.fromkeys(range(5), 5.0)), annotations())
    rows, _ = table_of([constant], "visible inner points", "found by each method")
    assert rows["constant"][4] == pytest.approx(5) and rows["constant"][5] == pytest.approx(0, abs=1e-9)


def test_an_unmeasured_method_has_a_note_with_the_reason(results) -> None:
    rows, table = table_of(results, "faces not found")
    assert rows["absent"] == (None,) * 4
    assert "absent: not measured: no weights" in table.to_text()


def test_costs_are_medians_of_the_recording(results) -> None:
    from comparison import cost_table

    rows = {row.name: row.cells for row in cost_table(results, "Set").table.rows}
    assert rows["good"] == (30.0, 2.0, None, 7.5, 90.0) and rows["absent"] == (None,) * 5


def test_the_best_is_marked_and_columns_behind_are_listed(results) -> None:
    from comparison import columns_behind, marked

    _, table = table_of(results, "visible inner points", "found by each method")
    assert marked(table).rows[0].cells[0] == "2.00*" and marked(table).rows[1].cells[0] == "2.00*"
    assert marked(table).rows[1].cells[1] == "11.00"
    assert marked(table).rows[0].cells[1] == "4.00*"
    assert columns_behind(table, "good") == []
    lines = columns_behind(table, "poor")
    assert [line.split("; ")[1] for line in lines if "(30,60]" in line] == ["(30,60]: good 4.00, poor 11.00"]


def test_annotations_without_angles_are_rejected(results) -> None:
    from comparison import accuracy_tables

    with pytest.raises(ValueError, match="by yaw"):
        accuracy_tables(replace(annotations(), angles=None), results, "Set")


def test_a_recording_is_reused_until_a_file_it_depends_on_changes(tmp_path) -> None:
    from methods import Method
    from run_recorder import run_recorder

    source = tmp_path / "weights"
    source.write_text("1")
    recorder = tmp_path / "recorder.py"
    recorder.write_text(
        "import sys, pathlib\n"
        "out = pathlib.Path(sys.argv[sys.argv.index('-o') + 1])\n"
        "count = out.with_name('count')\n"
        "count.write_text(count.read_text() + 'x' if count.exists() else 'x')\n"
        "out.write_text(' '.join(sys.argv[2:]))\n"
    )
    method = Method("method", recorder, depends_on=(source,), has_contour_option=True)
    out = tmp_path / "method-own.json"
    for expected in ("x", "x"):
        assert run_recorder(method, tmp_path / "faces.json", "own", "jawline", out, tmp_path) == ""
        assert (tmp_path / "count").read_text() == expected
    assert out.read_text().endswith("--boxes own --contour jawline")
    later = time.time() + 100
    os.utime(source, (later, later))
    assert run_recorder(method, tmp_path / "faces.json", "own", "jawline", out, tmp_path) == ""
    assert (tmp_path / "count").read_text() == "xx"


def test_the_last_line_of_a_failed_recorder_is_the_reason(tmp_path) -> None:
    from methods import Method, all_methods
    from run_recorder import run_recorder

    recorder = tmp_path / "recorder.py"
    recorder.write_text(
        "print('one image done')\nraise SystemExit('its weights could not be downloaded: no network')\n"
    )
    faces = tmp_path / "faces.json"
    method = Method("method", recorder)
    reason = run_recorder(method, faces, "own", "outline", tmp_path / "method-own.json", tmp_path)
    assert reason.startswith("its weights could not be downloaded: no network")
    sdm = all_methods(None, None)["sdm"]
    assert "--sdm" in run_recorder(sdm, faces, "given", "outline", tmp_path / "sdm-given.json", tmp_path)


def test_a_folder_with_recordings_of_other_faces_is_rejected(tmp_path) -> None:
    from compare import face_list

    path = tmp_path / "faces.json"
    faces = annotations()
    assert face_list(path, faces, Path("set")) == path and len(json.loads(path.read_text())) == 5
    face_list(path, faces, Path("set"))
    with pytest.raises(DataError, match="other faces"):
        face_list(path, faces.select([0, 1]), Path("set"))


def test_the_csv_has_every_figure_and_keeps_other_sets(results, tmp_path) -> None:
    from comparison import accuracy_tables, cost_table
    from results_csv import figures, write_csv

    comparisons = [*accuracy_tables(annotations(), results, "Set"), cost_table(results, "Set")]
    path = tmp_path / "figures.csv"
    for name in ("first", "second", "first"):
        write_csv(path, name, [row for comparison in comparisons for row in figures(name, "own", comparison)])
    rows = list(csv.DictReader(path.read_text().splitlines()))
    assert {row["set"] for row in rows} == {"first", "second"}
    printed = [
        f"{cell:.2f}" if isinstance(cell, float) else str(cell)
        for comparison in comparisons
        for row in comparison.table.rows
        for cell in row.cells
        if cell is not None and cell == cell
    ]
    assert [row["value"] for row in rows if row["set"] == "first"] == printed
    (nme,) = [
        row["value"]
        for row in rows
        if (row["set"], row["metric"], row["points"]) == ("first", "NME, %", "all visible points")
        and (row["faces"], row["bin"], row["method"]) == ("found by each method", "(30,60]", "good")
    ]
    assert nme == "4.00"


def test_a_csv_with_other_columns_is_not_overwritten(tmp_path) -> None:
    from results_csv import write_csv

    path = tmp_path / "other.csv"
    path.write_text("a,b\n1,2\n")
    with pytest.raises(DataError, match="columns"):
        write_csv(path, "set", [])
    assert path.read_text() == "a,b\n1,2\n"
