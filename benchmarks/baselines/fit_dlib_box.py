"""The constants of record_dlib.py that bring a landmark box to dlib's rectangle, from dlib's own detections.

python fit_dlib_box.py TRAIN.json [--every 4]

TRAIN.json is what training_faces.py wrote. Runs in the environment of dlib.txt. Prints medians over the detections that
are the annotated face, by part of the sets, and the error of dlib's landmarks at the very rectangles it found: where
WORKING_SIDE makes a difference, it is too low.
"""

import argparse
import json
from collections import defaultdict
from pathlib import Path

import numpy as np
import record_dlib
from recording import one_core, read_rgb


def main() -> None:
    """Print the medians."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("faces", type=Path, metavar="TRAIN.json")
    parser.add_argument("--every", type=int, default=4, help="take every such face only (default: 4)")
    parser.add_argument("--working-sides", type=int, nargs="+", default=[100, 400], metavar="PIXELS")
    args = parser.parse_args()

    one_core()
    peer = record_dlib.Dlib()
    rows = defaultdict(list)
    count: dict[str, int] = defaultdict(int)
    for face in json.loads(args.faces.read_text(encoding="utf-8"))[:: args.every]:
        part = face["source"]
        count[part] += 1
        photo = read_rgb(face["path"])
        box = np.array(face["box"])
        center, size = (box[:2] + box[2:]) / 2, float(np.sqrt(np.prod(box[2:] - box[:2])))
        truth = np.array([point or (np.nan, np.nan) for point in face["landmarks"]])
        for found in peer.find(photo):
            offset, side = ((found[:2] + found[2:]) / 2 - center) / size, (found[2] - found[0]) / size
            if np.abs(offset).max() > 0.4 or not 0.5 < side < 2:
                continue  # another face, or none
            errors = []
            for pixels in args.working_sides:
                record_dlib.WORKING_SIDE = pixels
                difference = peer.landmarks(photo, found) - truth
                errors.append(100 * np.nanmean(np.linalg.norm(difference, axis=1)) / size)
            rows[part].append([side, *offset, *errors])
            break
    names = ("side", "shift x", "shift y", *(f"error % at {pixels}" for pixels in args.working_sides))
    print("found", *names, sep="\t")
    for part, values in (*rows.items(), ("all", [row for found in rows.values() for row in found])):
        total = count[part] if part in count else sum(count.values())
        print(f"{len(values)}/{total}", *np.median(values, axis=0).round(3), part, sep="\t")


if __name__ == "__main__":
    main()
