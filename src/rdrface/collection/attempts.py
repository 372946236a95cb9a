"""Photos that end the process that works on them: found out, and left out.

A damaged file can crash a decoder, and a huge one can exhaust the memory. The process then ends without an error that
it could report. Therefore each start of a chunk is written to a file, which remains if the process ends. From the
second start on, the number of each photo is written before it is read.
"""

from collections import Counter
from pathlib import Path

from rdrface.errors import DataError

_MAX_STARTS = 50
"""Starts of a chunk after which the run ends: the processes are killed for another reason."""

_CRASHES = 2
"""Number of processes that must end at a photo before it is left out. One can be a coincidence."""

CRASHED = f"{_CRASHES} processes ended while they worked on this photo: it crashes a decoder, or needs too much memory"


class Attempts:
    """The starts of a chunk within one run. Those of earlier runs do not count: the whole run may have been killed.

    Attributes:
        excluded: indices of the photos to leave out.

    Args:
        path: the file; removed by `finish`.
        run: identifies the run.

    Raises:
        DataError: the chunk was started too often, or the file cannot be written.
    """

    def __init__(self, path: Path, run: str) -> None:
        self._path = path
        try:
            lines = path.read_text().splitlines() if path.exists() else []
            if lines[:1] != [run]:
                lines = []
            starts = [i for i, line in enumerate(lines) if line == "start"]
            last = [lines[i - 1] for i in [*starts[1:], len(lines)] if lines]
            crashes = Counter(line for line in last if line.isdecimal())
            self.excluded = {int(line) for line, count in crashes.items() if count >= _CRASHES}
            self._is_repeated = bool(starts)
            if len(starts) >= _MAX_STARTS + _CRASHES * len(self.excluded):
                raise DataError(
                    f"{len(starts)} processes ended while they worked on the same photos, and not at the same photo; "
                    "the memory may be too small for so many processes: pass a smaller number of --workers"
                )
            self._write("\n".join([run, *lines[1:], "start", ""]), "w")
        except OSError as error:
            raise DataError(f"cannot write {path}: {error.strerror or error}") from error

    def at(self, index: int) -> None:
        """Note that a photo is read now."""
        if self._is_repeated:
            self._write(f"{index}\n", "a")

    def finish(self) -> None:
        """The chunk is done."""
        self._path.unlink(missing_ok=True)

    def _write(self, text: str, mode: str) -> None:
        with self._path.open(mode) as file:
            file.write(text)
