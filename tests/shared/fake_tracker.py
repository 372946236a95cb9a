"""A tracker without a network, for tests of `rdrface track`."""

import numpy as np
import pytest

from rdrface.cli import track, track_run
from rdrface.tracking.tracked_face import TrackedFace
from some_face import some_face

LEVEL = 50
"""Gray level of a frame with one face; twice as much for two."""


class FakeTracker:
    """Finds as many faces as the mean of the image contains `LEVEL`; the unsmoothed faces are 10 pixels to the left."""

    def __init__(self, aligner: object) -> None:
        self._last = -1.0

    def update(self, image: np.ndarray, time: float) -> list[TrackedFace]:
        assert time > self._last and image.dtype == np.uint8
        self._last = time
        count = round(float(image.mean()) / LEVEL)
        return [
            TrackedFace(i + 1, some_face((32.0, 24.0), 30), some_face((22.0, 24.0), 30), time) for i in range(count)
        ]


def use_fake_tracker(monkeypatch: pytest.MonkeyPatch, tracker: type = FakeTracker) -> None:
    """Let `rdrface track` use a tracker without a network."""
    monkeypatch.setattr(track, "_open", lambda args: None)
    monkeypatch.setattr(track_run, "Tracker", tracker)
