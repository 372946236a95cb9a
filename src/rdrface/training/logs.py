"""The tables in a run's folder: ``log.csv`` and ``validation.csv``."""

import csv
import time
from pathlib import Path

from lightning_fabric import Fabric
from torch import Tensor

from rdrface.datasets.crops import PackedCrops
from rdrface.network.rdr import RDR
from rdrface.training.validation import validate


class LossLog:
    """Means of the losses, and speed, since the last row of ``log.csv``."""

    def __init__(self) -> None:
        self._restart()

    def add(self, losses: dict[str, Tensor]) -> None:
        """Count one step. Nothing is read from an accelerator here."""
        for name, value in losses.items():
            self._sums[name] = self._sums.get(name, 0.0) + value.detach()
        self._steps += 1

    def restart_clock(self) -> None:
        """Leave out the time until now, of a validation, from the speed."""
        self._started = time.monotonic()

    def take(self, batch_size: int) -> tuple[dict[str, float], float]:
        """Mean of each loss and faces per second since the last call; both start again."""
        means = {name: round(float(value) / self._steps, 5) for name, value in self._sums.items()}
        speed = self._steps * batch_size / (time.monotonic() - self._started)
        self._restart()
        return means, speed

    def _restart(self) -> None:
        self._sums: dict[str, Tensor | float] = {}
        self._steps = 0
        self._started = time.monotonic()


def append_row(fabric: Fabric, path: Path, row: dict[str, object]) -> None:
    """Add a row to a CSV file, on the first process only. A new file gets the names of the columns first."""
    if not fabric.is_global_zero:
        return
    fresh = not path.exists()
    with path.open("a", newline="") as file:
        writer = csv.DictWriter(file, list(row))
        if fresh:
            writer.writeheader()
        writer.writerow(row)


def write_validation(
    fabric: Fabric,
    folder: Path,
    place: tuple[int, int],
    network: RDR,
    val_faces: PackedCrops,
    size: int,
    iterations: int,
) -> None:
    """Validate on the first process: a row of ``validation.csv`` and ``sample_STAGE_STEP.jpg``.

    Args:
        fabric: of the run.
        folder: of the run.
        place: stage, and steps done in it.
        network: the averaged network, in evaluation mode; the table has a column for each of its iterations.
        val_faces: held-out faces.
        size: N, side of the crops in pixels.
        iterations: K of the stage. Columns of later iterations stay empty.
    """
    if not fabric.is_global_zero:
        return
    stage, step = place
    sample = folder / f"sample_{stage}_{step:06d}.jpg"
    scores = validate(network, val_faces, size, iterations, fabric.device, sample)
    blank = {f"nme_{k}": "" for k in range(network.iterations + 1)}
    append_row(fabric, folder / "validation.csv", {"stage": stage, "step": step, **blank, **scores})
