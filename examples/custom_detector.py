"""Use another face detector: any object with a method `detect`.

python examples/custom_detector.py photo.jpg
"""

import sys

import numpy as np

import rdrface
from rdrface.detection.protocol import Detections


class WholeImage:
    """A stand-in for a detector: it assumes one face in the middle of the image."""

    def detect(self, image: np.ndarray) -> Detections:
        height, width = image.shape[:2]
        box = np.array([[0.25 * width, 0.25 * height, 0.75 * width, 0.75 * height]])
        return Detections(boxes=box, scores=np.ones(1, np.float32), detector_boxes=box)


print(rdrface.load(detector=WholeImage()).detect(sys.argv[1]))
