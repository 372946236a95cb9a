"""Times of the frames of a video: strictly increasing, also if the timestamps of the file are not."""

_DISCONTINUITY = 1.0
"""Seconds. A timestamp that is farther back starts a new count, as where files were joined."""

_SMALL_STEP = 0.25
"""Step after a single bad timestamp, in frames: small, so that the next timestamp, if it is good, is still later."""


class Clock:
    """Converts timestamps to times that increase from frame to frame.

    A missing timestamp becomes the previous time plus the duration of a frame. One that is not later than the previous
    time is moved behind it. After a jump back by more than a second, the following times continue without a gap.

    Attributes:
        num_estimated: number of frames whose time is not their timestamp.

    Args:
        frame_duration: nominal duration of a frame, seconds.
    """

    def __init__(self, frame_duration: float) -> None:
        self._duration = frame_duration
        self._last: float | None = None
        self._offset = 0.0
        self._was_bad = False
        self.num_estimated = 0

    def time(self, timestamp: float | None) -> float:
        """Time of the next frame.

        Args:
            timestamp: its timestamp, seconds; None if it is missing.
        """
        if self._last is None:
            self.num_estimated += timestamp is None
            self._last = 0.0 if timestamp is None else timestamp
            return self._last
        time = None if timestamp is None else timestamp + self._offset
        is_bad = time is None or time <= self._last
        if timestamp is None or time is None:
            time = self._last + self._duration
        elif time < self._last - _DISCONTINUITY:
            time = self._last + self._duration
            self._offset = time - timestamp
        elif is_bad:
            time = self._last + self._duration * (1.0 if self._was_bad else _SMALL_STEP)
        self.num_estimated += is_bad
        self._was_bad = is_bad
        self._last = time
        return time
