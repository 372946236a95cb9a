"""MediaPipe's side of compare.py; runs in the environment of benchmarks/baselines/mediapipe.txt.

The models are those in its wheel, as in benchmarks/baselines/record_mediapipe.py. MediaPipe's newer Tasks API needs a
model file that the wheel does not contain; that file has the same networks.
"""

import importlib.metadata
import sys
from collections.abc import Callable

import numpy as np
from sides import image_call, serve, use_one_core, video_call

ROWS = {
    "image": (True, False),
    "image, refined": (True, True),
    "video": (False, False),
    "video, refined": (False, True),
}
"""Row -> static image mode, and refined lips and irises."""


def main() -> None:
    """Serve."""
    use_one_core()
    image = np.load(sys.argv[1])
    serve(f"MediaPipe {importlib.metadata.version('mediapipe')}", lambda: (open_rows(image), {}))


def open_rows(image: np.ndarray) -> dict[str, Callable[[], float]]:
    """Row -> function that makes one call and returns its seconds.

    Raises:
        SystemExit: MediaPipe does not find the face.
    """
    import mediapipe

    rows = {}
    for name, (is_static, is_refined) in ROWS.items():
        mesh = mediapipe.solutions.face_mesh.FaceMesh(
            static_image_mode=is_static, max_num_faces=1, refine_landmarks=is_refined
        )
        for _ in range(3):
            if not mesh.process(image).multi_face_landmarks:
                sys.exit(f"MediaPipe finds no face in the image ({name})")
        if is_static:
            rows[name] = image_call(mesh.process, image)
        else:
            rows[name] = video_call(lambda frame, at, mesh=mesh: mesh.process(frame), image)
    return rows


if __name__ == "__main__":
    main()
