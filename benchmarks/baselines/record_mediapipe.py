"""Predictions of MediaPipe's face mesh, brought to the 68 points, for a list of faces.

python record_mediapipe.py FACES.json -o predictions.json [--boxes own|given]

Needs the environment of mediapipe.txt only; the models lie in that version's wheel. One processor core.
"""

import importlib.metadata
import json
from pathlib import Path
from typing import Any

import mediapipe
import numpy as np
from recording import (
    Clock,
    Recording,
    View,
    arguments,
    around,
    bordered,
    faces_by_photo,
    installed_megabytes,
    one_core,
    progress,
    read_rgb,
)

MAP = Path(__file__).with_name("mediapipe_map.json")

BORDER = 0.25
"""Border around a photo, in units of its shorter side: the detector wants to see more than the face. On MERL-RAV's
training crops wider and narrower ones miss more faces."""

TIMES, SIDE = 2.5, 384
"""--boxes given: the square that is shown is this many times the longer side of the true box, and has this many pixels.
Chosen for the fewest missed faces among MERL-RAV's training crops."""

DETECTION, PRESENCE = 0.3, 0.1
"""Least scores of the detector and of the mesh's own "there is a face". Below MediaPipe's 0.5, with which it drops
turned faces that it has found: more faces of MERL-RAV's training crops are found, still no others."""

MODELS = ("face_landmark/face_landmark_with_attention.tflite", "face_detection/face_detection_short_range.tflite")


class MediaPipe:
    """The legacy face mesh solution on single photos, lips and irises refined: 478 vertices."""

    def __init__(self, faces: int = 4) -> None:
        self.mesh = mediapipe.solutions.face_mesh.FaceMesh(
            static_image_mode=True,
            max_num_faces=faces,
            refine_landmarks=True,
            min_detection_confidence=DETECTION,
            min_tracking_confidence=PRESENCE,
        )

    def vertices(self, view: View) -> list[np.ndarray]:
        """(478, 2) photo pixels of every face in the view."""
        height, width = view.pixels.shape[:2]
        found = self.mesh.process(view.pixels).multi_face_landmarks or ()
        # MediaPipe counts from the picture's edge in units of its sides; here pixel centers are whole numbers.
        return [
            view.to_image(np.array([[point.x * width - 0.5, point.y * height - 0.5] for point in face.landmark]))
            for face in found
        ]

    def find(self, photo: np.ndarray) -> list[np.ndarray]:
        """(478, 2) photo pixels of every face that it finds in a photo."""
        return self.vertices(bordered(photo, BORDER, square=True))

    def given(self, photo: np.ndarray, box: list[float]) -> np.ndarray | None:
        """(478, 2) photo pixels of the face in a landmark box; None where it finds none there."""
        found = self.vertices(around(photo, box, TIMES, SIDE))
        center, side = np.reshape(box, (2, 2)).mean(0), max(box[2] - box[0], box[3] - box[1])
        near = [np.linalg.norm((face.min(0) + face.max(0)) / 2 - center) for face in found]
        # Half a side away is another face.
        return found[int(np.argmin(near))] if near and min(near) < side / 2 else None


class Map68:
    """From the mesh to the 68 points: each is a point on the line between two vertices."""

    def __init__(self, path: Path = MAP) -> None:
        content = json.loads(path.read_text(encoding="utf-8"))
        self.vertices = np.array(content["vertices"])
        self.weights = np.array(content["weights"], np.float64)
        if self.vertices.shape != (68, 2) or self.weights.shape != (68, 2):
            raise SystemExit(f"{path} is damaged: make it anew with fit_mediapipe_map.py")

    def __call__(self, mesh: np.ndarray) -> np.ndarray:
        """(478, 2) -> (68, 2)."""
        return (mesh[self.vertices] * self.weights[..., None]).sum(1)


def model_megabytes() -> float:
    """Of the two networks that the solution runs."""
    modules = Path(mediapipe.__file__).parent / "modules"
    return sum((modules / name).stat().st_size for name in MODELS) / 1e6


def record(
    peer: MediaPipe, to68: Map68, photos: dict[str, list[dict[str, Any]]], boxes: str, recording: Recording
) -> None:
    """Add what MediaPipe finds to the recording."""
    for path, faces in progress(photos):
        photo = read_rgb(path)
        if boxes == "given":
            for face in faces:
                with Clock() as clock:
                    mesh = peer.given(photo, face["box"])
                if mesh is not None:
                    recording.add(face, to68(mesh), given=True, clock=clock)
            continue
        with Clock() as whole:
            found = peer.find(photo)
        for mesh in found:
            points = to68(mesh)
            # The solution does not tell its detector's boxes: where the mesh lies is where it looked.
            box = np.concatenate([points.min(0), points.max(0)])
            recording.add(faces[0], points, box=box, clock=whole if len(found) == 1 else None)


def main() -> None:
    """Record and write."""
    args = arguments(__doc__).parse_args()
    one_core()
    version = importlib.metadata.version("mediapipe")
    recording = Recording(f"MediaPipe {version}", model_megabytes(), installed_megabytes())
    record(MediaPipe(), Map68(), faces_by_photo(args.faces), args.boxes, recording)
    recording.write(args.out)


if __name__ == "__main__":
    main()
