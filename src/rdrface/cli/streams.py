"""The outputs of `rdrface detect` for all images: one JSON file, one CSV file, or standard output."""

import json
import shutil
import sys
from abc import ABC, abstractmethod
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any, BinaryIO

from rdrface._version import __version__
from rdrface.cli.options import create_folder
from rdrface.cli.outcome import Outcome
from rdrface.cli.outputs import (
    CSV_COLUMNS,
    Result,
    failure_to_dict,
    row_without_face,
)
from rdrface.cli.walk import Failure
from rdrface.detection.box_file import FAILED, NOT_PROCESSED
from rdrface.errors import ConfigError, DataError
from rdrface.files import write_aside

STDOUT = "-"

_START = 10
"""Number of characters by which the output of an earlier run is recognized: ``{"rdrface"`` or ``image,face``."""


_QUOTED = frozenset(',"\r\n')
"""Characters of cells that must be quoted in CSV files."""


class _Discarded(Exception):
    """Ends the writing of a file that is not kept."""


class OutputStream(ABC):
    """UTF-8 text on standard output, or in a file that gets its name when it is complete.

    After an error, the file ends with the last part that was written completely, so that `close` can complete it.

    Args:
        target: path of the file, or "-". The file's folder is created if it does not exist.
        overwrite: replace an existing file.
        resume: replace an existing file if it is the output of an earlier run.

    Raises:
        ConfigError: the file exists, its folder cannot be created, or standard output is closed.
        DataError: the file cannot be written.
    """

    def __init__(self, target: str, overwrite: bool, resume: bool = False) -> None:
        self.target = target
        self._opened = ExitStack()
        if target == STDOUT:
            if sys.stdout is None:
                raise ConfigError("standard output is closed; name a file instead of -")
            self._file: BinaryIO = sys.stdout.buffer
            self._write(self._header())
            return
        path = Path(target)
        if path.is_file() and not overwrite and not (resume and self._is_earlier_output(path)):
            raise ConfigError(f"{path} exists; name another file or pass --overwrite")
        create_folder(path.parent, "name another file", path)
        with ExitStack() as opened:
            partial = opened.enter_context(write_aside(path))
            # Without a buffer: after an error, nothing is left that the closing of the file would write. `_restore`
            # needs reading; pipes and devices are only opened for writing.
            self._file = opened.enter_context(partial.open("wb" if partial == path else "w+b", buffering=0))
            self._partial = partial
            self._write(self._header())
            self._opened = opened.pop_all()

    @abstractmethod
    def _header(self) -> str:
        """Start of the file."""

    def _is_earlier_output(self, path: Path) -> bool:
        # The first characters are the same in all versions.
        start = self._header()[:_START].encode()
        try:
            with path.open("rb") as file:
                return file.read(_START) == start
        except OSError:
            return False

    @abstractmethod
    def add(self, result: Result) -> None:
        """Write one image."""

    def fail(self, failure: Failure) -> None:  # noqa: B027
        """Write an input that could not be processed."""

    def close(self, outcome: Outcome) -> None:
        """Write the end of the file and close it; it gets its name now.

        Raises:
            DataError: the end cannot be written. If possible, the file is completed with fewer bytes.
        """
        failure = None
        with self._opened:
            try:
                self._finish(outcome)
            except DataError as error:
                failure = error
                self._finish_briefly()
            if self.target != STDOUT and self._file.readable() and not self._partial.exists():
                self._restore()
        if failure is not None:
            raise failure

    def _restore(self) -> None:
        """Write the file again after its folder was removed during the run."""
        create_folder(self._partial.parent, "the results are lost", self.target)
        self._file.seek(0)
        with self._partial.open("wb") as file:
            shutil.copyfileobj(self._file, file)

    def discard(self) -> None:
        """Close the file and remove it; an existing file with its name does not change."""
        with suppress(_Discarded), self._opened:
            raise _Discarded

    @abstractmethod
    def _finish(self, outcome: Outcome) -> None:
        """Write the end of the file: failures and skipped files."""

    def _finish_briefly(self) -> None:  # noqa: B027
        """Write the shortest end with which the file can be read."""

    def _write(self, text: str) -> None:
        content = text.encode("utf-8")
        if self.target == STDOUT:
            try:
                sys.stdout.flush()  # what was printed before
                self._file.write(content)
                self._file.flush()
            except BrokenPipeError:  # the reader has exited: see `rdrface.cli.main`
                raise
            except OSError as error:
                raise DataError(f"cannot write standard output: {error.strerror or error}") from error
            return
        is_seekable = self._file.seekable()
        end = self._file.tell() if is_seekable else 0
        try:
            while content:
                content = content[self._file.write(content) :]
        except OSError as error:
            if is_seekable:
                with suppress(OSError):  # a device such as /dev/full
                    self._file.seek(end)
                    self._file.truncate()
            raise DataError(f"cannot write {self.target}: {error.strerror or error}") from error


class JSONOutput(OutputStream):
    """One JSON object for all images, with one line per image."""

    def __init__(self, target: str, overwrite: bool, resume: bool = False) -> None:
        super().__init__(target, overwrite, resume)
        self._separator = "\n"

    def _header(self) -> str:
        return f'{{"rdrface": {json.dumps(__version__)}, "images": ['

    def add(self, result: Result) -> None:
        """Write one image."""
        self._write(self._separator + json.dumps(result.to_dict(), separators=(",", ":")))
        self._separator = ",\n"

    def _finish(self, outcome: Outcome) -> None:
        content: dict[str, Any] = {
            "failed": [failure_to_dict(failure) for failure in outcome.failures],
            "skipped": [{"path": one.name, "reason": one.reason} for one in outcome.skipped],
        }
        if outcome.not_processed:
            content["not_processed"] = list(outcome.not_processed)
        self._write(f"\n], {json.dumps(content)[1:]}\n")

    def _finish_briefly(self) -> None:
        self._write("\n]}\n")


class CSVOutput(OutputStream):
    """At least one line per image: one for each face, or one that gives the reason why there is none."""

    def _header(self) -> str:
        return _csv([CSV_COLUMNS])

    def add(self, result: Result) -> None:
        """Write the faces of one image."""
        self._write(_csv(list(result.rows())))

    def fail(self, failure: Failure) -> None:
        """Write the error of one image."""
        self._write(_csv([row_without_face(failure.name, FAILED, error=failure.reason)]))

    def _finish(self, outcome: Outcome) -> None:
        self._write(_csv([row_without_face(name, NOT_PROCESSED) for name in outcome.not_processed]))


def _csv(rows: Sequence[Sequence[str]]) -> str:
    return "".join(",".join(map(_cell, row)) + "\n" for row in rows)


def _cell(text: str) -> str:
    # Not csv.writer: up to Python 3.12 it does not quote a carriage return.
    return '"' + text.replace('"', '""') + '"' if _QUOTED.intersection(text) else text
