"""When the detector runs: its share of the time of a video."""

SEARCH_INTERVAL = 1.0
"""Seconds between two runs of the detector while all known faces are followed."""

MISSING_INTERVAL = 0.1
"""Seconds between two runs while a person who was there is missing."""

EMPTY_INTERVAL = 0.25
"""Maximum of the seconds between two runs while there is no face at all."""

GROWTH = 1.5
"""Factor by which the interval grows with every run that finds nothing new, up to the maximum of the situation."""

_TURNS = (0, 0, 1, 0, 3, 0, 2, 0)


class DetectionSchedule:
    """Decides in which frames the detector runs.

    The detector costs about as much as aligning a face. It runs at the start and when a face is lost. Then the
    interval grows with every run that finds nothing new.

    Args:
        interval: seconds between two runs while all known faces are followed.
    """

    def __init__(self, interval: float = SEARCH_INTERVAL) -> None:
        self.interval = interval
        self._last: float | None = None
        self._current = 0.0
        self._runs = -1

    def is_due(self, time: float, followed: int, missing: int) -> bool:
        """Whether the detector should run.

        Args:
            time: time of the frame, seconds.
            followed: number of faces that are followed in this frame.
            missing: number of people who were lost recently.
        """
        if self._last is None:
            return True
        limit = MISSING_INTERVAL if missing else self.interval if followed else EMPTY_INTERVAL
        # Half a millisecond of tolerance: the times of frames are rounded.
        return time - self._last >= min(self._current, limit, self.interval) - 5e-4

    def quarter_turns(self, has_faces: bool) -> int:
        """Counterclockwise quarter turns, 0..3, of the image in the next run.

        Without any face, every other run searches a rotated image: the detector finds few faces that are sideways or
        upside down.
        """
        self._runs = 0 if has_faces else self._runs + 1
        return _TURNS[self._runs % len(_TURNS)]

    def hurry(self) -> None:
        """Run the detector in the next call: a face was lost, or the scene changed."""
        self._last = None
        self._current = 0.0
        self._runs = -1

    def done(self, time: float, found_new: bool) -> None:
        """Record a run of the detector at `time`, and whether it found a face that was not followed."""
        self._last = time
        self._current = 0.0 if found_new else max(self._current * GROWTH, MISSING_INTERVAL / 2)
