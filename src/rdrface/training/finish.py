"""The last steps of a training run: calibration and export of the averaged network, in float32 and int8."""

from pathlib import Path

import torch

from rdrface.datasets.crops import PackedCrops
from rdrface.network.rdr import RDR
from rdrface.training.calibration import calibrate
from rdrface.training.config import TrainingConfig, sizes_to_export
from rdrface.training.export import describe, export
from rdrface.training.int8_export import calibration_crops, write_int8_graph


def export_run(
    network: RDR,
    path: Path,
    config: TrainingConfig,
    train_faces: PackedCrops,
    val_faces: PackedCrops | None,
    device: torch.device,
) -> None:
    """Calibrate the averaged network of a run for its default size, and write its weights file and all graphs.

    Args:
        network: network on `device`; the calibration changes it, and it is moved to the CPU.
        path: ``NAME.safetensors``.
        config: configuration of the run.
        train_faces: training faces; the names of their datasets are stored in the metadata, and some of them determine
            the ranges of the int8 graphs.
        val_faces: held-out faces for the calibration; None skips it.
        device: device of the network.
    """
    sizes = sizes_to_export(config.export_sizes, config.stage[-1].crop_sizes)
    if val_faces is not None:
        calibrate(network, val_faces, sizes[0], config.iterations, device)
    datasets = tuple(sorted({name.split("/")[0] for name in train_faces.source_names}))
    path.parent.mkdir(exist_ok=True)
    further = dict.fromkeys(sizes[1:], network.cpu())
    export(network.cpu(), path, describe(network, sizes[0], datasets, metrics={}), further=further)
    for size in sizes:
        write_int8_graph(path, calibration_crops(train_faces, size))
