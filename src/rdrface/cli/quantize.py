"""``rdrface quantize WEIGHTS``: writes the int8 graph of a weights file (``pip install rdrface[train]``)."""

import argparse
from pathlib import Path

import numpy as np

from rdrface.cli.options import add_overwrite, positive, refuse_existing
from rdrface.datasets.crops import PackedCrops
from rdrface.datasets.packing import pack_inside
from rdrface.datasets.readers import SETS, read_set
from rdrface.errors import ConfigError
from rdrface.fitting.estimated_boxes import with_missing_boxes
from rdrface.runtime.int8_graph import suffix
from rdrface.runtime.weights import graph_path, read_info
from rdrface.training.int8_export import CROPS, calibration_crops, spread, write_int8_graph


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `rdrface quantize`."""
    parser.add_argument(
        "weights",
        type=Path,
        metavar="WEIGHTS",
        help="NAME.safetensors; NAME.int8.onnx is written, and for example NAME.256.int8.onnx for a further size",
    )
    parser.add_argument(
        "--data",
        action="append",
        required=True,
        metavar="SET=DIR|PACK",
        help=f"training faces for the ranges of int8: a dataset ({', '.join(SETS)}) and its folder, or the packed "
        "faces of a run, train.safetensors; may be repeated",
    )
    parser.add_argument(
        "--crops", type=positive, default=CROPS, metavar="N", help=f"number of faces to use (default: {CROPS})"
    )
    add_overwrite(parser)


def run(args: argparse.Namespace) -> int:
    """Measure the ranges and write the int8 graph of every size; returns 0.

    Raises:
        RdrError: an option is invalid, or the weights or the faces cannot be read.
    """
    info, _ = read_info(args.weights)
    refuse_existing([graph_path(args.weights, suffix(info, size)) for size in info.sizes], args.overwrite)
    counts = [len(part) for part in np.array_split(np.arange(args.crops), len(args.data))]
    for size in info.sizes:
        crops = [
            calibration_crops(_faces(item, count, size), size, count)
            for item, count in zip(args.data, counts, strict=True)
            if count
        ]
        path = write_int8_graph(args.weights, np.concatenate(crops))
        print(f"{path}: {path.stat().st_size / 1e3:.0f} kB, ranges of {sum(map(len, crops))} faces")
    return 0


def _faces(item: str, count: int, size: int) -> PackedCrops:
    """About `count` training faces of one value of --data; `size` is the side of the network's crops, pixels."""
    name, _, folder = item.partition("=")
    if not folder:
        return PackedCrops.load(item)
    if name not in SETS:
        raise ConfigError(f"--data {item}: no reader for a dataset called {name!r}; the datasets are {', '.join(SETS)}")
    records = with_missing_boxes(read_set(name, Path(folder), "train"))
    # Without a margin, packed crops of this size are the network's crops.
    return pack_inside(records.select(spread(len(records), count)), size, margin=1)
