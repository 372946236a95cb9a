"""Predictions of rdrface for a list of faces.

python record_rdrface.py FACES.json -o predictions.json [--boxes own|given] [--contour outline|jawline]

`rdrface evaluate SET DIR --record FILE` writes the same landmarks. This recorder measures times as those of the
baselines are measured: on one processor core, the detector also separately. No border is added to the images.
"""

import importlib.metadata
import re
import sys
import tomllib
from pathlib import Path

import cv2
import numpy as np

import rdrface
from rdrface.cli.script import reports_errors
from rdrface.detection.retinaface import weights as retinaface_weights
from rdrface.loading import PACKAGED_WEIGHTS, weights_path
from rdrface.runtime.weights import graph_path
from recording import Clock, Found, arguments, package_megabytes, read_faces, record, use_one_core

CHECKOUT = Path(__file__).resolve().parents[2]

_PACKAGE_NAME = re.compile(r"[A-Za-z0-9._-]+")


class RDRFace:
    """An aligner on one thread; see `recording.Predictor`.

    Args:
        weights: weights file.
        boxes: 'own' or 'given'; with 'own' the detector's weights count as model files.
        contour: 'outline' or 'jawline'.
    """

    name = "rdrface"

    def __init__(self, weights: Path, boxes: str, contour: str) -> None:
        models = sum(file.stat().st_size for file in (weights, graph_path(weights)))
        self.megabytes = (models + (len(retinaface_weights()) if boxes == "own" else 0)) / 1e6
        self.installed_megabytes = installed_megabytes()
        self.aligner = rdrface.load(weights, threads=1)
        self.output = "landmarks" if contour == "outline" else "landmarks_jawline"

    def align(self, image: np.ndarray, box: list[float]) -> np.ndarray:
        """See `recording.Predictor`."""
        (face,) = self.aligner.align(image, np.array([box]))
        return getattr(face, self.output)

    def detect(self, image: np.ndarray) -> list[Found]:
        """See `recording.Predictor`."""
        return [Found(getattr(face, self.output), face.box) for face in self.aligner.detect(image)]

    def detector_clock(self, image: np.ndarray) -> Clock:
        """See `recording.Predictor`. The detector is run once more."""
        with Clock() as clock:
            self.aligner.detector.detect(image)
        return clock


def installed_megabytes() -> float:
    """Size of this checkout's package and of all packages that it requires at run time."""
    sizes: dict[str, float] = {}

    def add(requirement: str) -> None:
        name = _PACKAGE_NAME.match(requirement)
        if name is None or name[0] in sizes or "extra ==" in requirement:
            return
        try:
            package = importlib.metadata.distribution(name[0])
        except importlib.metadata.PackageNotFoundError:
            return  # required on another system or another Python version only
        sizes[name[0]] = package_megabytes(package)
        for further in package.requires or ():
            add(further)

    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    for dependency in project["dependencies"]:
        add(dependency)
    package_files = [
        file for file in Path(rdrface.__file__).parent.rglob("*") if file.is_file() and file.suffix != ".pyc"
    ]
    return sum(sizes.values()) + sum(file.stat().st_size for file in package_files) / 1e6


@reports_errors
def main() -> None:
    """Record and write."""
    parser = arguments(__doc__)
    parser.add_argument(
        "--contour", choices=("outline", "jawline"), default="outline", help="contour convention (default: outline)"
    )
    parser.add_argument(
        "--weights",
        type=weights_path,
        default=PACKAGED_WEIGHTS,
        metavar="W",
        help="weights file (default: the packaged weights)",
    )
    args = parser.parse_args()
    use_one_core()
    cv2.setNumThreads(1)
    method = RDRFace(args.weights, args.boxes, args.contour)
    record(method, read_faces(args.faces), args.boxes).write(args.out)


if __name__ == "__main__":
    sys.exit(main())
