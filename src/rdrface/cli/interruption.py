"""Signals that end a command."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def terminated_like_interrupted() -> Iterator[None]:
    """Handle SIGTERM, which containers and batch systems send, as Ctrl-C."""

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    is_main_thread = threading.current_thread() is threading.main_thread()
    # The handler is None if it was not installed by Python: it could not be restored.
    if not is_main_thread or signal.getsignal(signal.SIGTERM) is None:
        yield
        return
    previous = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, previous)
