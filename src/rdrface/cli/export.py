"""``rdrface export RUN``: writes the weights file and graphs of a training run (``pip install rdrface[train]``)."""

import argparse
import sys
from pathlib import Path

import torch

from rdrface.cli.options import add_overwrite, refuse_existing
from rdrface.datasets.crops import PackedCrops
from rdrface.errors import ConfigError
from rdrface.training.calibration import calibrate
from rdrface.training.checkpoint import NAME, read_network
from rdrface.training.export import describe, export
from rdrface.training.int8_export import calibration_crops, write_int8_graph
from rdrface.training.run_folder import TRAIN, VAL, pack_file


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `rdrface export`."""
    parser.add_argument("run", type=Path, metavar="RUN", help=f"folder of a training run, or its {NAME}")
    parser.add_argument(
        "-o", "--output", type=Path, required=True, metavar="FILE", help="weights file to write, NAME.safetensors"
    )
    parser.add_argument("--iterations", type=int, metavar="K", help="number of refinement steps (default: as trained)")
    parser.add_argument(
        "--size", type=int, metavar="N", help="side of the crops in pixels (default: as in the last stage)"
    )
    parser.add_argument(
        "--data",
        action="append",
        default=[],
        metavar="NAME",
        help="dataset that the network was trained on; may be repeated",
    )
    add_overwrite(parser)


def run(args: argparse.Namespace) -> int:
    """Calibrate visibility and uncertainty on the run's held-out faces, and export the network; returns 0.

    Raises:
        RdrError: an option is invalid, or the run cannot be read.
    """
    output: Path = args.output
    if output.suffix != ".safetensors":
        raise ConfigError(f"the name of a weights file must end in .safetensors; got {output.name}")
    refuse_existing((output,), args.overwrite)
    network, size = read_network(args.run)
    if args.iterations is not None:
        if args.iterations < 0:
            raise ConfigError(f"--iterations must be 0 or more; got {args.iterations}")
        network.iterations = args.iterations
    size = args.size or size
    if size <= 0 or size % 32:
        raise ConfigError(f"--size must be a positive multiple of 32; got {size}")
    folder = args.run if args.run.is_dir() else args.run.parent
    val_file = pack_file(folder, VAL)
    if val_file.is_file():
        calibrate(network, PackedCrops.load(val_file), size, network.iterations, torch.device("cpu"))
    info = export(network, output, describe(network, size, tuple(args.data)))
    train_file = pack_file(folder, TRAIN)
    if train_file.is_file():
        write_int8_graph(output, calibration_crops(PackedCrops.load(train_file), size))
    else:
        print(f"there is no {train_file}, so no int8 graph was written; see rdrface quantize --help", file=sys.stderr)
    print(f"{output}: {info.input_size} px crops, K = {info.iterations}, SHA-256 {info.checksum[:16]}...")
    return 0
