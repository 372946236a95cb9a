"""``rdrface bench``: speed, start-up time and memory on this machine."""

import argparse
import json
import platform
import sys
from dataclasses import asdict
from pathlib import Path

from rdrface._version import __version__
from rdrface.cli.options import add_device_and_backend, add_overwrite, add_precision, add_size, check_output_files
from rdrface.errors import ConfigError
from rdrface.evaluation.speed import TABLE_NOTE, measure_speed, speed_table
from rdrface.files import write_aside


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
    add_device_and_backend(parser)
    add_precision(parser)
    add_size(parser)
    parser.add_argument(
        "--weights", metavar="FILE", help="weights to measure: a file, or lite (default: the packaged weights)"
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
        check_output_files((Path(args.json),), args.overwrite)
    names = ("device", "backend", "precision", "size")
    options = {name: getattr(args, name) for name in names if getattr(args, name) is not None}
    try:
        results = [measure_speed(threads, args.weights, args.repeats, **options) for threads in args.threads]
    except ValueError as error:
        raise ConfigError(str(error)) from error
    chosen = ", ".join(f"{name} {value}" for name, value in {"weights": args.weights, **options}.items() if value)
    if args.json != "-":
        print(
            f"rdrface {__version__}, {chosen or 'default options'}, {platform.machine()}, image of 640 x 480 pixels, "
            f"medians of {args.repeats}"
        )
        print(speed_table(results))
        print(TABLE_NOTE)
    if args.json:
        content = {"rdrface": __version__, "weights": args.weights, **options, "machine": platform.machine()}
        text = json.dumps(content | {"results": [asdict(result) for result in results]}, indent=2)
        if args.json == "-":
            print(text)
        else:
            with write_aside(args.json) as partial:
                partial.write_text(text + "\n", encoding="utf-8")
    return 0
