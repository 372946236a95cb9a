"""One frame of a video or of a camera."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class Frame:
    """One frame of a video or of a camera.

    Attributes:
        image: (H, W, 3) uint8 RGB, upright.
        time: seconds. Of a video: since its start, as players show it. Of a camera: since the first frame.
        index: number of the frame, counted from 0 at the first frame that was read. Of a camera, frames that were
            dropped are counted too.
    """

    image: np.ndarray
    time: float
    index: int
