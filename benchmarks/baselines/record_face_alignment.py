"""Predictions of face-alignment (FAN, Bulat & Tzimiropoulos, ICCV 2017) for a list of faces.

python record_face_alignment.py FACES.json -o predictions.json [--boxes own|given] [--contour outline|jawline]

Runs in the environment of face-alignment.txt, on one processor core. The package downloads its weights at first use.
"""

import importlib.metadata
from pathlib import Path
from typing import Any

import face_alignment
import numpy as np
import torch

from recording import Clock, Found, arguments, environment_megabytes, read_faces, record, use_one_core

SIDE_RATIO, CENTER_UP = 1.12, 0.16
"""The detector's box for a landmark box: its side, and its distance above the landmark box, in landmark box sides.
These are the values of another detector trained on the boxes of WIDER FACE (rdrface.detection.retinaface); those of
face-alignment's own detector could not be measured without its weights."""

NETWORKS = {"outline": "2DFAN4", "jawline": "3DFAN4"}
"""Contour convention -> start of the name of the network's weights file. The 3D network predicts the jawline."""


class FaceAlignment:
    """face-alignment's detector and one of its networks; see `recording.Predictor`.

    Args:
        contour: 'outline' or 'jawline'.

    Raises:
        SystemExit: the weights could not be downloaded.
    """

    def __init__(self, contour: str) -> None:
        kind = face_alignment.LandmarksType
        try:
            self.network: Any = face_alignment.FaceAlignment(
                kind.TWO_D if contour == "outline" else kind.TWO_HALF_D, device="cpu", compile=False
            )
        except OSError as error:  # URLError and missing files are OSErrors
            raise SystemExit(f"its weights could not be downloaded: {error}") from error
        self.name = f"face-alignment {importlib.metadata.version('face-alignment')}"
        self.megabytes = model_megabytes(contour)
        self.installed_megabytes = environment_megabytes()
        self._detector_clock = Clock()

    def align(self, image: np.ndarray, box: list[float]) -> np.ndarray:
        """See `recording.Predictor`."""
        (points,) = self.network.get_landmarks_from_image(image, detected_faces=[detector_box_of(box)])
        return points[:, :2]

    def detect(self, image: np.ndarray) -> list[Found]:
        """See `recording.Predictor`."""
        with self._detector_clock:
            boxes = self.network.face_detector.detect_from_image(image.copy())
        faces = self.network.get_landmarks_from_image(image, detected_faces=boxes) if len(boxes) else []
        return [Found(points[:, :2], landmark_box_of(box)) for box, points in zip(boxes, faces, strict=True)]

    def detector_clock(self, image: np.ndarray) -> Clock:
        """See `recording.Predictor`."""
        return self._detector_clock


def model_megabytes(contour: str) -> float:
    """Size of the weights of network and detector in torch's cache."""
    folder = Path(torch.hub.get_dir()) / "checkpoints"
    names = (f"{NETWORKS[contour]}-*", "s3fd-*")
    return sum(file.stat().st_size for name in names for file in folder.glob(name)) / 1e6


def detector_box_of(box: list[float]) -> list[float]:
    """The detector's box for a landmark box, both xyxy."""
    x0, y0, x1, y1 = box
    size = ((x1 - x0) * (y1 - y0)) ** 0.5
    x, y, half = (x0 + x1) / 2, (y0 + y1) / 2 - CENTER_UP * size, SIDE_RATIO * size / 2
    return [x - half, y - half, x + half, y + half]


def landmark_box_of(box: np.ndarray) -> np.ndarray:
    """The landmark box (4,) for one of the detector's boxes (4,), or (5,) with its score."""
    box = np.asarray(box[:4], np.float64)
    side = (box[2:] - box[:2]) / SIDE_RATIO
    center = (box[:2] + box[2:]) / 2 + [0, CENTER_UP * np.sqrt(side.prod())]
    return np.concatenate([center - side / 2, center + side / 2])


def main() -> None:
    """Record and write."""
    parser = arguments(__doc__)
    parser.add_argument(
        "--contour", choices=tuple(NETWORKS), default="outline", help="contour convention (default: outline)"
    )
    args = parser.parse_args()
    use_one_core()
    torch.set_num_threads(1)
    record(FaceAlignment(args.contour), read_faces(args.faces), args.boxes).write(args.out)


if __name__ == "__main__":
    main()
