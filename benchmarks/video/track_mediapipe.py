"""Faces of MediaPipe's face mesh in video mode, converted to the 68 points, for clips that arrive on standard input.

python track_mediapipe.py -o predictions.json < clips

Runs in the environment of benchmarks/baselines/mediapipe.txt on one processor core; `record.py` starts it. Each clip is
one line of JSON, {"key", "checksum", "width", "height", "people", "frames"}, followed by its frames, RGB, 8 bits each.
"""

import argparse
import importlib.metadata
import json
import sys
from pathlib import Path
from typing import BinaryIO

import mediapipe
import numpy as np

sys.path.append(str(Path(__file__).resolve().parents[1] / "baselines"))
from record_mediapipe import Map68

from recording import Clock, use_one_core

CONFIDENCE = 0.5
"""Thresholds of detection and tracking: MediaPipe's defaults."""


def track(stream: BinaryIO, clip: dict, to68: Map68) -> dict:
    """Faces and times of one clip; a new face mesh for each, with as many faces as the clip has people."""
    mesh = mediapipe.solutions.face_mesh.FaceMesh(
        static_image_mode=False,
        max_num_faces=clip["people"],
        refine_landmarks=True,
        min_detection_confidence=CONFIDENCE,
        min_tracking_confidence=CONFIDENCE,
    )
    width, height = clip["width"], clip["height"]
    landmarks, milliseconds = [], []
    for _ in range(clip["frames"]):
        pixels = np.frombuffer(stream.read(width * height * 3), np.uint8).reshape(height, width, 3)
        with Clock() as clock:
            found = mesh.process(pixels).multi_face_landmarks or ()
        # MediaPipe measures from the edge of the frame, in units of its sides; here pixel centers are integers.
        faces = [
            to68(np.array([[point.x * width - 0.5, point.y * height - 0.5] for point in face.landmark]))
            for face in found
        ]
        landmarks.append([np.round(face, 3).tolist() for face in faces])
        milliseconds.append(round(clock.wall, 3))
    mesh.close()
    return {"checksum": clip["checksum"], "milliseconds": milliseconds, "landmarks": landmarks}


def main() -> None:
    """Track and write; the file appears when it is complete."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-o", "--out", type=Path, required=True, metavar="FILE.json", help="predictions file to write")
    args = parser.parse_args()
    use_one_core()
    to68, clips = Map68(), {}
    for line in iter(sys.stdin.buffer.readline, b""):
        clip = json.loads(line)
        clips[clip["key"]] = track(sys.stdin.buffer, clip, to68)
    content = {"method": f"MediaPipe {importlib.metadata.version('mediapipe')}", "clips": clips}
    partial = args.out.with_name(f"{args.out.name}.part")
    partial.write_text(json.dumps(content) + "\n", encoding="utf-8")
    partial.replace(args.out)


if __name__ == "__main__":
    main()
