"""A short training in one or several processes, started by `torchrun`: FOLDER DEVICES."""

import sys
from pathlib import Path

from lightning_fabric import Fabric

from rdrface.datasets.crops import PackedCrops
from rdrface.training.config import StageConfig, TrainingConfig
from rdrface.training.loop import train

BATCH = 8
"""Global batch size, the same for any number of processes."""


def main() -> None:
    """Train on FOLDER/faces.safetensors; the losses of each step are in FOLDER/DEVICES/log.csv."""
    folder, devices = Path(sys.argv[1]), int(sys.argv[2])
    fabric = Fabric(accelerator="cpu", devices=devices, precision="32-true")
    fabric.launch()
    stages = [
        StageConfig(name, steps, crop_sizes=[32], batch_size=BATCH, augment=False)
        for name, steps in (("refinement", 4), ("initialization", 2), ("joint", 2))
    ]
    config = TrainingConfig(
        tuple(stages), network="lite", iterations=2, validation_every=100, checkpoint_every=1e9, log_every=1
    )
    out = folder / str(devices)
    out.mkdir(exist_ok=True)
    train(config, PackedCrops.load(folder / "faces.safetensors"), None, out, fabric)


if __name__ == "__main__":
    main()
