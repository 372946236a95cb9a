"""Predictions of face-alignment (FAN, Bulat & Tzimiropoulos, ICCV 2017) for a list of faces.

python record_face_alignment.py FACES.json -o predictions.json [--boxes own|given] [--contour outline|jawline]

Needs the environment of face-alignment.txt, and the weights, which the package downloads when it is first used. One
processor core.
"""

import importlib.metadata
from pathlib import Path
from typing import Any

import face_alignment
import numpy as np
import torch
from recording import Clock, Recording, arguments, faces_by_photo, installed_megabytes, one_core, progress, read_rgb

SIDE_RATIO, CENTER_UP = 1.12, 0.16
"""The detector's box from the landmark box: side and height above it in landmark box sides. Those of another detector
that learned the same WIDER FACE boxes (rdrface.detection.retinaface); its own could not be measured without weights."""

NETWORKS = {"outline": "2DFAN4", "jawline": "3DFAN4"}
"""Contour -> start of the file name of the network's weights. The 3D network's points are those of the jawline."""


def open_peer(contour: str) -> Any:
    """The networks.

    Raises:
        SystemExit: the weights cannot be had; says why.
    """
    kind = face_alignment.LandmarksType
    try:
        return face_alignment.FaceAlignment(
            kind.TWO_D if contour == "outline" else kind.TWO_HALF_D, device="cpu", compile=False
        )
    except OSError as error:  # URLError and missing files are OSErrors
        raise SystemExit(f"its weights could not be had: {error}") from error


def model_megabytes(contour: str) -> float:
    """Of the weights of network and detector in torch's cache."""
    folder = Path(torch.hub.get_dir()) / "checkpoints"
    names = (f"{NETWORKS[contour]}-*", "s3fd-*")
    return sum(file.stat().st_size for name in names for file in folder.glob(name)) / 1e6


def detector_box(box: list[float]) -> list[float]:
    """The detector's box where the landmark box is."""
    x0, y0, x1, y1 = box
    size = ((x1 - x0) * (y1 - y0)) ** 0.5
    x, y, half = (x0 + x1) / 2, (y0 + y1) / 2 - CENTER_UP * size, SIDE_RATIO * size / 2
    return [x - half, y - half, x + half, y + half]


def landmark_box(box: np.ndarray) -> np.ndarray:
    """The landmark box where the detector's is (4 or 5 numbers), each side on its own."""
    box = np.asarray(box[:4], np.float64)
    side = (box[2:] - box[:2]) / SIDE_RATIO
    center = (box[:2] + box[2:]) / 2 + [0, CENTER_UP * np.sqrt(side.prod())]
    return np.concatenate([center - side / 2, center + side / 2])


def record(peer: Any, photos: dict[str, list[dict[str, Any]]], boxes: str, recording: Recording) -> None:
    """Add what face-alignment finds to the recording."""
    for path, faces in progress(photos):
        photo = read_rgb(path)
        if boxes == "given":
            for face in faces:
                with Clock() as clock:
                    (points,) = peer.get_landmarks_from_image(photo, detected_faces=[detector_box(face["box"])])
                recording.add(face, points[:, :2], given=True, clock=clock)
            continue
        with Clock() as whole:
            with Clock() as detector:
                found = peer.face_detector.detect_from_image(photo.copy())
            points = peer.get_landmarks_from_image(photo, detected_faces=found) if len(found) else []
        single = {"clock": whole, "detector": detector} if len(found) == 1 else {}
        for box, face in zip(found, points, strict=True):
            recording.add(faces[0], face[:, :2], box=landmark_box(box), **single)


def main() -> None:
    """Record and write."""
    parser = arguments(__doc__)
    parser.add_argument("--contour", choices=tuple(NETWORKS), default="outline", help="default: outline")
    args = parser.parse_args()
    one_core()
    torch.set_num_threads(1)
    peer = open_peer(args.contour)
    version = importlib.metadata.version("face-alignment")
    recording = Recording(f"face-alignment {version}", model_megabytes(args.contour), installed_megabytes())
    record(peer, faces_by_photo(args.faces), args.boxes, recording)
    recording.write(args.out)


if __name__ == "__main__":
    main()
