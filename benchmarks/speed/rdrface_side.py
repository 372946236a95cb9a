"""rdrface's side of compare.py."""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from sides import image_call, serve, use_one_core, video_call

import rdrface
from rdrface.cli.script import reports_errors

WARM_UP = 5
"""Calls before the first that is timed."""


@reports_errors
def main() -> None:
    """Serve."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("image", type=Path)
    parser.add_argument("--precision", help="see rdrface.load; default: that of rdrface.load")
    parser.add_argument("--size", type=int, help="see rdrface.load; default: that of rdrface.load")
    args = parser.parse_args()
    use_one_core()
    # Earlier versions have no argument `size`.
    options = {name: getattr(args, name) for name in ("precision", "size") if getattr(args, name) is not None}
    name = f"rdrface {rdrface.__version__}, precision {args.precision or 'of rdrface.load'}"
    name += "" if args.size is None else f", {args.size} px crops"
    serve(name, lambda: open_rows(np.load(args.image), options))


def open_rows(image: np.ndarray, options: dict[str, Any]) -> tuple[dict[str, Callable[[], float]], dict[str, str]]:
    """Row -> function that makes one call and returns its seconds; and row -> reason why it cannot be measured."""
    rows: dict[str, Callable[[], float]] = {}
    missing: dict[str, str] = {}
    for label, weights in (("default", None), ("lite", "lite")):
        try:
            aligner = rdrface.load(weights, threads=1, **options)
        except rdrface.errors.RdrError as error:
            missing |= dict.fromkeys((f"{label}, image", f"{label}, video"), str(error))
            continue
        if len(aligner.detect(image)) != 1:
            raise SystemExit(f"rdrface ({label}) does not find exactly one face in the image")
        rows[f"{label}, image"] = image_call(aligner.detect, image)
        if not hasattr(rdrface, "Tracker"):
            missing[f"{label}, video"] = "this version has no rdrface.Tracker"
            continue
        rows[f"{label}, video"] = video_call(rdrface.Tracker(aligner).update, image)
    for call in rows.values():
        for _ in range(WARM_UP):
            call()
    return rows, missing


if __name__ == "__main__":
    sys.exit(main())
