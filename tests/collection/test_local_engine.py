"""Worker processes: killed ones are replaced, and killed runs go on with the same rows."""

import multiprocessing
import os
import random
import re
import signal
import subprocess
import time
from functools import partial
from pathlib import Path

import pytest

pq = pytest.importorskip("pyarrow.parquet")

from fake_collection import (  # noqa: E402
    KILLS,
    annotate_fakes,
    command,
    die_while_opening,
    environment,
    fail_to_open,
    fake_job,
    open_fake,
    png,
    write_photos,
)
from rdrface.collection import FileSource, annotate_collection  # noqa: E402
from rdrface.collection.local_engine import annotate_locally  # noqa: E402
from rdrface.errors import ConfigError, DataError  # noqa: E402

TWO = partial(annotate_locally, num_workers=2)

pytestmark = pytest.mark.skipif(os.name == "nt", reason="kills processes with signals")


def photos(folder: Path, count: int = 12) -> FileSource:
    write_photos(folder, count)
    return FileSource("photos", folder, sorted(path.name for path in folder.iterdir()))


def children() -> list[int]:
    """Process ids of the worker processes of this process."""
    return [process.pid for process in multiprocessing.active_children()]


def test_workers_give_the_rows_of_one_process(tmp_path):
    source = photos(tmp_path / "photos", 30)
    annotate_fakes([source], tmp_path / "one.parquet")
    seen = []
    annotate_fakes([source], tmp_path / "two.parquet", engine=TWO, on_chunk=seen.append)
    assert sum(counts.photos for counts in seen) == 30
    assert pq.read_table(tmp_path / "one.parquet").equals(pq.read_table(tmp_path / "two.parquet"), check_metadata=True)
    assert children() == []


def test_a_killed_worker_is_replaced(tmp_path):
    source = photos(tmp_path / "photos", 40)
    annotate_fakes([source], tmp_path / "whole.parquet")
    killed = []

    def kill(counts):
        if len(killed) < 3:
            killed.append(next(pid for pid in children() if pid not in killed))
            os.kill(killed[-1], signal.SIGKILL)

    opener = partial(open_fake, 0.01)
    annotate_collection([source], tmp_path / "out.parquet", fake_job(), opener, TWO, on_chunk=kill)
    assert len(set(killed)) == 3
    assert pq.read_table(tmp_path / "out.parquet").equals(pq.read_table(tmp_path / "whole.parquet"))


def test_a_photo_that_ends_the_process_is_an_error_row(tmp_path):
    source = photos(tmp_path / "photos", 10)
    (tmp_path / "photos" / "005.png").write_bytes(png(KILLS))
    annotate_fakes([source], tmp_path / "out.parquet", engine=TWO)
    rows = pq.read_table(tmp_path / "out.parquet").to_pylist()
    assert {row["image"] for row in rows} == {f"{i:03d}.png" for i in range(10)}
    (row,) = [row for row in rows if row["image"] == "005.png"]
    assert row["status"] == "failed" and "2 processes ended while they worked on this photo" in row["error"]


def test_errors_of_workers_end_the_run(tmp_path):
    source = photos(tmp_path / "photos")
    with pytest.raises(ConfigError, match="no such weights"):
        annotate_collection([source], tmp_path / "out.parquet", fake_job(), fail_to_open, TWO)
    with pytest.raises(DataError, match=r"ended \(signal 9\) before the model was open"):
        annotate_collection([source], tmp_path / "out.parquet", fake_job(), die_while_opening, TWO)
    with pytest.raises(ConfigError, match="another run"):
        annotate_fakes([source], tmp_path / "out.parquet", fake_job(precision=("int8",)), TWO)
    with pytest.raises(ConfigError, match="this machine runs the networks in float32"):
        annotate_fakes([source], tmp_path / "b.parquet", fake_job(precision=("int8",)), TWO)
    assert children() == []


def start(folder: Path, out: str) -> subprocess.Popen:
    words = command("photos", out, "--workers", 2, "--chunk", 3, "--threads", 1)
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen(words, cwd=folder, env=environment(0.02), start_new_session=True, **pipes)


def parts(folder: Path) -> int:
    return len(list(folder.glob("part-*.parquet")))


def wait_for(condition, seconds: float = 120.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "timed out"
        time.sleep(0.01)


@pytest.mark.parametrize("out", ["out.parquet", "out"])
def test_a_run_that_is_killed_three_times_gives_the_same_rows(tmp_path, out):
    photos(tmp_path / "photos", 60)
    whole = start(tmp_path, f"whole{Path(out).suffix}")
    assert whole.communicate()[0].startswith("60 photos, ")
    folder = tmp_path / ("out.partial.parquet" if out.endswith(".parquet") else out)
    rng = random.Random(0)
    for _ in range(3):
        run = start(tmp_path, out)
        before = parts(folder)
        wait_for(lambda before=before: parts(folder) >= before + 3)
        time.sleep(rng.uniform(0, 0.1))
        # Only the main process: the workers have to end by themselves.
        os.kill(run.pid, signal.SIGKILL)
        run.communicate()
        assert 3 <= parts(folder) < 20
    text, errors = start(tmp_path, out).communicate()
    assert re.search(r"going on: \d+ of 60 photos are done", errors), errors
    assert text.startswith("60 photos, "), errors
    table, expected = pq.read_table(tmp_path / out), pq.read_table(tmp_path / f"whole{Path(out).suffix}")
    assert table.equals(expected) and len(set(table["image_index"].to_pylist())) == 60


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_ends_its_workers_and_leaves_no_temporary_files(tmp_path, number):
    photos(tmp_path / "photos", 60)
    run = start(tmp_path, "out.parquet")
    folder = tmp_path / "out.partial.parquet"
    wait_for(lambda: parts(folder) >= 2)
    if number == signal.SIGINT:
        os.killpg(run.pid, number)  # as a terminal does
    else:
        run.send_signal(number)
    text, errors = run.communicate(timeout=60)
    assert run.returncode == 130 and text == ""
    assert re.fullmatch(
        r"(rdrface: \d+ of 60 photos, [\d.]+ photos/s, \d:\d\d:\d\d left\n)*"  # after 30 s, on a busy machine
        r"rdrface: \d+ of 60 photos, [\d.]+ photos/s, \d:\d\d:\d\d left; run the same command to go on\n"
        r"rdrface: interrupted\n",
        errors,
    ), errors
    assert not list(folder.glob(".rdrface-*")) and not list((folder / ".rdrface").glob("attempts-*"))
    assert start(tmp_path, "out.parquet").communicate()[0].startswith("60 photos, ")
