"""The same run on a local Ray cluster: actors that are killed are replaced, and killed runs go on."""

import os
import signal
import time
from functools import partial
from pathlib import Path

import pytest

pq = pytest.importorskip("pyarrow.parquet")
ray = pytest.importorskip("ray")

from fake_collection import annotate_fakes, environment, fail_to_open, fake_job, open_with_pid, write_photos  # noqa: E402
from rdrface.collection import FileSource, annotate_collection  # noqa: E402
from rdrface.collection.ray_engine import annotate_with_ray  # noqa: E402
from rdrface.errors import ConfigError  # noqa: E402

pytestmark = [
    pytest.mark.filterwarnings("ignore"),
    pytest.mark.skipif(os.name == "nt", reason="kills processes with signals"),
]

TWO = partial(annotate_with_ray, num_workers=2)


@pytest.fixture(scope="module", autouse=True)
def cluster():
    """A cluster of one machine with two CPUs, whose processes find this module."""
    here = os.pathsep.join([environment()["PYTHONPATH"], str(Path(__file__).parent)])
    ray.init(
        num_cpus=2,
        include_dashboard=False,
        log_to_driver=False,
        object_store_memory=100_000_000,
        runtime_env={"env_vars": {"PYTHONPATH": here}},
    )
    yield
    ray.shutdown()


def photos(folder: Path, count: int = 12) -> FileSource:
    write_photos(folder, count)
    return FileSource("photos", folder, sorted(path.name for path in folder.iterdir()))


def test_a_killed_actor_is_replaced_and_a_killed_run_goes_on(tmp_path):
    source = photos(tmp_path / "photos", 60)
    annotate_fakes([source], tmp_path / "whole.parquet")
    (tmp_path / "pids").mkdir()
    opener = partial(open_with_pid, tmp_path / "pids", 0.05)
    killed: set[str] = set()

    def kill(counts):
        """Kill an actor after the first chunk, and the run after some more."""
        if not killed:
            killed.add(next(path.name for path in (tmp_path / "pids").iterdir()))
            os.kill(int(*killed), signal.SIGKILL)
        elif len(list((tmp_path / "out.partial.parquet").glob("part-*"))) >= 8:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        annotate_collection([source], tmp_path / "out.parquet", fake_job(3), opener, TWO, on_chunk=kill)
    time.sleep(0.5)
    num_done = []
    annotate_collection(
        [], tmp_path / "out.parquet", fake_job(3), opener, TWO, on_start=lambda done, total: num_done.append(done)
    )
    assert 24 <= num_done[0] < 60
    # More processes than the two of each run: a killed one was replaced.
    assert len(list((tmp_path / "pids").iterdir())) >= 3
    table = pq.read_table(tmp_path / "out.parquet")
    assert table.equals(pq.read_table(tmp_path / "whole.parquet"))


def test_errors_of_actors_end_the_run(tmp_path):
    source = photos(tmp_path / "photos")
    with pytest.raises(ConfigError, match="no such weights"):
        annotate_collection([source], tmp_path / "out.parquet", fake_job(), fail_to_open, TWO)
    with pytest.raises(ConfigError, match="has CPUs for 2 actors; got --workers 3"):
        annotate_fakes([source], tmp_path / "b.parquet", engine=partial(annotate_with_ray, num_workers=3))
