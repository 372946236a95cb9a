"""One person in a video."""

import numpy as np

from rdrface.face import Face
from rdrface.geometry.boxes import box_size
from rdrface.tracking.identity import IdentityAverage
from rdrface.tracking.landmark_shape import LandmarkShape
from rdrface.tracking.smoothing import FaceSmoother

ERROR_MEMORY = 1.0
"""Seconds over which the usual expected error of a face is averaged."""


class Track:
    """A person who is followed, or who was lost.

    Args:
        number: id of the person.
        face: the first face.
        time: its time, seconds.
        shape: the landmarks of the face model.

    Attributes:
        id: see above.
        identity: average of the identity coefficients.
        landmarks: (68, 2) float64, smoothed, image pixels, when the person was last seen.
        time: when the person was last seen, seconds.
        score: the detector's score.
        usual_error: recent mean of `Face.expected_error`, percent of the face size.
        last_retry: time of the last run of the network in other crops, seconds.
        lost_by_cut: whether the person was lost because the scene changed.
        unconfirmed: number of runs of the detector in a row that did not find the face.
    """

    def __init__(self, number: int, face: Face, time: float, shape: LandmarkShape) -> None:
        self.id = number
        self._shape = shape
        self.identity = IdentityAverage()
        self.start(face, time)

    def start(self, face: Face, time: float) -> None:
        """Start to follow the person, at first or after an occlusion."""
        self._smoother = FaceSmoother(face, time, self.identity, self._shape)
        self.smoothed = self._smoother.smoothed(face)
        self.score = face.score
        self.usual_error = face.expected_error
        self.last_retry = time
        self.unconfirmed = 0
        self.lost_by_cut = False
        self._seen(time)

    def update(self, face: Face, time: float) -> None:
        """The network's output for the next frame."""
        share = min((time - self.time) / ERROR_MEMORY, 1.0)
        self.usual_error += share * (face.expected_error - self.usual_error)
        self.smoothed = self._smoother.update(face, time)
        self._seen(time)

    def predict(self, time: float) -> np.ndarray:
        """(68, 2) the landmarks at a later time."""
        return self._smoother.predict(time)

    def _seen(self, time: float) -> None:
        self.time = time
        self.landmarks = self.smoothed.landmarks.astype(np.float64)

    @property
    def size(self) -> float:
        """The face size when the person was last seen, pixels."""
        return float(box_size(np.concatenate([self.landmarks.min(axis=0), self.landmarks.max(axis=0)])))
