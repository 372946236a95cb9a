"""The last steps of a training run: calibration and export of the averaged network."""

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
        network: network on `device`; the calibration changes it, and it is moved to the CPU.
        path: ``NAME.safetensors``.
        config: configuration of the run.
        sources: sources of the training faces; the names of their datasets are stored in the metadata.
        val_faces: held-out faces for the calibration; None skips it.
        device: device of the network.
    """
    size = config.stage[-1].crop_size
    if val_faces is not None:
        calibrate(network, val_faces, size, config.iterations, device)
    datasets = tuple(sorted({name.split("/")[0] for name in sources}))
    path.parent.mkdir(exist_ok=True)
    export(network.cpu(), path, describe(network, size, datasets, metrics={}))
