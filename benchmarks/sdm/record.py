"""Predictions of a trained cascade for a list of faces.

python benchmarks/sdm/record.py runs/sdm/mean.npz FACES.json -o predictions.json

FACES.json lists the faces by their true landmark boxes in image pixels: [{"face": 0, "image": "a.jpg",
"path": "/photos/a.jpg", "box": [x0, y0, x1, y1]}, ...]; a relative `path` starts at the folder of FACES.json. A cascade
that starts from rdrface's 3D output first runs the packaged weights of rdrface. Times include that run, but not reading
the image; set OMP_NUM_THREADS=1 for times on one thread.
"""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from sdm import SDM

import rdrface
from rdrface.cli.script import reports_errors
from rdrface.errors import DataError
from rdrface.image import read_image
from rdrface.loading import PACKAGED_WEIGHTS
from rdrface.runtime.weights import graph_path

sys.path.append(str(Path(__file__).resolve().parents[1] / "baselines"))
import recording

NAMES = {"mean": "SDM", "ours": "RDR 3D + SDM"}


class Cascade:
    """A trained cascade; see `recording.Predictor`. It has no detector.

    Args:
        model: the cascade.
        megabytes: size of its model files.
        aligner: `rdrface.Aligner`, for a cascade that starts from rdrface's 3D output.
    """

    installed_megabytes = None

    def __init__(self, model: SDM, megabytes: float, aligner: Any = None) -> None:
        self.model, self.megabytes, self.aligner = model, megabytes, aligner
        self.name = NAMES[model.start]

    def align(self, image: np.ndarray, box: list[float]) -> np.ndarray:
        """See `recording.Predictor`."""
        boxes = np.array([box], np.float64)
        if self.model.start == "mean":
            return self.model.align(image, boxes=boxes)[0]
        return self.model.align(image, starts=self.aligner.align(image, boxes)[0].projection[None])[0]

    def detect(self, image: np.ndarray) -> list[recording.Found]:
        """Not supported."""
        raise NotImplementedError("the cascade has no detector; record it with given boxes")

    def detector_clock(self, image: np.ndarray) -> None:
        """Always None."""


def read_faces(path: Path) -> list[dict[str, Any]]:
    """The list of faces, its paths made absolute.

    Raises:
        DataError: the file is missing, is not JSON, or is not a list of faces.
    """
    try:
        faces = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise DataError(f"no list of faces at {path}; `rdrface evaluate SET DIR --faces {path}` writes one") from error
    except (OSError, ValueError) as error:
        raise DataError(f"{path} is not readable JSON: {error}") from error
    if not isinstance(faces, list):
        raise DataError(f"{path} must contain a list of faces; got {type(faces).__name__}")
    for i, face in enumerate(faces):
        if not isinstance(face, dict) or not {"face", "image", "path", "box"} <= face.keys():
            raise DataError(f"{path}: entry {i} must be an object with face, image, path and box; got {face!r}")
        face["path"] = str(path.parent / face["path"])
    return faces


def record(method: Cascade, faces: list[dict[str, Any]]) -> recording.Recording:
    """The predictions for the faces of `read_faces`.

    Raises:
        ImageError: an image cannot be read.
        DataError: a box has another shape or no area.
    """
    try:
        return recording.record(method, recording.by_image(faces), "given", read_image)
    except ValueError as error:
        raise DataError(str(error)) from error


@reports_errors
def main() -> int:
    """Command line; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path, metavar="SDM.npz", help="cascade written by train.py")
    parser.add_argument("faces", type=Path, metavar="FACES.json", help="list written by `rdrface evaluate --faces`")
    parser.add_argument(
        "-o", "--output", type=Path, required=True, metavar="FILE.json", help="predictions file to write"
    )
    args = parser.parse_args()
    cv2.setNumThreads(1)
    files = [args.model]
    model = SDM.load(args.model)
    faces = read_faces(args.faces)
    aligner = None
    if model.start == "ours":
        aligner = rdrface.load(threads=1)
        files += [PACKAGED_WEIGHTS, graph_path(PACKAGED_WEIGHTS)]
    method = Cascade(model, round(sum(file.stat().st_size for file in files) / 1e6, 1), aligner)
    predictions = record(method, faces)
    predictions.write(args.output)
    times = np.array([entry["milliseconds"] for entry in predictions.entries])
    typical = f", {np.median(times):.1f} ms per face (median)" if len(times) else ""
    print(f"{args.output}: {len(times)} faces{typical}, {method.megabytes:.1f} MB of model files")
    return 0


if __name__ == "__main__":
    sys.exit(main())
