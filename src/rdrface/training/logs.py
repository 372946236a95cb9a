"""The CSV files in the folder of a run: ``log.csv`` and ``validation.csv``."""

import csv
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import torch
from lightning_fabric import Fabric
from torch import Tensor
from tqdm import tqdm

from rdrface.datasets.crops import PackedCrops
from rdrface.network.rdr import RDR
from rdrface.training.validation import validate


class LossLog:
    """Mean losses and speed since the last row of ``log.csv``."""

    def __init__(self) -> None:
        self._restart()

    def add(self, losses: dict[str, Tensor]) -> None:
        """Add the losses of one step, without reading them from the accelerator."""
        for name, value in losses.items():
            self._sums[name] = self._sums.get(name, 0.0) + value.detach()
        self._steps += 1

    def restart_clock(self) -> None:
        """Restart the time measurement, to exclude the time of a validation from the speed."""
        self._started = time.monotonic()

    def take(self, batch_size: int) -> tuple[dict[str, float], float]:
        """Return the mean of each loss and the faces per second since the last call, and start a new measurement."""
        means = {name: round(float(value) / self._steps, 5) for name, value in self._sums.items()}
        speed = self._steps * batch_size / (time.monotonic() - self._started)
        self._restart()
        return means, speed

    def _restart(self) -> None:
        self._sums: dict[str, Tensor | float] = {}
        self._steps = 0
        self._started = time.monotonic()


def mean_over_processes(fabric: Fabric, values: dict[str, float]) -> dict[str, float]:
    """The mean of each value over all processes of a run; all of them call this. One process gets its own values."""
    if fabric.world_size == 1:
        return values
    own = torch.tensor(list(values.values()), dtype=torch.float32, device=fabric.device)
    means = fabric.all_reduce(own, reduce_op="mean")
    assert isinstance(means, Tensor)
    return {name: round(float(mean), 5) for name, mean in zip(values, means, strict=True)}


def append_row(fabric: Fabric, path: Path, row: dict[str, object]) -> None:
    """Append a row to a CSV file, in the first process only.

    A new file starts with the column names. An existing file, which another version of rdrface may have started, keeps
    its columns: those that the row lacks are empty, and further entries of the row are left out.
    """
    if not fabric.is_global_zero:
        return
    columns = _columns(path)
    with path.open("a", newline="") as file:
        writer = csv.DictWriter(file, columns or list(row), extrasaction="ignore")
        if not columns:
            writer.writeheader()
        writer.writerow(row)


def _columns(path: Path) -> list[str]:
    if not path.exists():
        return []
    with path.open(newline="") as file:
        return next(csv.reader(file), [])


def write_validation(
    fabric: Fabric,
    folder: Path,
    position: tuple[int, int],
    network: RDR,
    val_faces: PackedCrops,
    sizes: Sequence[int],
    iterations: int,
    has_size_column: bool = False,
) -> None:
    """Validate in the first process, and write ``sample_STAGE_STEP.jpg`` and a row of ``validation.csv``.

    With several sizes, there is a row and ``sample_STAGE_STEP_SIZE.jpg`` for each. The main errors are also printed on
    stderr.

    Args:
        fabric: fabric of the run.
        folder: folder of the run.
        position: stage, and number of finished steps in this stage.
        network: averaged network in evaluation mode; the table has one column per iteration of this network.
        val_faces: held-out faces.
        sizes: N, sides of the crops in pixels.
        iterations: K of the stage. Columns of later iterations are empty.
        has_size_column: add the column ``crop_size`` to a new table.
    """
    if not fabric.is_global_zero:
        return
    stage, step = position
    empty = {f"nme_{k}": "" for k in range(network.iterations + 1)}
    for size in sizes:
        suffix = f"_{size}" if len(sizes) > 1 else ""
        sample = folder / f"sample_{stage}_{step:06d}{suffix}.jpg"
        scores = validate(network, val_faces, size, iterations, fabric.device, sample)
        which = {"crop_size": size} if has_size_column else {}
        append_row(fabric, folder / "validation.csv", {"stage": stage, "step": step, **which, **empty, **scores})
        # Above the progress bar of a terminal; without a terminal it is the only sign of progress.
        tqdm.write(
            f"stage {stage}, step {step}, {size} px: NME {scores[f'nme_{iterations}']:.3f} %, of the projected 3D face "
            f"{scores['projection']:.3f} %, {len(val_faces)} held-out faces",
            file=sys.stderr,
        )
