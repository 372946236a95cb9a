"""Measures the constants of record_dlib.py that convert a landmark box to dlib's rectangle.

python fit_dlib_box.py TRAIN.json [--every 4]

TRAIN.json is written by training_faces.py. Runs in the environment of dlib.txt. Prints medians over dlib's detections
of the annotated faces, by source, and the error of dlib's landmarks in these rectangles for each of --working-sides.
"""

import argparse
import json
from collections import defaultdict
from pathlib import Path

import numpy as np
import record_dlib
from views import read_rgb

from recording import use_one_core


def main() -> None:
    """Print the medians."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("faces", type=Path, metavar="TRAIN.json", help="list written by training_faces.py")
    parser.add_argument("--every", type=int, default=4, help="use every n-th face (default: 4)")
    parser.add_argument(
        "--working-sides",
        type=int,
        nargs="+",
        default=[100, 400],
        metavar="PIXELS",
        help="sides of the rectangle in the image that is passed to the trees (default: 100 400)",
    )
    args = parser.parse_args()

    use_one_core()
    dlib = record_dlib.Dlib()
    rows = defaultdict(list)
    count: dict[str, int] = defaultdict(int)
    for face in json.loads(args.faces.read_text(encoding="utf-8"))[:: args.every]:
        source = face["source"]
        count[source] += 1
        image = read_rgb(face["path"])
        box = np.array(face["box"])
        center, size = (box[:2] + box[2:]) / 2, float(np.sqrt(np.prod(box[2:] - box[:2])))
        truth = np.array([point or (np.nan, np.nan) for point in face["landmarks"]])
        for rectangle in dlib.rectangles(image):
            offset = ((rectangle[:2] + rectangle[2:]) / 2 - center) / size
            side = (rectangle[2] - rectangle[0]) / size
            if np.abs(offset).max() > 0.4 or not 0.5 < side < 2:
                continue  # another face, or a false detection
            errors = []
            for pixels in args.working_sides:
                record_dlib.WORKING_SIDE = pixels
                difference = dlib.landmarks(image, rectangle) - truth
                errors.append(100 * np.nanmean(np.linalg.norm(difference, axis=1)) / size)
            rows[source].append([side, *offset, *errors])
            break
    names = ("side", "shift x", "shift y", *(f"error % at {pixels}" for pixels in args.working_sides))
    print("found", *names, sep="\t")
    for source, values in (*rows.items(), ("all", [row for found in rows.values() for row in found])):
        total = count[source] if source in count else sum(count.values())
        print(f"{len(values)}/{total}", *np.median(values, axis=0).round(3), source, sep="\t")


if __name__ == "__main__":
    main()
