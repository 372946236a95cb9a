"""Measures the default detector on annotated photos.

python benchmarks/detection/measure.py CASE SET DIR [--count N] [--seed N]

Prints a table of docs/detection.md. See README.md.
"""

import argparse
import math
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[1] / "reliability"))

import boxes_by_edge
import boxes_by_resolution
import boxes_by_rotation
import coarse_pass
import recall
from annotated_photos import READERS, Annotated, is_upright, read_faces
from matching import scaled

from rdrface.cli.script import reports_errors
from rdrface.errors import DataError
from rdrface.evaluation.tables.tables import Table

CASES: dict[str, tuple[Callable[[Sequence[Annotated]], list[Table]], float]] = {
    "angles": (boxes_by_rotation.measure, 120.0),
    "coarse": (coarse_pass.measure, 400.0),
    "cut": (boxes_by_edge.measure, 120.0),
    "recall": (recall.measure, math.inf),
    "resolution": (boxes_by_resolution.measure, 400.0),
    "time": (boxes_by_resolution.measure_time, 400.0),
}
"""Name of a case -> its function, and the face size in pixels to which larger photos are downscaled before."""


@reports_errors
def main() -> int:
    """Command line; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("case", choices=tuple(CASES), help="what to measure")
    parser.add_argument("set", choices=tuple(READERS), help="name of the set")
    parser.add_argument("folder", type=Path, metavar="DIR", help="folder of the set, in its official layout")
    parser.add_argument(
        "--count", type=int, default=100, metavar="N", help="number of upright faces, 0: all (default: 100)"
    )
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="of the choice of faces (default: 0)")
    args = parser.parse_args()
    function, size = CASES[args.case]
    faces = [scaled(face, size) for face in read_faces(args.set, args.folder, args.count, args.seed, is_upright)]
    if not faces:
        raise DataError(f"{args.folder} has no upright face that is alone in its photo")
    print("\n\n".join(table.to_text() for table in function(faces)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
