"""Measures crop sizes and precisions: error on two datasets and time on one core.

python benchmarks/sizes/measure.py MERL-RAV 300-W [--sizes 128 256] [--precisions float32 int8] [--faces N]

MERL-RAV and 300-W are the folders of the datasets. The errors are those of `rdrface evaluate merl-rav` (visible points
of the test part) and of `rdrface evaluate 300w --held-out continue` (inter-ocular), with standard errors. "change" is
the mean difference from the first row on the large faces, face by face.
"""

import argparse
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import rdrface
from rdrface.cli.evaluate_held_out import read_held_out
from rdrface.cli.options import positive, weights_file
from rdrface.cli.script import reports_errors
from rdrface.datasets.records import FaceRecords
from rdrface.errors import ConfigError
from rdrface.evaluation.metrics.standard_error import mean_error
from rdrface.evaluation.predictions.aligning import run_aligner
from rdrface.evaluation.protocols.sets import SETS
from rdrface.evaluation.speed import measure_speed
from rdrface.evaluation.tables.standard_errors import LARGE_CROP, large_faces
from rdrface.evaluation.tables.tables import Row, Table
from rdrface.geometry.boxes import box_size
from rdrface.runtime.precision import PRECISIONS

CONFIG = "continue"
"""Configuration whose held-out faces are measured: that of the released weights."""

ERRORS = {"merl-rav": "visible", "300w": "landmarks, inter-ocular"}
"""Dataset -> its error in the table."""


@dataclass(frozen=True)
class Measurement:
    """One row.

    Attributes:
        size: side of the crops in pixels.
        precision: of the network.
        errors: dataset -> (N,) error of every face, percent.
        network_ms: time of the network for one crop, on one core.
        total_ms: time of one image with one face, on one core.
    """

    size: int
    precision: str
    errors: Mapping[str, np.ndarray]
    network_ms: float
    total_ms: float


def measure(faces: Mapping[str, FaceRecords], repeats: int, options: Mapping[str, Any]) -> Measurement:
    """Align all faces from the boxes of their annotations and measure the time.

    Args:
        faces: dataset -> faces.
        repeats: number of timings.
        options: arguments of `rdrface.load`.

    Raises:
        RdrError: the weights cannot be used with these options.
    """
    aligner = rdrface.load(**options, threads=1)
    errors = {}
    for name, records in faces.items():
        predictions, unreadable = run_aligner(aligner, records, SETS[name].outputs)
        for image, reason in unreadable.items():
            print(f"{image}: {reason}", file=sys.stderr)
        errors[name] = SETS[name].errors(records, predictions)[ERRORS[name]]
    speed = measure_speed(1, repeats=repeats, **options)
    return Measurement(aligner.crop_size, speed.precision, errors, speed.network_ms, speed.total_ms)


def table(measurements: list[Measurement], large: np.ndarray) -> Table:
    """Table with one row per measurement.

    Args:
        measurements: the rows; the first is the one that the others are compared with.
        large: (N,) bool, large faces of the held-out part of 300-W.
    """
    first = measurements[0].errors["300w"]
    rows = []
    for row in measurements:
        eyes = row.errors["300w"]
        change = mean_error((eyes - first)[large])
        cells = (
            _with_error(row.errors["merl-rav"]),
            _with_error(eyes),
            _with_error(eyes[large]),
            f"{change.mean:+.3f} ± {change.standard_error:.3f}",
            f"{row.network_ms:.1f}",
            f"{row.total_ms:.1f}",
        )
        rows.append(Row(f"{row.size} pixels, {row.precision}", cells))
    count = len(measurements[0].errors["merl-rav"])
    notes = (
        f"MERL-RAV: test part, visible points, % of the face size, {count} faces. 300-W: faces held out by {CONFIG},",
        f"% of the inter-ocular distance, {len(large)} faces; large: {int(large.sum())} faces whose crop has more than "
        f"{LARGE_CROP:g} image pixels on a side.",
        "Change: on the large faces, from the first row. ± standard error. Times in ms on one core.",
    )
    columns = ("MERL-RAV", "300-W", "300-W, large", "change", "network", "one image")
    return Table("NME in percent and time, by crop size and precision", columns, tuple(rows), notes)


def _with_error(values: np.ndarray) -> str:
    figures = mean_error(values)
    return f"{figures.mean:.2f} ± {figures.standard_error:.2f}"


@reports_errors
def main() -> int:
    """Print the table; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("merl_rav", type=Path, metavar="MERL-RAV", help="folder of MERL-RAV")
    parser.add_argument("w300", type=Path, metavar="300-W", help="folder of 300-W")
    parser.add_argument(
        "--sizes",
        type=positive,
        nargs="+",
        metavar="N",
        help="crop sizes, the argument `size` of rdrface.load (default: that of the weights)",
    )
    parser.add_argument(
        "--precisions", nargs="+", choices=PRECISIONS[1:], default=["float32", "int8"], help="default: float32 int8"
    )
    parser.add_argument("--weights", type=weights_file, metavar="FILE|lite", help="default: the packaged full weights")
    parser.add_argument("--faces", type=positive, metavar="N", help="faces of MERL-RAV, spread evenly (default: all)")
    parser.add_argument("--repeats", type=positive, default=30, metavar="N", help="timings of each part (default: 30)")
    args = parser.parse_args()
    merl_rav = SETS["merl-rav"].read(args.merl_rav)
    if args.faces is not None:
        merl_rav = merl_rav.select(np.linspace(0, len(merl_rav) - 1, args.faces).astype(int))
    faces = {"merl-rav": merl_rav, "300w": read_held_out("300w", args.w300, CONFIG)}
    measurements = []
    for size in args.sizes or [None]:
        for precision in args.precisions:
            options = {"weights": args.weights, "precision": precision} | ({} if size is None else {"size": size})
            try:
                measurements.append(measure(faces, args.repeats, options))
            except ConfigError as error:
                # This processor does not support the precision.
                print(f"{size or ''} {precision}: {error}", file=sys.stderr)
    if not measurements:
        return 1
    print(table(measurements, large_faces(box_size(faces["300w"].box))).to_text())
    return 0


if __name__ == "__main__":
    sys.exit(main())
