"""Measures how reliable the results of `rdrface detect` are in one difficult case.

python benchmarks/reliability/measure.py CASE SET DIR [--rdrface PATH] [--count N] [--keep FOLDER] [--sheet FILE]

Makes the inputs of the case from annotated photos, runs the executable of a release on them, and prints a table. See
README.md.
"""

import argparse
import sys
import tempfile
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path

import cut_faces
import duplicates
import no_face
import resolution
import rotation
import situations
from annotated_photos import READERS, Annotated, is_upright, read_faces
from detecting import Release

from rdrface.cli.script import reports_errors
from rdrface.errors import ConfigError, DataError
from rdrface.evaluation.tables.tables import Table

Case = Callable[[Release, Sequence[Annotated], Path], list[Table]]

UPRIGHT_CASES: dict[str, Case] = {
    "rotation": rotation.measure,
    "cut": cut_faces.measure,
    "resolution": resolution.measure,
}
"""Cases of upright faces, alone in their photos by annotation."""

CASES = (*UPRIGHT_CASES, "duplicates", "no-face", "command-line")


@reports_errors
def main() -> int:
    """Command line; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("case", choices=CASES, help="what to measure")
    parser.add_argument("set", choices=tuple(READERS), help="name of the set")
    parser.add_argument("folder", type=Path, metavar="DIR", help="folder of the set, in its official layout")
    parser.add_argument(
        "--rdrface", metavar="PATH", help="executable of the release to measure (default: the installed one)"
    )
    parser.add_argument(
        "--count",
        type=int,
        default=40,
        metavar="N",
        help="number of faces, 0: all (default: 40); cut: and half as many turned ones",
    )
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="of the choice of faces (default: 0)")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="write the inputs into this new folder and keep it")
    parser.add_argument(
        "--sheet", type=Path, metavar="FILE", help="no-face: image file for the detections without an annotation"
    )
    args = parser.parse_args()
    print(run(args))
    return 0


def run(args: argparse.Namespace) -> str:
    """Measure one case; the text to print."""
    if args.sheet and args.case != "no-face":
        raise ConfigError("--sheet belongs to the case no-face")
    if args.keep and args.keep.exists():
        raise ConfigError(f"--keep must be a new folder, but {args.keep} exists")
    release = Release.at(args.rdrface) if args.rdrface else Release.current()
    if args.case == "cut":
        faces = cut_faces.select(args.set, args.folder, args.count, args.seed)
    else:
        selection = None if args.case in ("duplicates", "no-face") else is_upright
        faces = list(read_faces(args.set, args.folder, args.count, args.seed, selection))
    if not faces:
        raise DataError(f"{args.folder} has no faces for the case {args.case}")
    with ExitStack() as stack:
        folder = args.keep or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        folder.mkdir(parents=True, exist_ok=True)
        if args.case == "command-line":
            return situations.measure(release, faces[0], folder)
        if args.case == "no-face":
            tables = no_face.measure(release, faces, folder, args.sheet)
        else:
            tables = {**UPRIGHT_CASES, "duplicates": duplicates.measure}[args.case](release, faces, folder)
    return "\n\n".join(table.to_text() for table in tables)


if __name__ == "__main__":
    sys.exit(main())
