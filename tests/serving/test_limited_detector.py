"""The number of faces that one image can bring to the network."""

import numpy as np
import pytest

pytest.importorskip("fastapi")

from rdrface.detection.protocol import Detections
from rdrface.serving.limited_detector import LimitedDetector


class ManyFaces:
    def detect(self, image: np.ndarray) -> Detections:
        boxes = np.arange(50)[:, None] + np.array([0, 0, 10, 10])
        return Detections(boxes, np.linspace(1, 0.5, 50), boxes, np.arange(50))


def test_the_detections_with_the_highest_scores_are_kept():
    found = LimitedDetector(ManyFaces(), max_faces=3).detect(np.zeros((9, 9, 3), np.uint8))
    assert len(found) == 4
    assert found.angles.tolist() == [0, 1, 2, 3] and found.boxes[3].tolist() == [3, 3, 13, 13]
    assert len(LimitedDetector(ManyFaces(), max_faces=80).detect(np.zeros((9, 9, 3), np.uint8))) == 50
