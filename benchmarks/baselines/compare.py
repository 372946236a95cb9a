"""Compares rdrface with dlib, MediaPipe, SDM and face-alignment on the test faces of a public set.

python benchmarks/baselines/compare.py SET DIR -o FOLDER [--sdm mean.npz] [--sdm-from-ours ours.npz] [--csv FILE]

Writes to FOLDER the environments, the list of faces, the yaws of MERL-RAV (from its annotations, never from
predictions) and a recording of every method; existing files are reused. Prints the tables. A method that cannot be
measured has a row of dashes and a note with the reason. See README.md.
"""

import argparse
import subprocess
import sys
from pathlib import Path

from comparison import Result, accuracy_tables, columns_behind, cost_table, marked
from methods import BASELINES, all_methods
from results_csv import figures, write_csv
from run_recorder import run_recorder

from rdrface.cli.script import reports_errors
from rdrface.datasets.records import FaceRecords
from rdrface.errors import DataError
from rdrface.evaluation.predictions.face_list import write_face_list
from rdrface.evaluation.predictions.fitted_poses import with_fitted_poses
from rdrface.evaluation.protocols.sets import SETS

CONTOURS = {"merl-rav": "outline", "aflw2000-3d": "jawline"}
"""Set -> contour convention of its annotations. Methods that predict both conventions use this one."""

BOXES = {"own": "own detector", "given": "true boxes"}
"""Box source -> its name in the titles of the tables."""

DEFAULT = ("dlib", "mediapipe", "sdm", "sdm-from-ours")
"""Default of --baselines. face-alignment is left out because its environment is large."""


@reports_errors
def main() -> int:
    """Command line; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("set", choices=tuple(CONTOURS), help="name of the set")
    parser.add_argument("folder", type=Path, metavar="DIR", help="folder of the set, in its official layout")
    parser.add_argument(
        "-o", "--out", type=Path, required=True, metavar="FOLDER", help="folder for environments and recordings"
    )
    parser.add_argument(
        "--baselines",
        nargs="+",
        choices=BASELINES,
        default=DEFAULT,
        metavar="NAME",
        help=f"methods to compare with rdrface: {', '.join(BASELINES)} (default: all but face-alignment)",
    )
    parser.add_argument(
        "--boxes",
        nargs="+",
        choices=tuple(BOXES),
        default=tuple(BOXES),
        help="own: the method's own detector; given: the true landmark boxes (default: both)",
    )
    parser.add_argument("--sdm", type=Path, metavar="FILE", help="cascade trained by benchmarks/sdm/train.py")
    parser.add_argument("--sdm-from-ours", type=Path, metavar="FILE", help="the same, trained with --start ours")
    parser.add_argument("--csv", type=Path, metavar="FILE", help="also write all figures; other sets in FILE are kept")
    args = parser.parse_args()
    return compare(args)


def compare(args: argparse.Namespace) -> int:
    """Record, measure and print; returns 0 if every method could be measured, else 1."""
    folder = args.out / args.set
    folder.mkdir(parents=True, exist_ok=True)
    annotations = annotations_with_yaw(args.set, args.folder, args.out)
    faces = face_list(folder / "faces.json", annotations, args.folder)
    methods = {
        name: method
        for name, method in all_methods(args.sdm, args.sdm_from_ours).items()
        if name == "rdrface" or name in args.baselines
    }
    tables, rows, unmeasured = [], [], 0
    for boxes in args.boxes:
        results = []
        for name, method in methods.items():
            if boxes not in method.boxes:
                continue
            out = folder / f"{name}-{boxes}.json"
            reason = run_recorder(method, faces, boxes, CONTOURS[args.set], out, args.out)
            results.append(Result(method.title, reason=reason) if reason else Result.read(out, annotations))
            unmeasured += bool(reason)
        title = f"{SETS[args.set].title}, {BOXES[boxes]}"
        for comparison in (*accuracy_tables(annotations, results, title), cost_table(results, title)):
            tables.append(comparison.table)
            rows += figures(args.set, boxes, comparison)
    print("\n\n".join(marked(table).to_text() for table in tables))
    lines = [line for table in tables for line in columns_behind(table, "rdrface")]
    print("\n* best of the column." + (" rdrface is not the best in:" if lines else ""))
    print("\n".join(f"  {line}" for line in lines))
    if args.csv is not None:
        write_csv(args.csv, args.set, rows)
    return 1 if unmeasured else 0


def annotations_with_yaw(name: str, folder: Path, out: Path) -> FaceRecords:
    """The set's test faces with angles.

    Raises:
        RdrError: the set cannot be read, or MERL-RAV cannot be fitted.
    """
    annotations = SETS[name].read(folder)
    if annotations.yaw is not None:
        return annotations
    fits = out / f"{name.replace('-', '_')}_test_fits.npz"
    if not fits.exists():
        # A separate process, so that the yaws are those of the documented command.
        command = [sys.executable, "-m", "rdrface", "fit", name, str(folder), "--split", "test", "-o", str(fits)]
        subprocess.run(command, check=False, stdout=sys.stderr)
        if not fits.exists():
            raise DataError(f"`rdrface fit {name} {folder}` failed, so the yaws of the faces are unknown; see above")
    return with_fitted_poses(annotations, fits)


def face_list(path: Path, annotations: FaceRecords, folder: Path) -> Path:
    """Write the list of faces for the recorders.

    Raises:
        DataError: the file exists and lists other faces: the folder may contain recordings of those.
    """
    partial = path.with_name("faces.part")
    write_face_list(partial, annotations, folder)
    if path.exists() and path.read_bytes() != partial.read_bytes():
        partial.unlink()
        raise DataError(f"{path.parent} contains recordings of other faces; choose another folder or remove it")
    partial.replace(path)
    return path


if __name__ == "__main__":
    sys.exit(main())
