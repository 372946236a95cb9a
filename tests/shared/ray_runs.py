"""Runs on a Ray cluster of one machine. In a process of its own: Ray leaves processes and warnings behind."""

import os
import signal
import sys
import time
from contextlib import suppress
from functools import partial
from pathlib import Path

import pyarrow.parquet as pq
import ray

from fake_collection import annotate_fakes, fail_to_open, fake_job, open_with_pid, write_photos
from rdrface.collection import FileSource, annotate_collection
from rdrface.collection.ray_engine import annotate_with_ray
from rdrface.errors import ConfigError

TWO = partial(annotate_with_ray, num_workers=2)


def main() -> None:
    """Run in the current folder; an exception is a failure."""
    folder = Path.cwd()
    write_photos(folder / "photos", 60)
    source = FileSource("photos", folder / "photos", sorted(path.name for path in Path("photos").iterdir()))
    annotate_fakes([source], folder / "whole.parquet")
    start_cluster()
    kill_an_actor_and_the_run(folder, source)
    errors_end_the_run(folder, source)
    print("all right")


def start_cluster() -> None:
    """A cluster with two CPUs. Ray waits 30 seconds for its processes, which is too short on a busy machine."""
    for attempts_left in (3, 2, 1, 0):
        try:
            ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False, object_store_memory=100_000_000)
            return
        except Exception as error:
            ray.shutdown()
            if not attempts_left or "timed out" not in str(error):
                raise


def kill_an_actor_and_the_run(folder: Path, source: FileSource) -> None:
    """Kill an actor after the first chunk, and the run after some more; the next run goes on."""
    (folder / "pids").mkdir()
    opener = partial(open_with_pid, folder / "pids", 0.05)
    killed: list[int] = []

    def kill(counts: object) -> None:
        if not killed:
            killed.append(int(next((folder / "pids").iterdir()).name))
            os.kill(killed[0], signal.SIGKILL)
        elif len(list((folder / "out.partial.parquet").glob("part-*"))) >= 8:
            raise KeyboardInterrupt

    with suppress(KeyboardInterrupt):
        annotate_collection([source], folder / "out.parquet", fake_job(3), opener, TWO, on_chunk=kill)
    time.sleep(0.5)
    done = []
    annotate_collection(
        [], folder / "out.parquet", fake_job(3), opener, TWO, on_start=lambda *numbers: done.append(numbers)
    )
    ((num_done, num_photos),) = done
    assert 24 <= num_done < num_photos == 60, done
    # More processes than two: a killed one was replaced.
    assert len(list((folder / "pids").iterdir())) >= 3
    assert pq.read_table("out.parquet").equals(pq.read_table("whole.parquet"))


def errors_end_the_run(folder: Path, source: FileSource) -> None:
    """Errors of actors, and a cluster that is too small."""
    for opener, engine, text in (
        (fail_to_open, TWO, "no such weights"),
        (open_with_pid, partial(annotate_with_ray, num_workers=3), "has CPUs for 2 actors; got --workers 3"),
    ):
        try:
            annotate_collection([source], folder / "b.parquet", fake_job(), opener, engine, overwrite=True)
        except ConfigError as error:
            assert text in str(error), error
        else:
            raise AssertionError(f"no error: {text}")


if __name__ == "__main__":
    sys.exit(main())
