"""Prediction of where a face is in the next frame."""

import numpy as np

from rdrface.crop import CropFrame

MAX_STEP = 0.6
"""Largest predicted shift from frame to frame, in face sizes."""

FADING = 0.2
"""Seconds after which a velocity has faded to 1/e in the prediction: faces stop."""


class CropMotion:
    """Position, size and angle of a face's crop, and their velocities.

    Attributes:
        state: (5,) float64: center x, y [pixels], logarithm of the half side [pixels], cosine and sine of the angle
            that the crop is cut at.
        velocity: (3,) float64, of the first three, per second.
    """

    def __init__(self, frame: CropFrame, time: float) -> None:
        self.frame = frame
        self.time = time
        self._velocity = np.zeros(3)

    def predict(self, time: float) -> CropFrame:
        """The crop at a later time."""
        step = self.step(time)
        return CropFrame(self.frame.center + step[:2], self.frame.half * np.exp(step[2]), self.frame.angle)

    def step(self, time: float) -> np.ndarray:
        """(3,) predicted change of center x, y [pixels] and of the logarithm of the size."""
        elapsed = time - self.time
        step = self._velocity * (FADING * (1 - np.exp(-elapsed / FADING)))
        limit = MAX_STEP * float(self.frame.half[0])
        length = float(np.hypot(step[0], step[1]))
        if length > limit:
            step[:2] *= limit / length
        step[2] = min(max(step[2], -0.2), 0.2)
        return step

    def update(self, frame: CropFrame, time: float) -> None:
        """The crop around the landmarks at `time`, which is later than the last."""
        elapsed = time - self.time
        observed = np.array([*(frame.center[0] - self.frame.center[0]), np.log(frame.half[0] / self.frame.half[0])])
        self._velocity = observed / elapsed
        self.frame, self.time = frame, time
