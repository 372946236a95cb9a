"""The tables that a run writes into its folder: ``log.csv`` and ``validation.csv``."""

import csv
from pathlib import Path

from lightning_fabric import Fabric

from rdrface.datasets.crops import PackedCrops
from rdrface.network.rdr import RDR
from rdrface.training.validation import validate


def append_row(fabric: Fabric, path: Path, row: dict[str, object]) -> None:
    """Add a row to a CSV file, on the first process only; a new file gets the names of the columns first."""
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
    check: PackedCrops,
    size: int,
    iterations: int,
) -> None:
    """Validate on the first process: a row of ``validation.csv`` and ``sample_STAGE_STEP.jpg``.

    Args:
        fabric: of the run.
        folder: of the run.
        place: stage and steps done in it.
        network: the averaged network, in evaluation mode; its `iterations` says how many columns the table has.
        check: held-out faces.
        size: N, side of the crops in pixels.
        iterations: K.
    """
    if not fabric.is_global_zero:
        return
    stage, step = place
    picture = folder / f"sample_{stage}_{step:06d}.jpg"
    scores = validate(network, check, size, iterations, fabric.device, picture)
    # A stage with fewer iterations leaves the columns of the later ones empty.
    blank = {f"nme_{k}": "" for k in range(network.iterations + 1)}
    append_row(fabric, folder / "validation.csv", {"stage": stage, "step": step, **blank, **scores})
