"""The same run on a local Ray cluster: an actor that is killed is replaced, and a killed run goes on."""

import os
import subprocess
import sys

import pytest

from fake_collection import environment

pytest.importorskip("ray")


@pytest.mark.skipif(os.name == "nt", reason="kills processes with signals")
def test_runs_on_a_ray_cluster(tmp_path):
    """See tests/shared/ray_runs.py."""
    code = "import ray_runs; ray_runs.main()"
    run = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=environment(), capture_output=True, text=True)
    assert run.returncode == 0 and "all right\n" in run.stdout, run.stdout + run.stderr
