"""A lock that only one process can have. The operating system releases it when the process ends, also by a kill."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rdrface.errors import ConfigError, DataError


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the lock of a file, which is created.

    Raises:
        ConfigError: another process has it.
        DataError: the file cannot be created.
    """
    try:
        file = path.open("a+b")
    except OSError as error:
        raise DataError(f"cannot write {path}: {error.strerror or error}") from error
    with file:
        if not _lock(file.fileno()):
            raise ConfigError(
                f"another run writes to {path.parents[1]}: wait until it has ended, or choose another output"
            )
        yield


if sys.platform == "win32":
    import msvcrt

    def _lock(number: int) -> bool:
        try:
            msvcrt.locking(number, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

else:
    import fcntl

    def _lock(number: int) -> bool:
        try:
            fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError:  # some network file systems have no locks
            pass
        return True
