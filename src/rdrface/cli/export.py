"""``rdrface export RUN``: writes the weights file and graphs of a training run (``pip install rdrface[train]``)."""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import torch

from rdrface._version import __version__
from rdrface.cli.options import add_overwrite, create_folder, positive, refuse_existing, weights_file
from rdrface.datasets.crops import PackedCrops
from rdrface.errors import ConfigError
from rdrface.network.rdr import RDR
from rdrface.runtime.weights import WeightsInfo, read_info
from rdrface.training.calibration import calibrate
from rdrface.training.checkpoint import NAME, read_export_sizes, read_network, read_progress
from rdrface.training.config import check_crop_sizes
from rdrface.training.export import describe, export, replaced_files
from rdrface.training.int8_export import calibration_crops, write_int8_graph
from rdrface.training.restore import restore
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
        "--add-to",
        type=weights_file,
        metavar="WEIGHTS",
        help="weights NAME.safetensors to which the run adds its crop sizes: FILE gets the graphs and tensors of both; "
        "the run replaces a size that WEIGHTS have, except the default one; the metadata are those of WEIGHTS",
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
    sizes = list(args.size or read_export_sizes(args.run))
    check_crop_sizes("--size", sizes)
    base = None
    if args.add_to is not None:
        if args.iterations is not None or args.data:
            raise ConfigError(f"--iterations and --data cannot be used with --add-to: {args.add_to} has them already")
        base, _ = read_info(args.add_to)
    further = (*(() if base is None else base.sizes), *sizes)[1:]
    # NAME.256.onnx could also be the graph of NAME.256.safetensors.
    refuse_existing(replaced_files(output, further), args.overwrite)
    network, _ = read_network(args.run)
    networks = dict.fromkeys(sizes, network) if base is None else extended(args.add_to, base, network, sizes)
    if args.iterations is not None:
        if args.iterations < 0:
            raise ConfigError(f"--iterations must be 0 or more; got {args.iterations}")
        network.iterations = args.iterations
    folder = args.run if args.run.is_dir() else args.run.parent
    val_file, train_file = pack_file(folder, VAL), pack_file(folder, TRAIN)
    # Read before anything is replaced.
    train_faces = PackedCrops.load(train_file) if train_file.is_file() else None
    create_folder(output.parent, "name another file with -o", output)
    done, steps = read_progress(args.run)
    if done < steps:
        print(
            f"warning: {args.run} has done {done} of its {steps} steps; the same command continues it", file=sys.stderr
        )
    print(f"calibrating and writing {output} and its graphs", file=sys.stderr)
    if val_file.is_file():
        calibrate(network, PackedCrops.load(val_file), sizes[0], network.iterations, torch.device("cpu"))
    info = describe(network, sizes[0], tuple(args.data)) if base is None else replace(base, version=__version__)
    info = export(networks[info.input_size], output, info, further=networks)
    if train_faces is not None:
        for size in networks:
            write_int8_graph(output, calibration_crops(train_faces, size))
    else:
        print(f"there is no {train_file}, so no int8 graphs were written; see rdrface quantize --help", file=sys.stderr)
    pixels = " and ".join(map(str, info.sizes))
    print(f"{output}: {pixels} px crops, K = {info.iterations}, SHA-256 {info.checksum[:16]}...")
    return 0


def extended(weights: Path, info: WeightsInfo, network: RDR, sizes: Sequence[int]) -> dict[int, RDR]:
    """Size of the crops -> network, of weights to which a run adds its sizes; the default size of the weights first.

    The run's network replaces that of a size that the weights already have.

    Args:
        weights: ``NAME.safetensors``.
        info: its metadata.
        network: the run's network; it gets K of the weights.
        sizes: its sizes, pixels.

    Raises:
        ConfigError: one of the sizes is the default of the weights, or they have another network or custom landmarks.
        WeightsError: see `rdrface.training.restore.restore`.
    """
    if info.input_size in sizes:
        raise ConfigError(
            f"--add-to {weights}: {info.input_size} is its default size, which cannot be replaced; "
            "choose other sizes with --size"
        )
    if info.custom_scheme is not None:
        raise ConfigError(
            f"--add-to {weights}: it has custom landmarks, which would be lost; fine-tune again afterwards"
        )
    present = {size: restore(weights, size)[0] for size in info.sizes if size not in sizes}
    expected = present[info.input_size]
    for option, found, wanted in (
        ("network", network.sizes.name, expected.sizes.name),
        ("features", network.features, expected.features),
        ("contour", network.contour, expected.contour),
    ):
        if found != wanted:
            raise ConfigError(f'--add-to {weights}: its {option} is "{wanted}", that of the run is "{found}"')
    network.iterations = info.iterations
    return present | dict.fromkeys(sizes, network)
