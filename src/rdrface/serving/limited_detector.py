"""A detector whose number of faces is limited, so that one image cannot occupy the network for minutes."""

import numpy as np

from rdrface.aligner import Aligner
from rdrface.detection.protocol import Detections, Detector


class LimitedDetector:
    """Returns at most one detection more than `max_faces`, those with the highest scores.

    The additional detection lets `rdrface.serving.face_finder.FaceFinder` refuse the image.

    Args:
        detector: finds the faces.
        max_faces: maximum number of faces of an accepted image.
    """

    def __init__(self, detector: Detector, max_faces: int) -> None:
        self._detector = detector
        self._max_faces = max_faces

    def detect(self, image: np.ndarray) -> Detections:
        """See `Detector.detect`."""
        found = self._detector.detect(image)
        kept = slice(self._max_faces + 1)  # in order of decreasing score
        return Detections(found.boxes[kept], found.scores[kept], found.detector_boxes[kept], found.angles[kept])


def with_limited_detector(aligner: Aligner, max_faces: int) -> Aligner:
    """The aligner with a `LimitedDetector` in front of its detector."""
    return Aligner(
        aligner.session,
        LimitedDetector(aligner.detector, max_faces),
        aligner.model,
        aligner.batch_size,
        aligner.max_uncertainty,
        aligner.order,
    )
