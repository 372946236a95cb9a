"""One person in a video."""

import numpy as np

from rdrface.alignment.retries import corrected_frames
from rdrface.tracking.motion import CropMotion


class Track:
    """A person who is followed, or who was lost.

    Args:
        number: id of the person.
        landmarks: (68, 2) image pixels, at `time`.
        score: the detector's score.
        time: seconds.
    """

    def __init__(self, number: int, landmarks: np.ndarray, score: float, time: float) -> None:
        self.id = number
        self.score = score
        self.start(landmarks, time)

    def start(self, landmarks: np.ndarray, time: float) -> None:
        """Start to follow the person, at first or after an occlusion, at these landmarks."""
        self.landmarks = landmarks
        self.time = time
        self.motion = CropMotion(corrected_frames(landmarks[None]), time)

    def update(self, landmarks: np.ndarray, time: float) -> None:
        """The landmarks (68, 2) in the next frame."""
        self.landmarks = landmarks
        self.time = time
        self.motion.update(corrected_frames(landmarks[None]), time)
