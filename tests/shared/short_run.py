"""A training of one step on synthetic faces, for tests of what reads the folder of a run."""

from pathlib import Path

from rdrface.datasets.crops import PackedCrops
from rdrface.datasets.packing import pack
from rdrface.datasets.synthetic import draw_faces


def packed_synthetic_faces(folder: Path, count: int) -> PackedCrops:
    """`count` synthetic faces, drawn into `folder` and packed at 96 pixels."""
    return pack(draw_faces(folder, count), 96)


def short_run(faces: PackedCrops, folder: Path, network: str = "full") -> None:
    """Train `network` one step with K = 2 and leave the checkpoint in `folder`."""
    from lightning_fabric import Fabric

    from rdrface.training.config import StageConfig, TrainingConfig
    from rdrface.training.loop import train

    fabric = Fabric(accelerator="cpu", devices=1)
    fabric.launch()
    config = TrainingConfig((StageConfig("joint", 1, crop_sizes=[32], batch_size=4),), network=network, iterations=2)
    train(config, faces, None, folder, fabric)
