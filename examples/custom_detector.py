"""Use another face detector: any object with a method `detect`.

python examples/custom_detector.py portrait.jpg

The detector of this example only suits a portrait whose face fills the middle of the image. Call your own in its place.
"""

import sys

import numpy as np

import rdrface
from rdrface.detection.protocol import Detections


class MiddleOfTheImage:
    """Stand-in for a detector: returns one box, the middle half of the image in both directions."""

    def detect(self, image: np.ndarray) -> Detections:
        height, width = image.shape[:2]
        box = np.array([[0.25 * width, 0.25 * height, 0.75 * width, 0.75 * height]])
        return Detections(boxes=box, scores=np.ones(1, np.float32), detector_boxes=box)


if len(sys.argv) != 2:
    sys.exit(__doc__)
faces = rdrface.load(detector=MiddleOfTheImage()).detect(sys.argv[1])
print(faces or "no face in the middle of the image: take a portrait, or put your own detector into this example")
