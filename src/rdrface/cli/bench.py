"""``rdrface bench``: speed, start-up time and memory on this machine."""

import argparse
import json
import platform
import sys
from dataclasses import asdict
from pathlib import Path

from rdrface._version import __version__
from rdrface.evaluation.speed import measure, table
from rdrface.runtime.session import BACKENDS


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of the subcommand."""
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2], metavar="N", help="default: 1 2")
    parser.add_argument("--repeats", type=int, default=30, metavar="N", help="timings per part (default: 30)")
    parser.add_argument("--backend", choices=BACKENDS, default="openvino", help="default: openvino")
    parser.add_argument("--weights", type=Path, metavar="FILE", help="another weights file than the packaged one")
    parser.add_argument(
        "--json", metavar="FILE", help="also write the figures; - is standard output, without the table"
    )


def run(args: argparse.Namespace) -> int:
    """Do it; returns the exit status."""
    if args.repeats < 1 or min(args.threads) < 1:
        print("rdrface bench: --threads and --repeats must be at least 1", file=sys.stderr)
        return 2
    results = [measure(threads, args.weights, args.backend, args.repeats) for threads in args.threads]
    if args.json != "-":
        print(
            f"rdrface {__version__}, {args.backend}, {platform.machine()}, 640 x 480 photo, medians of {args.repeats}"
        )
        print(table(results))
    if args.json:
        content = {"rdrface": __version__, "backend": args.backend, "machine": platform.machine()}
        text = json.dumps(content | {"results": [asdict(one) for one in results]}, indent=2)
        if args.json == "-":
            print(text)
        else:
            Path(args.json).write_text(text + "\n", encoding="utf-8")
    return 0
