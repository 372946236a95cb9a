"""`rdrface train`: from data sets to weights with one command."""

import argparse
import math
import sys
from pathlib import Path
from typing import Any

from lightning_fabric import Fabric

from rdrface.datasets.crops import PackedCrops
from rdrface.datasets.readers import SETS
from rdrface.errors import ConfigError
from rdrface.training import checkpoint
from rdrface.training.config import TrainingConfig
from rdrface.training.config_file import load_config, shipped_configs
from rdrface.training.finish import export_run
from rdrface.training.loop import train
from rdrface.training.prepare import prepare_faces
from rdrface.training.run_folder import TRAIN, VAL, pack_file
from rdrface.training.warm_start import check_start


class _Moved(argparse.Action):
    """`--setting` of release 0.1: an error that gives the new command."""

    def __call__(self, parser: argparse.ArgumentParser, *_: Any, **__: Any) -> None:
        raise ConfigError("--setting is a command of its own now: use rdrface finetune DIR -o OUT")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `rdrface train`."""
    parser.add_argument("--config", help=f"a TOML file, or one of the shipped: {', '.join(shipped_configs())}")
    parser.add_argument(
        "--data",
        action="append",
        default=[],
        metavar="SET=DIR|FILE.npz",
        help=f"a data set ({', '.join(SETS)}) and its folder, or records written by `rdrface fit`; may be repeated",
    )
    parser.add_argument("--synthetic", type=int, metavar="N", help="draw N faces instead of reading a data set")
    parser.add_argument("-o", "--out", type=Path, required=True, help="folder of the run; an existing run is resumed")
    parser.add_argument(
        "--from",
        dest="start",
        type=Path,
        metavar="RUN",
        help="start from the weights of another run (its folder or checkpoint), or from an exported NAME.safetensors",
    )
    parser.add_argument("--setting", action=_Moved, nargs="?", help=argparse.SUPPRESS)
    parser.add_argument("--minutes", type=float, help="stop after this time; the same command resumes")
    parser.add_argument(
        "--pack-only",
        action="store_true",
        help="read, fit, split and pack the faces into the run's folder, then stop; the folder can be moved to another "
        "machine for the training",
    )
    parser.add_argument(
        "--quality",
        type=int,
        metavar="Q",
        help="with --pack-only: store the images as WebP of quality 1 to 100",
    )
    parser.add_argument("--accelerator", default="auto", help="cpu, cuda, mps or auto (default)")
    parser.add_argument("--devices", default="auto", help="number of devices, or auto (default)")
    parser.add_argument("--nodes", type=int, default=1, help="number of machines (under torchrun)")
    parser.add_argument(
        "--precision", default="bf16-mixed", choices=("bf16-mixed", "32-true"), help="default: bf16-mixed"
    )


def run(arguments: argparse.Namespace) -> int:
    """Train, then export the averaged weights to ``OUT/weights/``; 0 when done, 1 when the time was used up before."""
    config = _checked_config(arguments)
    folder: Path = arguments.out
    folder.mkdir(parents=True, exist_ok=True)
    train_faces, val_faces = prepare_faces(config, arguments.data, arguments.synthetic, folder, arguments.quality)
    if arguments.pack_only:
        _report_packs(folder, train_faces, val_faces, arguments.config)
        return 0
    fabric = Fabric(
        accelerator=arguments.accelerator,
        devices=arguments.devices,
        num_nodes=arguments.nodes,
        precision=arguments.precision,
    )
    fabric.launch()
    seconds = math.inf if arguments.minutes is None else arguments.minutes * 60
    network = train(config, train_faces, val_faces, folder, fabric, seconds, arguments.start)
    if network is None:
        print(f"time is up; the same command resumes the training in {folder}", file=sys.stderr)
        return 1
    if fabric.is_global_zero:
        path = folder / "weights" / "rdr.safetensors"
        export_run(network, path, config, train_faces.source_names, val_faces, fabric.device)
        print(f"weights: {path}")
    return 0


def _checked_config(arguments: argparse.Namespace) -> TrainingConfig:
    """The configuration; everything that can be checked before data is read is checked here."""
    if arguments.config is None:
        raise ConfigError(f"--config is missing: a TOML file, or one of the shipped: {', '.join(shipped_configs())}")
    quality = arguments.quality
    if quality is not None and not (arguments.pack_only and 1 <= quality <= 100):
        need = "needs --pack-only" if 1 <= quality <= 100 else "must be a number from 1 to 100"
        raise ConfigError(f"--quality {need}; got {quality}")
    if arguments.out.exists() and not arguments.out.is_dir():
        raise ConfigError(f"-o {arguments.out} is a file; give the folder of a run")
    config = load_config(arguments.config)
    # A run that has a checkpoint does not read --from again.
    if arguments.start is not None and not (arguments.out / checkpoint.NAME).is_file():
        check_start(checkpoint.start_file(arguments.start), config)
    return config


def _report_packs(folder: Path, train_faces: PackedCrops, val_faces: PackedCrops | None, config: str) -> None:
    for name, faces in ((TRAIN, train_faces), (VAL, val_faces)):
        if faces is not None:
            path = pack_file(folder, name)
            size = path.stat().st_size
            each = f"{size / len(faces) / 1e3:.1f} kB each"
            print(f"{path}: {len(faces)} faces, {faces.size} px, {size / 1e6:.1f} MB, {each}")
    print(f"to train on them, here or on another machine: rdrface train --config {config} -o {folder}")
