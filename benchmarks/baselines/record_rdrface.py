"""Predictions of rdrface for a list of faces, recorded as those of the peers are.

python record_rdrface.py FACES.json -o predictions.json [--boxes own|given] [--contour outline|jawline]

`rdrface evaluate SET DIR --record FILE` writes the same landmarks. This recorder is here for the clock: one processor
core, and the detector apart. The photos are shown as they are, without a border.
"""

import importlib.metadata
import re
import tomllib
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from recording import Clock, Recording, arguments, faces_by_photo, megabytes_of, one_core, progress, read_rgb

import rdrface
from rdrface.aligner import PACKAGED_WEIGHTS
from rdrface.detection.retinaface import weights as retinaface_weights
from rdrface.runtime.weights import graph_path

CHECKOUT = Path(__file__).resolve().parents[2]

_NAME = re.compile(r"[A-Za-z0-9._-]+")


def record(
    aligner: rdrface.Aligner,
    photos: dict[str, list[dict[str, Any]]],
    boxes: str,
    output: str,
    recording: Recording,
) -> None:
    """Add what rdrface finds; `output` names the 68 points of a `rdrface.Face`."""
    for path, faces in progress(photos):
        photo = read_rgb(path)
        if boxes == "given":
            for entry in faces:
                with Clock() as clock:
                    (face,) = aligner.align(photo, np.array([entry["box"]]))
                recording.add(entry, getattr(face, output), given=True, clock=clock)
            continue
        with Clock() as whole:
            found = aligner.detect(photo)
        if len(found) != 1:
            for face in found:
                recording.add(faces[0], getattr(face, output), box=face.box)
            continue
        with Clock() as detector:
            aligner.detector.detect(photo)
        recording.add(faces[0], getattr(found[0], output), box=found[0].box, clock=whole, detector=detector)


def installed_megabytes() -> float:
    """Of this checkout's package and all that it needs to run, as the packages' own lists of files have it."""
    sizes: dict[str, float] = {}

    def add(requirement: str) -> None:
        name = _NAME.match(requirement)
        if name is None or name[0] in sizes or "extra ==" in requirement:
            return
        try:
            package = importlib.metadata.distribution(name[0])
        except importlib.metadata.PackageNotFoundError:
            return  # wanted on another system or another Python only
        sizes[name[0]] = megabytes_of(package)
        for further in package.requires or ():
            add(further)

    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    for dependency in project["dependencies"]:
        add(dependency)
    own = [file for file in Path(rdrface.__file__).parent.rglob("*") if file.is_file() and file.suffix != ".pyc"]
    return sum(sizes.values()) + sum(file.stat().st_size for file in own) / 1e6


def main() -> None:
    """Record and write."""
    parser = arguments(__doc__)
    parser.add_argument("--contour", choices=("outline", "jawline"), default="outline", help="default: outline")
    parser.add_argument("--weights", type=Path, metavar="W", help="weights to record (default: the shipped ones)")
    args = parser.parse_args()
    one_core()
    cv2.setNumThreads(1)
    output = "landmarks" if args.contour == "outline" else "landmarks_jawline"
    weights = args.weights or PACKAGED_WEIGHTS
    models = sum(file.stat().st_size for file in (weights, graph_path(weights)))
    if args.boxes == "own":
        models += len(retinaface_weights())
    recording = Recording("rdrface", models / 1e6, installed_megabytes())
    aligner = rdrface.load(weights, threads=1)
    record(aligner, faces_by_photo(args.faces), args.boxes, output, recording)
    recording.write(args.out)


if __name__ == "__main__":
    main()
