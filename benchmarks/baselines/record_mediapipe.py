"""Predictions of MediaPipe's face mesh, converted to the 68 points, for a list of faces.

python record_mediapipe.py FACES.json -o predictions.json [--boxes own|given]

Runs in the environment of mediapipe.txt, whose wheel contains the models, on one processor core.
"""

import importlib.metadata
import json
from pathlib import Path

import mediapipe
import numpy as np
from views import View, around, bordered

from recording import Found, arguments, environment_megabytes, read_faces, record, use_one_core

MAP = Path(__file__).with_name("mediapipe_map.json")

BORDER = 0.25
"""Border added to an image, as a share of its shorter side: the detector needs some space around the face. On
MERL-RAV's training crops, more faces are missed with wider and narrower borders."""

TIMES, SIDE = 2.5, 384
"""Square around the true box in which MediaPipe runs with --boxes given: its side divided by the longer side of the
box, and its side in pixels. With these values the fewest faces of MERL-RAV's training crops are missed."""

DETECTION, PRESENCE = 0.3, 0.1
"""Score thresholds of the detector and of the mesh's face presence. MediaPipe's default is 0.5, at which it drops
turned faces that it has found. On MERL-RAV's training crops the lower thresholds find more faces and no false ones."""

MODELS = ("face_landmark/face_landmark_with_attention.tflite", "face_detection/face_detection_short_range.tflite")


class FaceMesh:
    """The legacy face mesh solution on single images, with refined lips and irises: 478 vertices."""

    def __init__(self, faces: int = 4) -> None:
        self.mesh = mediapipe.solutions.face_mesh.FaceMesh(
            static_image_mode=True,
            max_num_faces=faces,
            refine_landmarks=True,
            min_detection_confidence=DETECTION,
            min_tracking_confidence=PRESENCE,
        )

    def vertices(self, view: View) -> list[np.ndarray]:
        """(478, 2) image pixels of every face in the view."""
        height, width = view.pixels.shape[:2]
        found = self.mesh.process(view.pixels).multi_face_landmarks or ()
        # MediaPipe measures from the edge of the view, in units of its sides; here pixel centers are integers.
        return [
            view.to_image(np.array([[point.x * width - 0.5, point.y * height - 0.5] for point in face.landmark]))
            for face in found
        ]

    def detect(self, image: np.ndarray) -> list[np.ndarray]:
        """(478, 2) image pixels of every face found in an image."""
        return self.vertices(bordered(image, BORDER, square=True))

    def align(self, image: np.ndarray, box: list[float]) -> np.ndarray | None:
        """(478, 2) image pixels of the face in a landmark box; None if no face is found there."""
        found = self.vertices(around(image, box, TIMES, SIDE))
        center, side = np.reshape(box, (2, 2)).mean(0), max(box[2] - box[0], box[3] - box[1])
        distances = [np.linalg.norm((face.min(0) + face.max(0)) / 2 - center) for face in found]
        # A face more than half a side away is a different face.
        return found[int(np.argmin(distances))] if distances and min(distances) < side / 2 else None


class Map68:
    """Conversion from the mesh to the 68 points: each is a point on the line between two vertices."""

    def __init__(self, path: Path = MAP) -> None:
        content = json.loads(path.read_text(encoding="utf-8"))
        self.vertices = np.array(content["vertices"])
        self.weights = np.array(content["weights"], np.float64)
        if self.vertices.shape != (68, 2) or self.weights.shape != (68, 2):
            raise SystemExit(f"{path} is damaged: write it again with fit_mediapipe_map.py")

    def __call__(self, mesh: np.ndarray) -> np.ndarray:
        """(478, 2) -> (68, 2)."""
        return (mesh[self.vertices] * self.weights[..., None]).sum(1)


class MediaPipe:
    """The face mesh's 68 points; see `recording.Predictor`."""

    def __init__(self) -> None:
        self.mesh, self.to68 = FaceMesh(), Map68()
        modules = Path(mediapipe.__file__).parent / "modules"
        self.name = f"MediaPipe {importlib.metadata.version('mediapipe')}"
        self.megabytes = sum((modules / name).stat().st_size for name in MODELS) / 1e6
        self.installed_megabytes = environment_megabytes()

    def align(self, image: np.ndarray, box: list[float]) -> np.ndarray | None:
        """See `recording.Predictor`."""
        mesh = self.mesh.align(image, box)
        return None if mesh is None else self.to68(mesh)

    def detect(self, image: np.ndarray) -> list[Found]:
        """See `recording.Predictor`."""
        faces = [self.to68(mesh) for mesh in self.mesh.detect(image)]
        # The solution does not return the detector's boxes, so the box of the landmarks is used instead.
        return [Found(points, np.concatenate([points.min(0), points.max(0)])) for points in faces]

    def detector_clock(self, image: np.ndarray) -> None:
        """Always None: the solution runs detector and mesh in one call."""


def main() -> None:
    """Record and write."""
    args = arguments(__doc__).parse_args()
    use_one_core()
    record(MediaPipe(), read_faces(args.faces), args.boxes).write(args.out)


if __name__ == "__main__":
    main()
