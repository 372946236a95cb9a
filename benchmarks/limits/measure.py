"""Measures how the error grows with pose, size, blur, darkness, compression, occlusion and age, and what is reported.

python benchmarks/limits/measure.py SET DIR [--poses FILE] [--properties NAME ...] [--faces N] [--precision P]

Prints tables of docs/limits.md. See README.md.
"""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

sys.path += [str(Path(__file__).resolve().parents[1] / name) for name in ("reliability", "detection")]

import numpy as np
from degradations import DEGRADATIONS, EXPLANATIONS
from groups import Groups, by_age, by_occlusion, by_pitch, by_yaw
from held_out_faces import SETS, HeldOutFace, read_faces, read_records
from outcomes import NOTES, Outcomes, measure, table
from sheet import write_degradations

import rdrface
from rdrface.aligner import Aligner
from rdrface.cli.options import weights_file
from rdrface.cli.script import reports_errors
from rdrface.datasets.records import FaceRecords
from rdrface.errors import ConfigError
from rdrface.evaluation.tables.tables import Table
from rdrface.geometry.boxes import box_size
from rdrface.runtime.precision import PRECISIONS

PROPERTIES: dict[str, tuple[str, ...]] = {
    "merl-rav": ("pose", "annotated-occlusion", *DEGRADATIONS),
    "fgnet": ("age", *DEGRADATIONS),
}
"""Set -> properties that can be measured on it."""

TITLES = {"merl-rav": "MERL-RAV, test part, visible points", "fgnet": "FG-NET, test persons, 19 points"}
"""Set -> its name in the tables."""


@reports_errors
def main() -> int:
    """Command line; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("set", choices=SETS, help="name of the set")
    parser.add_argument("folder", type=Path, metavar="DIR", help="folder of the set, in its official layout")
    parser.add_argument("--poses", type=Path, metavar="FILE", help="records written by `rdrface fit`, for the pose")
    parser.add_argument(
        "--properties",
        nargs="+",
        choices=tuple(dict.fromkeys(name for names in PROPERTIES.values() for name in names)),
        help="what to measure (default: all that the set has; pose only with --poses)",
    )
    parser.add_argument(
        "--faces", type=int, default=600, metavar="N", help="number of faces, chosen at random, 0: all (default: 600)"
    )
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="of all random choices (default: 0)")
    parser.add_argument(
        "--precision", choices=PRECISIONS, default="float32", help="of the network and the detector (default: float32)"
    )
    parser.add_argument("--weights", type=weights_file, metavar="FILE|lite", help="default: the packaged full weights")
    parser.add_argument("--sheet", type=Path, metavar="FILE", help="also write an image of the degraded first faces")
    args = parser.parse_args()
    if args.faces < 0:
        parser.error(f"--faces must be a whole number of at least 0; got {args.faces}")
    properties = args.properties or [name for name in PROPERTIES[args.set] if name != "pose" or args.poses]
    check(args.set, properties, args.poses)
    records = read_records(args.set, args.folder, args.faces, args.seed, args.poses)
    aligner = rdrface.load(args.weights, precision=args.precision, threads=1)
    faces = list(read_faces(records))
    if args.sheet:
        write_degradations(aligner, faces, properties, args.seed, args.sheet)
    size = np.median(box_size(records.box))
    print(f"{TITLES[args.set]}: {len(records)} faces, median size {size:.0f} pixels, {aligner.precision}")
    for one in tables(aligner, records, faces, properties, args.seed):
        print(f"\n{one.to_text()}", flush=True)
    print(f"\n{NOTES}")
    return 0


def check(name: str, properties: list[str], poses: Path | None) -> None:
    """Check that the properties can be measured on a set.

    Raises:
        ConfigError: the set lacks one of them, or the pose is missing.
    """
    if lacking := [each for each in properties if each not in PROPERTIES[name]]:
        raise ConfigError(f"{name} has no {', '.join(lacking)}; choose from {', '.join(PROPERTIES[name])}")
    if "pose" in properties and poses is None:
        raise ConfigError(
            f"{name} has no annotated poses: write fitted ones with `rdrface fit {name} DIR --split test -o FILE` and "
            "give them as --poses FILE"
        )


def tables(
    aligner: Aligner, records: FaceRecords, faces: list[HeldOutFace], properties: list[str], seed: int
) -> Iterator[Table]:
    """The tables of some properties, each as soon as it is measured."""
    unchanged = measure(aligner, faces)
    for name in properties:
        if name in DEGRADATIONS:
            rows = [("unchanged", unchanged)]
            rows += [(each.name, measure(aligner, faces, each.change, seed)) for each in DEGRADATIONS[name]]
            yield table(name.capitalize(), rows, (EXPLANATIONS[name],))
        elif name == "pose":
            note = "Angles of 3D faces that were fitted to the annotations, as in Face.pose."
            yield table("|Yaw|", grouped(unchanged, by_yaw(records)), (note,))
            yield table("Pitch", grouped(unchanged, by_pitch(records)), (note, "Positive pitch: the nose points down."))
        elif name == "age":
            yield table("Age", grouped(unchanged, by_age(records)), ("From the names of the files.",))
        else:
            note = "Share of the points with a position that are annotated as behind an object. They are not counted."
            yield table("Annotated occlusion", grouped(unchanged, by_occlusion(records)), (note,))


def grouped(outcomes: Outcomes, groups: Groups) -> list[tuple[str, Outcomes]]:
    """The outcomes of all faces, then of each group."""
    return [("all", outcomes), *((name, outcomes.select(chosen)) for name, chosen in groups)]


if __name__ == "__main__":
    sys.exit(main())
