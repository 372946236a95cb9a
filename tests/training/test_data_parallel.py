"""`torchrun` with two processes gives the losses of one process with the same global batch."""

import csv
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import data_parallel
import rdrface
from rdrface.datasets.packing import pack
from rdrface.datasets.synthetic import draw_faces


def losses(folder: Path, processes: int) -> list[dict[str, float]]:
    """The rows of log.csv of a run in this number of processes."""
    script = [str(Path(data_parallel.__file__)), str(folder), str(processes)]
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={processes}"]
    path = os.pathsep.join([str(Path(rdrface.__file__).parents[1]), os.environ.get("PYTHONPATH", "")])
    environment = os.environ | {"PYTHONPATH": path, "OMP_NUM_THREADS": "1"}
    run = subprocess.run([*torchrun, *script], env=environment, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    with (folder / str(processes) / "log.csv").open(newline="") as file:
        return [{name: float(value) for name, value in row.items()} for row in csv.DictReader(file)]


def test_two_processes_give_the_losses_of_one(tmp_path: Path) -> None:
    pytest.importorskip("lightning_fabric")
    pack(draw_faces(tmp_path / "drawn", 24), 64).save(tmp_path / "faces.safetensors")
    one, two = losses(tmp_path, 1), losses(tmp_path, 2)
    assert [(row["stage"], row["step"]) for row in one] == [(row["stage"], row["step"]) for row in two]
    names = set(one[0]) - {"stage", "step", "rate", "faces_per_second"}
    for first, second in zip(one, two, strict=True):
        # Means over the points of a process, not of the whole batch, and in later stages batch statistics too.
        tolerance = 0.01 if first["stage"] == 0 else 0.2
        for name in names:
            np.testing.assert_allclose(second[name], first[name], rtol=tolerance, atol=0.002, err_msg=f"{name} {first}")
