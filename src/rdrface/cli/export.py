"""``rdrface export RUN``: writes the weights file and graphs of a training run (``pip install rdrface[train]``)."""

import argparse
import sys
from pathlib import Path

import torch

from rdrface.cli.options import add_overwrite, positive, refuse_existing
from rdrface.datasets.crops import PackedCrops
from rdrface.errors import ConfigError
from rdrface.runtime.int8_graph import SUFFIX
from rdrface.training.calibration import calibrate
from rdrface.training.checkpoint import NAME, read_export_sizes, read_network
from rdrface.training.config import check_crop_sizes
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
        "--size",
        type=positive,
        nargs="+",
        metavar="N",
        help="sides of the crops in pixels, each with its own graph; the first is the default of rdrface.load "
        "(default: the run's export_sizes)",
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
    sizes = args.size or read_export_sizes(args.run)
    check_crop_sizes("--size", sizes)
    # These could also be the graphs of NAME.256.safetensors.
    graphs = [output.with_suffix(f".{size}{suffix}") for size in sizes[1:] for suffix in (".onnx", SUFFIX)]
    refuse_existing(graphs, args.overwrite)
    network, _ = read_network(args.run)
    if args.iterations is not None:
        if args.iterations < 0:
            raise ConfigError(f"--iterations must be 0 or more; got {args.iterations}")
        network.iterations = args.iterations
    folder = args.run if args.run.is_dir() else args.run.parent
    val_file = pack_file(folder, VAL)
    print(f"calibrating and writing {output} and its graphs", file=sys.stderr)
    if val_file.is_file():
        calibrate(network, PackedCrops.load(val_file), sizes[0], network.iterations, torch.device("cpu"))
    info = export(network, output, describe(network, sizes[0], tuple(args.data)), further_sizes=sizes[1:])
    train_file = pack_file(folder, TRAIN)
    if train_file.is_file():
        train_faces = PackedCrops.load(train_file)
        for size in sizes:
            write_int8_graph(output, calibration_crops(train_faces, size))
    else:
        print(f"there is no {train_file}, so no int8 graphs were written; see rdrface quantize --help", file=sys.stderr)
    pixels = " and ".join(map(str, info.sizes))
    print(f"{output}: {pixels} px crops, K = {info.iterations}, SHA-256 {info.checksum[:16]}...")
    return 0
