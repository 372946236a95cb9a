"""The end of a run: calibrate the averaged network and export it."""

from collections.abc import Iterable
from pathlib import Path

import torch

from rdrface.datasets.crops import PackedCrops
from rdrface.network.rdr import RDR
from rdrface.training.calibration import calibrate
from rdrface.training.config import TrainingConfig
from rdrface.training.export import describe, export


def export_run(
    network: RDR,
    path: Path,
    config: TrainingConfig,
    sources: Iterable[str],
    val_faces: PackedCrops | None,
    device: torch.device,
) -> None:
    """Calibrate the averaged network of a run and write its weights file and graph.

    Args:
        network: on `device`; it is changed by the calibration and moved to the CPU.
        path: ``NAME.safetensors``.
        config: of the run.
        sources: of the training faces; their first folders, the data sets, go into the metadata.
        val_faces: held-out faces for the calibration; without them there is none.
        device: of the network.
    """
    size = config.stage[-1].crop_size
    if val_faces is not None:
        calibrate(network, val_faces, size, config.iterations, device)
    sets = tuple(sorted({name.split("/")[0] for name in sources}))
    path.parent.mkdir(exist_ok=True)
    export(network.cpu(), path, describe(network, size, sets, metrics={}))
