"""`rdrface train`: trains the network on annotated datasets and exports its weights."""

import argparse
import math
import sys
from pathlib import Path
from typing import Any

from lightning_fabric import Fabric

from rdrface.cli.options import add_output, check_minutes, create_folder, positive, start_weights
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
from rdrface.training.teacher import check_teacher
from rdrface.training.warm_start import check_start


class _Moved(argparse.Action):
    """The option `--setting` of release 0.1: raises an error with the new command."""

    def __call__(self, parser: argparse.ArgumentParser, *_: Any, **__: Any) -> None:
        raise ConfigError("--setting is now a separate command: use rdrface finetune DIR -o OUT")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `rdrface train`."""
    parser.add_argument("--config", help=f"a TOML file, or a packaged configuration: {', '.join(shipped_configs())}")
    parser.add_argument(
        "--data",
        action="append",
        default=[],
        metavar="SET=DIR|FILE.npz",
        help=f"a dataset ({', '.join(SETS)}) and its folder, or records written by `rdrface fit`; may be repeated",
    )
    parser.add_argument("--synthetic", type=int, metavar="N", help="draw N synthetic faces instead of reading datasets")
    add_output(parser, "OUT", "folder of the run; an existing run is resumed")
    parser.add_argument(
        "--from",
        dest="start",
        type=start_weights,
        metavar="RUN",
        help="start from the weights of another run (its folder or checkpoint), from an exported NAME.safetensors, or "
        "from the packaged weights: packaged or lite",
    )
    parser.add_argument("--setting", action=_Moved, nargs="?", help=argparse.SUPPRESS)
    parser.add_argument("--minutes", type=float, help="stop after this time; run the same command again to resume")
    parser.add_argument(
        "--pack-only",
        action="store_true",
        help="read, fit, split and pack the faces into the run's folder, then stop; the folder can be moved to another "
        "machine for training",
    )
    parser.add_argument(
        "--quality",
        type=int,
        metavar="Q",
        help="with --pack-only: store the images as WebP of quality 1 to 100",
    )
    parser.add_argument("--accelerator", default="auto", help="cpu, cuda, mps, or auto (default)")
    parser.add_argument("--devices", default="auto", help="number of devices, or auto (default)")
    parser.add_argument("--nodes", type=positive, default=1, help="number of machines (under torchrun)")
    parser.add_argument(
        "--precision",
        default="bf16-mixed",
        choices=("bf16-mixed", "32-true"),
        help="numerical precision (default: bf16-mixed)",
    )


def run(arguments: argparse.Namespace) -> int:
    """Train, then export the averaged weights to ``OUT/weights/``.

    A run that was trained and exported before is not exported again: its weights may have got further sizes since.

    Returns:
        Exit status: 0, or 1 if the time limit was reached before the end of the training.

    Raises:
        RdrError: an option, the configuration or the data cannot be used, or the training diverged.
    """
    config = _checked_config(arguments)
    # Before the faces are prepared, which can take hours.
    fabric = None if arguments.pack_only else _fabric(arguments)
    folder: Path = arguments.out
    create_folder(folder, "choose another folder with -o")
    train_faces, val_faces = prepare_faces(config, arguments.data, arguments.synthetic, folder, arguments.quality)
    if fabric is None:
        _report_packs(folder, train_faces, val_faces, arguments.config)
        return 0
    fabric.launch()
    seconds = math.inf if arguments.minutes is None else arguments.minutes * 60
    network = train(config, train_faces, val_faces, folder, fabric, seconds, arguments.start)
    if network is None:
        print(f"time limit reached; run the same command again to resume the training in {folder}", file=sys.stderr)
        return 1
    if fabric.is_global_zero:
        path = folder / "weights" / "rdr.safetensors"
        if checkpoint.is_exported(folder) and path.is_file():
            print(f"{folder} was trained and exported before: nothing was changed. To export again, delete {path}")
            return 0
        print(f"training finished; calibrating and writing {path} and its graphs", file=sys.stderr)
        export_run(network, path, config, train_faces, val_faces, fabric.device)
        checkpoint.mark_exported(folder)
        print(f"weights: {path}")
    return 0


def _checked_config(arguments: argparse.Namespace) -> TrainingConfig:
    """The configuration, after all checks that do not need the data."""
    if arguments.config is None:
        raise ConfigError(
            f"--config is missing; give a TOML file or a packaged configuration: {', '.join(shipped_configs())}"
        )
    quality = arguments.quality
    if quality is not None and not (arguments.pack_only and 1 <= quality <= 100):
        requirement = "needs --pack-only" if 1 <= quality <= 100 else "must be a number from 1 to 100"
        raise ConfigError(f"--quality {requirement}; got {quality}")
    check_minutes(arguments.minutes)
    if arguments.out.exists() and not arguments.out.is_dir():
        raise ConfigError(f"-o must be the folder of a run, but {arguments.out} is a file")
    config = load_config(arguments.config)
    # A run with a checkpoint does not use --from.
    if not (arguments.out / checkpoint.NAME).is_file():
        if arguments.start is not None:
            check_start(checkpoint.start_file(arguments.start), config)
        elif config.stage[0].train == "features":
            raise ConfigError(
                'a first stage with train = "features" needs trained layers after the features; give weights to start '
                "from with --from"
            )
        elif config.imitation:
            raise ConfigError("imitation needs a network to imitate; give weights to start from with --from")
    if config.teacher:
        check_teacher(config.teacher)
    return config


def _fabric(arguments: argparse.Namespace) -> Fabric:
    accelerator, devices = arguments.accelerator, arguments.devices
    try:
        return Fabric(
            accelerator=accelerator, devices=devices, num_nodes=arguments.nodes, precision=arguments.precision
        )
    # Lightning raises ValueError, TypeError, RuntimeError or its MisconfigurationException.
    except Exception as error:
        reason = str(error).rstrip(".")
        raise ConfigError(
            f"--accelerator {accelerator} with --devices {devices} cannot be used ({reason}). --accelerator must be "
            "cpu, cuda, mps or auto; --devices must be a number, a list of indices such as 0,1, or auto"
        ) from error


def _report_packs(folder: Path, train_faces: PackedCrops, val_faces: PackedCrops | None, config: str) -> None:
    for name, faces in ((TRAIN, train_faces), (VAL, val_faces)):
        if faces is not None:
            path = pack_file(folder, name)
            size = path.stat().st_size
            each = f"{size / len(faces) / 1e3:.1f} kB each"
            print(f"{path}: {len(faces)} faces, {faces.size} px, {size / 1e6:.1f} MB, {each}")
    print(f"to train on these faces, here or on another machine: rdrface train --config {config} -o {folder}")
