import json
import os
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from rdrface.datasets.records import SELF_OCCLUDED, VISIBLE, FaceRecords
from rdrface.errors import DataError

PEERS = Path(__file__).resolve().parents[2] / "benchmarks" / "baselines"

YAW = [0.0, 10.0, -50.0, 80.0, np.nan]


@pytest.fixture(autouse=True)
def beside_the_peers(monkeypatch) -> None:
    monkeypatch.syspath_prepend(str(PEERS))


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


def recording(path: Path, name: str, off: dict[int, float]) -> Path:
    """Predictions that lie so many pixels below the truth, the contour twice as many; only of the faces named."""
    truth = np.nan_to_num(annotations().points)
    faces = []
    for face, pixels in off.items():
        points = truth[face] + [0, pixels]
        points[:17, 1] += pixels
        costs = {"milliseconds": 10.0 * (face + 1), "processor_milliseconds": 2.0}
        faces.append({"image": f"{face}.jpg", "face": face, "landmarks": points.tolist(), **costs})
    path.write_text(json.dumps({"method": name, "megabytes": 7.5, "installed_megabytes": 90.0, "faces": faces}))
    return path


@pytest.fixture
def methods(tmp_path):
    from comparison import Method

    faces = annotations()
    good = recording(tmp_path / "a.json", "good", {0: 1, 1: 3, 2: 4, 3: 6, 4: 1})
    poor = recording(tmp_path / "b.json", "poor", {0: 2, 2: 11})
    return [Method.read(good, faces), Method.read(poor, faces), Method("absent", reason="no weights")]


def table_of(methods, *words: str):
    from comparison import accuracy_tables

    (table,) = [one for one in accuracy_tables(annotations(), methods, "Set") if all(w in one.title for w in words)]
    return {row.name: row.cells for row in table.rows}, table


def test_errors_are_means_over_the_found_faces_of_each_bin(methods) -> None:
    rows, _ = table_of(methods, "visible inner points", "each method found")
    assert rows["good"][:5] == pytest.approx((2, 4, 6, 4, 3))
    # The poor one found two faces; its empty bin is no number, nor is the mean over the bins.
    assert rows["poor"][:2] == pytest.approx((2, 11)) and np.isnan(rows["poor"][2:4]).all()
    assert rows["poor"][4] == pytest.approx(6.5)


def test_common_faces_are_those_that_all_methods_found(methods) -> None:
    rows, _ = table_of(methods, "visible inner points", "all methods found")
    assert rows["good"][:2] == pytest.approx((1, 4)) and rows["poor"][:2] == pytest.approx((2, 11))
    assert rows["faces"] == (1, 1, 0, None, 2, 2)


def test_hidden_points_are_not_counted_and_the_contour_is(methods) -> None:
    rows, _ = table_of(methods, "all visible points", "each method found")
    # First bin: 51 points off by 2, 17 by 4 on average; second bin: the contour is hidden.
    assert rows["good"][0] == pytest.approx((51 * 2 + 17 * 4) / 68) and rows["good"][1] == pytest.approx(4)


def test_faces_not_found_are_failures(methods) -> None:
    rows, _ = table_of(methods, "visible inner points", "failures")
    assert rows["good"] == pytest.approx((0, 0, 0, 0))
    assert rows["poor"] == pytest.approx((50, 100, 100, 80))
    missed, _ = table_of(methods, "were not found")
    assert missed["poor"] == pytest.approx((50, 0, 100, 60))
    assert missed["faces"] == (2, 1, 1, 5)


def test_a_constant_offset_is_removed_in_its_column_only(methods, tmp_path) -> None:
    from comparison import Method

    constant = Method.read(recording(tmp_path / "c.json", "constant", dict.fromkeys(range(5), 5.0)), annotations())
    rows, _ = table_of([constant], "visible inner points", "each method found")
    assert rows["constant"][4] == pytest.approx(5) and rows["constant"][5] == pytest.approx(0, abs=1e-9)


def test_a_method_that_was_not_measured_says_why(methods) -> None:
    rows, table = table_of(methods, "were not found")
    assert rows["absent"] == (None,) * 4
    assert "absent: not measured: no weights" in table.to_text()


def test_costs_are_medians_of_the_recording(methods) -> None:
    from comparison import cost_table

    rows = {row.name: row.cells for row in cost_table(methods, "Set").rows}
    assert rows["good"] == (30.0, 2.0, None, 7.5, 90.0) and rows["absent"] == (None,) * 5


def test_the_best_is_marked_and_the_columns_behind_are_named(methods) -> None:
    from comparison import behind, marked, to_markdown

    _, table = table_of(methods, "visible inner points", "each method found")
    assert marked(table).rows[0].cells[0] == "2.00*" and marked(table).rows[1].cells[0] == "2.00*"
    assert marked(table).rows[1].cells[1] == "11.00"
    assert "**4.00**" in to_markdown(table)
    assert behind(table, "good") == []
    lines = behind(table, "poor")
    assert [line.split("; ")[1] for line in lines if "(30,60]" in line] == ["(30,60]: good 4.00, poor 11.00"]


def test_faces_without_angles_cannot_be_compared(methods) -> None:
    from comparison import accuracy_tables

    with pytest.raises(ValueError, match="by yaw"):
        accuracy_tables(replace(annotations(), angles=None), methods, "Set")


def test_a_recording_is_used_again_until_what_it_is_made_of_changes(tmp_path) -> None:
    from baselines import Peer, record

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
    peer = Peer("peer", recorder, made_of=(source,), contours=True)
    out = tmp_path / "peer-own.json"
    for expected in ("x", "x"):
        assert record(peer, tmp_path / "faces.json", "own", "jawline", out, tmp_path) == ""
        assert (tmp_path / "count").read_text() == expected
    assert out.read_text().endswith("--boxes own --contour jawline")
    later = time.time() + 100
    os.utime(source, (later, later))
    assert record(peer, tmp_path / "faces.json", "own", "jawline", out, tmp_path) == ""
    assert (tmp_path / "count").read_text() == "xx"


def test_a_recorder_that_fails_gives_its_last_words_as_the_reason(tmp_path) -> None:
    from baselines import Peer, peers, record

    recorder = tmp_path / "recorder.py"
    recorder.write_text("print('one photo done')\nraise SystemExit('its weights could not be had: no network')\n")
    reason = record(Peer("p", recorder), tmp_path / "f.json", "own", "outline", tmp_path / "p-own.json", tmp_path)
    assert reason.startswith("its weights could not be had: no network")
    unnamed = peers(None, None)["sdm"]
    assert "--sdm" in record(unnamed, tmp_path / "f.json", "given", "outline", tmp_path / "s.json", tmp_path)


def test_recordings_of_other_faces_are_not_mixed_in(tmp_path) -> None:
    from compare import face_list

    path = tmp_path / "faces.json"
    faces = annotations()
    assert face_list(path, faces, Path("set")) == path and len(json.loads(path.read_text())) == 5
    face_list(path, faces, Path("set"))
    with pytest.raises(DataError, match="other faces"):
        face_list(path, faces.select([0, 1]), Path("set"))
