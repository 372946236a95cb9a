"""`rdrface train`: from data sets to weights with one command."""

import argparse
import sys
from pathlib import Path

from lightning_fabric import Fabric

from rdrface.data.pack import PackedFaces, pack
from rdrface.data.readers import SETS, read_set
from rdrface.data.records import FaceRecords
from rdrface.data.synthetic import draw_faces
from rdrface.errors import ConfigError
from rdrface.fitting import fit_records
from rdrface.morphable.model import FaceModel
from rdrface.runtime.export import describe, export
from rdrface.training.config import TrainingConfig, load_config, shipped_configs
from rdrface.training.faces import held_out
from rdrface.training.loop import train


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `rdrface train`."""
    parser.add_argument(
        "--config", required=True, help=f"a TOML file, or one of the shipped: {', '.join(shipped_configs())}"
    )
    parser.add_argument(
        "--data",
        action="append",
        default=[],
        metavar="SET=DIR|FILE.npz",
        help=f"a data set ({', '.join(SETS)}) and its folder, or records written by `rdrface fit`; may be repeated",
    )
    parser.add_argument("--synthetic", type=int, metavar="N", help="draw N faces instead of reading a data set")
    parser.add_argument(
        "-o", "--out", type=Path, required=True, help="folder of the run; an existing run goes on there"
    )
    parser.add_argument("--from", dest="start", type=Path, metavar="RUN", help="begin with the weights of another run")
    parser.add_argument("--minutes", type=float, default=float("inf"), help="stop after so long, to go on another time")
    parser.add_argument("--accelerator", default="auto", help="cpu, cuda, mps or auto (default)")
    parser.add_argument("--devices", default="auto", help="number of devices, or auto (default)")
    parser.add_argument("--nodes", type=int, default=1, help="number of machines (under torchrun)")
    parser.add_argument(
        "--precision", default="bf16-mixed", choices=("bf16-mixed", "32-true"), help="default: bf16-mixed"
    )


def run(arguments: argparse.Namespace) -> int:
    """Train, then export the averaged weights to ``OUT/weights/``; 0 when done, 1 when the time was up before."""
    config = load_config(arguments.config)
    folder: Path = arguments.out
    folder.mkdir(parents=True, exist_ok=True)
    learn, check = packed_faces(config, arguments.data, arguments.synthetic, folder)
    fabric = Fabric(
        accelerator=arguments.accelerator,
        devices=arguments.devices,
        num_nodes=arguments.nodes,
        precision=arguments.precision,
    )
    fabric.launch()
    network = train(config, learn, check, folder, fabric, arguments.minutes * 60, arguments.start)
    if network is None:
        print(f"time is up; the same command goes on from {folder}", file=sys.stderr)
        return 1
    if fabric.is_global_zero:
        names = tuple(sorted({name.split("/")[0] for name in learn.source_names}))
        path = folder / "weights" / "rdr.safetensors"
        path.parent.mkdir(exist_ok=True)
        export(network.cpu(), path, describe(network, config.stage[-1].size, names, metrics={}))
        print(f"weights: {path}")
    return 0


def packed_faces(
    config: TrainingConfig, data: list[str], synthetic: int | None, folder: Path
) -> tuple[PackedFaces, PackedFaces | None]:
    """Faces to learn from and faces to check with: read, fitted, split and packed once, then kept in the run's folder.

    Raises:
        ConfigError: no data named, or too few faces.
        DataError: a set or file cannot be read.
    """
    learn_file, check_file = folder / "learn.safetensors", folder / "check.safetensors"
    if learn_file.is_file():
        return PackedFaces.load(learn_file), PackedFaces.load(check_file) if check_file.is_file() else None
    records = read_faces(data, synthetic, folder)
    kept = held_out(records.image, config.validation_share)
    if kept.all():
        raise ConfigError(
            f"validation_share {config.validation_share} leaves none of {len(records)} faces to learn from"
        )
    check = pack(records.select(kept), config.window) if kept.any() else None
    if check is not None:
        check.save(check_file)
    learn = pack(records.select(~kept), config.window)
    learn.save(learn_file)
    return learn, check


def read_faces(data: list[str], synthetic: int | None, folder: Path) -> FaceRecords:
    """Records with fits from everything named on the command line."""
    if (synthetic is None) == (not data):
        raise ConfigError("name the faces to train on: --data SET=DIR (or FILE.npz), or --synthetic N; not both")
    if synthetic is not None:
        if synthetic < 2:
            raise ConfigError(f"--synthetic wants 2 faces or more; got {synthetic}")
        return draw_faces(folder / "faces", synthetic)
    parts = []
    for item in data:
        name, _, where = item.partition("=")
        if where and name not in SETS:
            raise ConfigError(f"--data {item}: no reader for a set called {name!r}; there are: {', '.join(SETS)}")
        part = read_set(name, Path(where), "train") if where else FaceRecords.load(item)
        parts.append(part if part.Q is not None else fit_records(part, FaceModel.load()))
    return FaceRecords.concat(parts)
