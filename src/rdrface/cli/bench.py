"""``rdrface bench``: speed, start-up time and memory on this machine."""

import argparse
import json
import platform
import sys
from dataclasses import asdict
from pathlib import Path

from rdrface._version import __version__
from rdrface.cli.options import add_overwrite, refuse_existing, weights_file
from rdrface.evaluation.speed import TABLE_NOTE, measure_speed, speed_table
from rdrface.files import write_aside
from rdrface.runtime.session import BACKENDS


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `rdrface bench`."""
    parser.add_argument(
        "--threads",
        type=int,
        nargs="+",
        default=[1, 2],
        metavar="N",
        help="numbers of threads to measure (default: 1 2)",
    )
    parser.add_argument(
        "--repeats", type=int, default=30, metavar="N", help="number of timings of each part (default: 30)"
    )
    parser.add_argument("--backend", choices=BACKENDS, default="openvino", help="inference backend (default: openvino)")
    parser.add_argument(
        "--weights",
        type=weights_file,
        metavar="FILE|lite",
        help="weights to measure; lite for the packaged light weights (default: the packaged full weights)",
    )
    parser.add_argument(
        "--json", metavar="FILE", help="write the measurements to FILE; - prints them instead of the table"
    )
    add_overwrite(parser)


def run(args: argparse.Namespace) -> int:
    """Run the command.

    Returns:
        Exit status: 0, or 2 for an invalid argument.

    Raises:
        RdrError: the file of --json exists and --overwrite is not given, or the weights cannot be used.
    """
    if args.repeats < 1 or min(args.threads) < 1:
        print("rdrface bench: --threads and --repeats must be at least 1", file=sys.stderr)
        return 2
    if args.json and args.json != "-":
        refuse_existing((Path(args.json),), args.overwrite)
    results = [measure_speed(threads, args.weights, args.backend, args.repeats) for threads in args.threads]
    if args.json != "-":
        print(
            f"rdrface {__version__}, {args.backend}, {platform.machine()}, image of 640 x 480 pixels, medians of "
            f"{args.repeats}"
        )
        print(speed_table(results))
        print(TABLE_NOTE)
    if args.json:
        content = {"rdrface": __version__, "backend": args.backend, "machine": platform.machine()}
        text = json.dumps(content | {"results": [asdict(result) for result in results]}, indent=2)
        if args.json == "-":
            print(text)
        else:
            with write_aside(args.json) as partial:
                partial.write_text(text + "\n", encoding="utf-8")
    return 0
