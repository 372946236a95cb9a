"""Writes training faces with their landmarks, for fitting the constants of the recorders. Test faces are never used.

python benchmarks/baselines/training_faces.py merl-rav=DIR 300w=DIR -n 1500 -o TRAIN.json

The list has the form of `rdrface evaluate --faces`, with two more keys per face: "landmarks", 68 times [x, y], null for
a point that is hidden or has no position, and "mirrored", the 68 points of the mirrored face with -x. Needs rdrface.
"""

import argparse
import json
import sys
from pathlib import Path

import numpy as np

from rdrface.cli.script import reports_errors
from rdrface.datasets.readers import read_set
from rdrface.datasets.records import UNKNOWN, VISIBLE
from rdrface.files import write_aside
from rdrface.fitting.estimated_boxes import with_missing_boxes
from rdrface.landmarks import MIRROR


@reports_errors
def main() -> None:
    """Write the list."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sets", nargs="+", metavar="SET=DIR", help="set and its folder; its training part is used")
    parser.add_argument("-n", type=int, default=1500, help="number of evenly spaced faces of each set (default: 1500)")
    parser.add_argument("-o", "--out", type=Path, required=True, metavar="TRAIN.json", help="list to write")
    args = parser.parse_args()

    faces = []
    for name, _, folder in (given.partition("=") for given in args.sets):
        records = with_missing_boxes(read_set(name, Path(folder), "train"))
        records = records.select(np.unique(np.linspace(0, len(records) - 1, args.n).astype(int)))
        visible = np.isin(records.state, (VISIBLE, UNKNOWN)) & np.isfinite(records.points).all(-1)
        for i in range(len(records)):
            points = [
                point if known else None for point, known in zip(records.points[i].tolist(), visible[i], strict=True)
            ]
            faces.append(
                {
                    "face": len(faces),
                    "image": records.image[i].item(),
                    "path": str(Path(records.image[i]).absolute()),
                    "box": records.box[i].tolist(),
                    "source": records.source[i].item(),
                    "landmarks": points,
                    "mirrored": [None if points[j] is None else [-points[j][0], points[j][1]] for j in MIRROR],
                }
            )
    with write_aside(args.out) as partial:
        partial.write_text(json.dumps(faces) + "\n", encoding="utf-8")
    print(f"{len(faces)} faces written to {args.out}")


if __name__ == "__main__":
    sys.exit(main())
