"""Landmarks of a list of faces by a fitted cascade, as a file of predictions for `rdrface evaluate`.

python benchmarks/sdm/record.py runs/sdm/mean.npz FACES.json -o predictions.json

FACES.json names the faces, [{"face": 0, "image": "a.jpg", "path": "/photos/a.jpg", "box": [x0, y0, x1, y1]}, ...], by
the boxes of their 68 landmarks in photo pixels; a `path` that is not absolute is taken from the folder of FACES.json. A
cascade that starts from our 3D output aligns with the shipped weights of rdrface first. The milliseconds of a face are
those from the photo's pixels on, that alignment included, reading the file not; of one thread, with OMP_NUM_THREADS=1.
"""

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from sdm import SDM
from tqdm import tqdm

import rdrface
from rdrface.aligner import PACKAGED_WEIGHTS
from rdrface.errors import DataError, RdrError
from rdrface.image import read_image
from rdrface.runtime.weights import graph_path

METHODS = {"mean": "SDM", "ours": "RDR 3D + SDM"}


def read_faces(path: Path) -> list[dict[str, Any]]:
    """The list of faces, its paths made absolute.

    Raises:
        DataError: the file is missing, no JSON, or no list of faces.
    """
    try:
        faces = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise DataError(f"no list of faces at {path}; `rdrface evaluate SET DIR --faces {path}` writes one") from error
    except (OSError, ValueError) as error:
        raise DataError(f"{path} is not readable JSON: {error}") from error
    if not isinstance(faces, list):
        raise DataError(f"{path} must hold a list of faces; got {type(faces).__name__}")
    for i, face in enumerate(faces):
        if not isinstance(face, dict) or not {"face", "image", "path", "box"} <= face.keys():
            raise DataError(f"{path}: entry {i} must be an object with face, image, path and box; got {face!r}")
        face["path"] = str(path.parent / face["path"])
    return faces


def record(model: SDM, faces: list[dict[str, Any]], aligner: Any = None) -> list[dict[str, Any]]:
    """Entries of the file of predictions, one per face.

    Args:
        model: the cascade.
        faces: of `read_faces`.
        aligner: `rdrface.Aligner`, for a cascade that starts from our 3D output.

    Raises:
        ImageError: a photo cannot be read.
        DataError: a box is none.
    """
    entries = []
    for face in tqdm(faces, desc="faces", disable=None):
        photo = read_image(face["path"])
        begin = time.perf_counter()
        try:
            box = np.array([face["box"]], np.float64)
            if model.start == "mean":
                landmarks = model.align(photo, boxes=box)[0]
            else:
                landmarks = model.align(photo, starts=aligner.align(photo, box)[0].projection[None])[0]
        except (TypeError, ValueError) as error:
            raise DataError(f"face {face['face']} of {face['image']}: {error}") from error
        milliseconds = 1000 * (time.perf_counter() - begin)
        entries.append(
            {
                "face": face["face"],
                "image": face["image"],
                "landmarks": np.round(landmarks, 3).tolist(),
                "box": face["box"],
                "milliseconds": round(milliseconds, 2),
            }
        )
    return entries


def main() -> int:
    """Command line; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path, metavar="SDM.npz", help="of train.py")
    parser.add_argument("faces", type=Path, metavar="FACES.json", help="`rdrface evaluate SET DIR --faces` writes it")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="FILE.json", help="the predictions")
    args = parser.parse_args()
    cv2.setNumThreads(1)
    files = [args.model]
    try:
        model = SDM.load(args.model)
        faces = read_faces(args.faces)
        aligner = None
        if model.start == "ours":
            aligner = rdrface.load(threads=1)
            files += [PACKAGED_WEIGHTS, graph_path(PACKAGED_WEIGHTS)]
        entries = record(model, faces, aligner)
    except RdrError as error:
        print(f"record.py: {error}", file=sys.stderr)
        return 1
    megabytes = round(sum(file.stat().st_size for file in files) / 1e6, 1)
    content = {"method": METHODS[model.start], "megabytes": megabytes, "faces": entries}
    args.output.write_text(json.dumps(content), encoding="utf-8")
    times = np.array([entry["milliseconds"] for entry in entries])
    typical = f", {np.median(times):.1f} ms per face (median)" if len(times) else ""
    print(f"{args.output}: {len(entries)} faces{typical}, {megabytes} MB of model")
    return 0


if __name__ == "__main__":
    sys.exit(main())
