"""An aligner without a network, for tests of the server, and a server process that uses it."""

import os
import signal
import sys
import time

import numpy as np

from some_face import some_face

SLOW = 250
"""Red value of the first pixel of an image that takes a second."""

FAILING = 251
"""Red value of the first pixel of an image on which the aligner fails."""


DYING = 252
"""Red value of the first pixel of an image that ends the process."""


class ServedAligner:
    """Finds faces in an image by its first pixel: red is the number of faces, if it is below 200.

    Attributes:
        batches: number of images of each batch.
    """

    crop_size, precision = 128, "float32"

    def __init__(self) -> None:
        self.batches: list[int] = []

    def detect_batch_with_dropped(self, images):
        self.batches.append(len(images))
        red = [int(image[0, 0, 0]) for image in images]
        if DYING in red:
            os.kill(os.getpid(), signal.SIGKILL)
        if FAILING in red:
            raise RuntimeError("secret of the machine")
        time.sleep(1.0 * red.count(SLOW))
        return [([some_face()] * (count if count < 200 else 1), []) for count in red]


def png(red: int = 1, size: tuple[int, int] = (32, 24)) -> bytes:
    """A PNG file in which `ServedAligner` finds `red` faces."""
    import io

    from PIL import Image

    file = io.BytesIO()
    Image.fromarray(np.full((size[1], size[0], 3), red, np.uint8)).save(file, "PNG")
    return file.getvalue()


def main(limits: dict[str, float]) -> None:
    """Serve `ServedAligner` on a free port, which is printed, until a signal."""
    from rdrface.serving.app import create_app
    from rdrface.serving.face_finder import FaceFinder
    from rdrface.serving.limits import Limits
    from rdrface.serving.server import listen, log_to_stderr, serve, url_of

    log_to_stderr(has_access_log=True)
    listening = listen("127.0.0.1", 0)
    chosen = Limits(**limits)
    app = create_app([FaceFinder(ServedAligner(), chosen.max_faces)], chosen)
    serve(app, listening, chosen, 20, started=lambda: print(url_of(listening), flush=True))


if __name__ == "__main__":
    import json

    main(json.loads(sys.argv[1]))
