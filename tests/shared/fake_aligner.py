"""An aligner without a network, for tests of the command line."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from rdrface.cli import detect
from rdrface.detection.box_checks import check_boxes_in_image
from rdrface.face import Face
from some_face import some_face


class FakeAligner:
    """Finds faces in an image by its first pixel: red is the number of faces, if it is below 10; black has none.

    Args:
        dropped: number of detections dropped in every image.
    """

    def __init__(self, dropped: int = 0) -> None:
        self.dropped = dropped

    def detect_with_dropped(self, image: np.ndarray) -> tuple[list[Face], list[Face]]:
        first = int(image[0, 0, 0])
        return [some_face()] * (first if first < 10 else 1), [some_face()] * self.dropped

    def align(self, image: np.ndarray, boxes: np.ndarray) -> list[Face]:
        check_boxes_in_image(boxes, image.shape[1], image.shape[0])
        return [some_face(center=tuple((box[:2] + box[2:]) / 2)) for box in boxes]


def use_fake_aligner(monkeypatch: pytest.MonkeyPatch, dropped: int = 0) -> None:
    """Let `rdrface detect` use a `FakeAligner`."""
    monkeypatch.setattr(detect, "_open", lambda args: FakeAligner(dropped))


def write_image(path: Path | str, faces: int = 1) -> None:
    """Write a lossless image in which `FakeAligner` finds this number of faces."""
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (320, 240), (faces, 90, 90)).save(path)
