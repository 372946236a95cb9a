"""`rdrface serve` as a process, and its memory."""

import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from rdrface.errors import ConfigError

_STOP_SECONDS = 60


class ServerUnderTest:
    """A running server.

    Args:
        process: has printed its URL.
        url: the URL.
    """

    def __init__(self, process: subprocess.Popen[str], url: str) -> None:
        self._process = process
        parts = urlsplit(url)
        self.address = (parts.hostname or "", parts.port or 0)

    def memory(self, name: str) -> float:
        """Memory of the server and its worker processes in MB. NaN on other systems than Linux.

        Args:
            name: "VmRSS" is the present one, "VmHWM" the sum of the maxima of the processes.
        """
        pid = self._process.pid
        try:
            children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
            statuses = [Path(f"/proc/{number}/status").read_text() for number in (pid, *children)]
        except OSError:
            return float("nan")
        found = [re.search(rf"{name}:\s+(\d+) kB", status) for status in statuses]
        return sum(int(match.group(1)) for match in found if match) / 1024

    def stop(self) -> int | None:
        """Send SIGTERM; the exit status, None if the process does not end."""
        self._process.send_signal(signal.SIGTERM)
        try:
            return self._process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            return None


@contextmanager
def running(options: Sequence[str]) -> Iterator[ServerUnderTest]:
    """Run `rdrface serve` on a free port during the block.

    Args:
        options: further options of the command.

    Raises:
        ConfigError: the server does not start.
    """
    command = [sys.executable, "-m", "rdrface", "serve", "--port", "0", "--no-access-log", *options]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    reading = None
    try:
        line = process.stderr.readline()
        found = re.search(r"serving (\S+)", line)
        if not found:
            raise ConfigError(f"the server does not start: {line}{process.stderr.read()}")
        # A full pipe would stop the server.
        reading = threading.Thread(target=process.stderr.read)
        reading.start()
        yield ServerUnderTest(process, found.group(1))
    finally:
        process.kill()
        process.wait()
        if reading is not None:
            reading.join()
        process.stderr.close()
