"""rdrface beside dlib, MediaPipe, SDM and face-alignment on the test faces of a public set, in one command.

python benchmarks/baselines/compare.py SET DIR -o FOLDER [--sdm mean.npz] [--sdm-from-ours ours.npz]

Makes in FOLDER what is missing: environments, the list of faces, for MERL-RAV the yaws (from its labels, never from
predictions), and a recording of every method; what is there is used again. Then prints the tables, and writes them to
FOLDER/SET/tables.json and tables.md. A method that cannot be measured has a row that says why. See README.md.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path

from baselines import record
from comparison import Method, accuracy_tables, behind, cost_table, marked, to_json, to_markdown

from rdrface.datasets.annotations import Annotations
from rdrface.errors import DataError, RdrError
from rdrface.evaluation.predictions.face_list import write_face_list
from rdrface.evaluation.predictions.fitted_poses import with_fitted_poses
from rdrface.evaluation.protocols.sets import SETS

CONTOURS = {"merl-rav": "outline", "aflw2000-3d": "jawline"}
"""Set -> the convention of its contour labels, asked of the methods that have both."""

USUAL = ("rdrface", "dlib", "mediapipe", "sdm", "sdm-from-ours")
"""Compared when --peers says nothing. The environment of face-alignment is large and is made only when asked for."""


def main() -> int:
    """Command line; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("set", choices=tuple(CONTOURS), help="the public set")
    parser.add_argument("folder", type=Path, metavar="DIR", help="where the set lies, in its official layout")
    parser.add_argument(
        "-o", "--out", type=Path, required=True, metavar="FOLDER", help="environments, recordings, tables"
    )
    parser.add_argument("--peers", nargs="+", choices=tuple(peers(None, None)), default=USUAL, metavar="PEER")
    parser.add_argument("--boxes", nargs="+", choices=("own", "given"), default=("own", "given"))
    parser.add_argument("--sdm", type=Path, metavar="FILE", help="cascade of benchmarks/sdm/train.py")
    parser.add_argument("--sdm-from-ours", type=Path, metavar="FILE", help="the same, of train.py --start ours")
    args = parser.parse_args()
    try:
        return compare(args)
    except RdrError as error:
        print(f"compare.py: {error}", file=sys.stderr)
        return 1


def compare(args: argparse.Namespace) -> int:
    """Record, measure, print; 0 when every method could be measured, else 1."""
    place = args.out / args.set
    place.mkdir(parents=True, exist_ok=True)
    annotations = annotated(args.set, args.folder, args.out)
    faces = face_list(place / "faces.json", annotations, args.folder)
    chosen = {name: peer for name, peer in peers(args.sdm, args.sdm_from_ours).items() if name in args.peers}
    tables, problems = [], 0
    for boxes in args.boxes:
        methods = []
        for name, peer in chosen.items():
            if boxes not in peer.boxes:
                continue
            out = place / f"{name}-{boxes}.json"
            reason = record(peer, faces, boxes, CONTOURS[args.set], out, args.out)
            methods.append(Method(peer.title, reason=reason) if reason else Method.read(out, annotations))
            problems += bool(reason)
        said = {"own": "each method's own detector", "given": "true boxes"}[boxes]
        title = f"{SETS[args.set].title}, {said}"
        tables += [*accuracy_tables(annotations, methods, title), cost_table(methods, title)]
    print("\n\n".join(marked(table).to_text() for table in tables))
    lines = [line for table in tables for line in behind(table, "rdrface")]
    print("\n* the best of the column. rdrface is not the best in:" if lines else "\n* the best of the column.")
    print("\n".join(f"  {line}" for line in lines))
    content = {"set": args.set, "faces": len(annotations), "tables": to_json(tables), "rdrface_behind": lines}
    (place / "tables.json").write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    last = "\n".join(["### Where rdrface is not the best", "", *(f"- {line}" for line in lines or ["nowhere"])])
    (place / "tables.md").write_text("\n\n".join([*map(to_markdown, tables), last]) + "\n", encoding="utf-8")
    return 1 if problems else 0


def annotated(name: str, folder: Path, out: Path) -> Annotations:
    """The set's test faces with angles.

    Raises:
        RdrError: the set cannot be read, or MERL-RAV cannot be fitted.
    """
    annotations = SETS[name].read(folder)
    if annotations.yaw is not None:
        return annotations
    fits = out / f"{name.replace('-', '_')}_test_fits.npz"
    if not fits.exists():
        # As a command of its own: it is the command that documents how the yaws were made.
        command = [sys.executable, "-m", "rdrface", "fit", name, str(folder), "--split", "test", "-o", str(fits)]
        subprocess.run(command, check=False, stdout=sys.stderr)
        if not fits.exists():
            raise DataError(f"the faces of {folder} could not be fitted, so their yaws are not known")
    return with_fitted_poses(annotations, fits)


def face_list(path: Path, annotations: Annotations, folder: Path) -> Path:
    """Write the list of faces for the recorders.

    Raises:
        DataError: there is a list of other faces, of which recordings may lie beside it.
    """
    partial = path.with_name("faces.part")
    write_face_list(partial, annotations, folder)
    if path.exists() and path.read_bytes() != partial.read_bytes():
        partial.unlink()
        raise DataError(f"{path.parent} holds recordings of other faces; choose another folder or remove it")
    partial.replace(path)
    return path


if __name__ == "__main__":
    sys.exit(main())
