"""Progress of a long run: a bar on a terminal, otherwise a line from time to time."""

import sys
import time
from datetime import timedelta

from tqdm import tqdm

_SECONDS = 30.0
"""Time between two lines."""


class Progress:
    """Shows how many photos are done, the rate of this run, and the time left.

    Args:
        done: number of photos that earlier runs have done.
        total: number of all photos.
    """

    def __init__(self, done: int, total: int) -> None:
        self._earlier = self._done = done
        self._total = total
        self._started = self._shown = time.monotonic()
        is_terminal = sys.stderr is not None and sys.stderr.isatty()
        # Smoothing 0: the mean rate of the run. Chunks of several workers come in bursts.
        self._bar = tqdm(total=total, initial=done, unit=" photos", smoothing=0, disable=not is_terminal)

    @property
    def seconds(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self._started

    @property
    def num_done(self) -> int:
        """Number of photos that this run has done."""
        return self._done - self._earlier

    def add(self, photos: int) -> None:
        """Count photos."""
        self._done += photos
        self._bar.update(photos)
        if self._bar.disable and time.monotonic() - self._shown > _SECONDS:
            self._shown = time.monotonic()
            if sys.stderr is not None:
                print(f"rdrface: {self.line()}", file=sys.stderr, flush=True)

    def line(self) -> str:
        """The state as one line."""
        rate = self.num_done / max(self.seconds, 1e-9)
        left = str(timedelta(seconds=round((self._total - self._done) / rate))) if rate else "unknown"
        return f"{self._done:,} of {self._total:,} photos, {rate:.1f} photos/s, {left} left"

    def close(self) -> None:
        """Remove the bar from the line of the terminal."""
        self._bar.close()
