"""Read and write files: errors become `DataError` with the path, and files are written completely or not at all."""

import errno
import os
import re
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from rdrface.errors import DataError

_DISK_FULL = frozenset(getattr(errno, name) for name in ("ENOSPC", "EDQUOT", "EFBIG", "EROFS") if hasattr(errno, name))
"""No space, no quota, the file size limit of the process, a file system that has become read-only."""


_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")
"""Control characters, line separators and changes of the direction of writing."""


def read_text(path: str | Path, what: str) -> str:
    """Content of a UTF-8 text file, with or without a byte order mark.

    Args:
        path: the file.
        what: kind of file for the message, e.g. "annotation file".

    Raises:
        DataError: the file is missing or is not text.
    """
    try:
        return Path(path).read_text(encoding="utf-8-sig")
    except FileNotFoundError as error:
        raise DataError(f"no {what} at {path}") from error
    except OSError as error:
        raise DataError(f"{path} cannot be read as text ({what}): {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise DataError(f"{path} cannot be read as text ({what}): {error}") from error


def read_npy(path: str | Path, what: str) -> np.ndarray:
    """Array of numbers from an .npy file.

    Args:
        path: the file.
        what: kind of file for the message, e.g. "file of yaws".

    Returns:
        (...) the array in the file, of any shape and any dtype of real numbers.

    Raises:
        DataError: the file is missing or damaged, or does not contain one array of real numbers.
    """
    try:
        with Path(path).open("rb") as file:
            values = np.load(file, allow_pickle=False)
    except FileNotFoundError as error:
        raise DataError(f"no {what} at {path}") from error
    except (OSError, ValueError, EOFError) as error:
        raise DataError(f"{path} is not a readable .npy file ({what}): {error}") from error
    if not isinstance(values, np.ndarray) or values.dtype.kind not in "fiu":
        raise DataError(f"{path} must contain one array of real numbers ({what})")
    return values


@contextmanager
def write_aside(path: str | Path) -> Iterator[Path]:
    """Write a file under a temporary name in the same folder and rename it when it is complete.

    An existing file is replaced only at the end; if it is a symbolic link, the file that it points to is replaced. If
    the block raises an error, the temporary file is removed and an existing file does not change. Devices and pipes,
    such as /dev/null, are written directly.

    Yields:
        The temporary path. It has the suffix of `path`, because some libraries choose the file format by the suffix.

    Raises:
        DataError: the folder does not exist, the path is a folder or a cycle of links, or the file cannot be written.
    """
    try:
        final, is_special = _target(Path(path))
    except OSError as error:  # a name that is too long, for example
        raise DataError(f"cannot write {path}: {error.strerror or error}") from error
    # The name is hidden and short: the file may stay when the process is killed, and a long name must not become longer
    # than the file system allows.
    partial = final if is_special else final.with_name(f".rdrface-{secrets.token_hex(4)}{final.suffix}")
    try:
        yield partial
        if not is_special:
            partial.replace(final)
    except OSError as error:
        raise DataError(f"cannot write {final}: {error.strerror or error}") from error
    finally:
        if not is_special:
            partial.unlink(missing_ok=True)


def check_output(path: Path) -> None:
    """Check that `write_aside` can write a file. To be called before anything slow.

    Raises:
        DataError: it cannot.
    """
    try:
        final, is_special = _target(path)
        is_writable = is_special or os.access(final.absolute().parent, os.W_OK)
    except OSError as error:
        raise DataError(f"cannot write {path}: {error.strerror or error}") from error
    if not is_writable:
        raise DataError(f"cannot write {path}: its folder does not allow new files; name another folder")


def partial_path(path: Path) -> Path:
    """NAME.partial.SUFFIX: the name of an output while a long run writes it. It remains if the process is killed."""
    return path.with_name(f"{path.stem}.partial{path.suffix}")


def _target(path: Path) -> tuple[Path, bool]:
    """The file behind the links of a path that can be written, and whether it is a device or a pipe."""
    final = path
    if final.is_symlink():
        final = real_path(final)
        if final.is_symlink():
            raise DataError(f"cannot write {path}: its symbolic links form a cycle; remove them or name another file")
    if not final.absolute().parent.is_dir():
        raise DataError(f"cannot write {final}: its folder does not exist; create it first")
    if final.is_dir():
        raise DataError(f"cannot write {final}: it is a folder; name a file")
    return final, final.exists() and not final.is_file()


def is_special(path: Path) -> bool:
    """Whether a path is a device, a pipe or a socket."""
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError):
        return False
    return not (stat.S_ISREG(mode) or stat.S_ISDIR(mode))


def is_disk_full(error: BaseException | None) -> bool:
    """Whether an error, or the error that caused it, means that no more data can be written to the disk."""
    while error is not None:
        if isinstance(error, OSError) and error.errno in _DISK_FULL:
            return True
        error = error.__cause__
    return False


def real_path(path: Path) -> Path:
    """Absolute path without symbolic links; with some of them if they form a cycle or cannot be read."""
    try:
        # Not Path.resolve(): up to Python 3.12 it raises RuntimeError for a cycle.
        return Path(os.path.realpath(path))
    except (OSError, ValueError):
        return path.absolute()


def printable(text: str) -> str:
    """Text that can be encoded as UTF-8: a byte of a file name that is not UTF-8, 0xE9 for example, becomes \\udce9."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def one_line(text: str) -> str:
    """Text for a terminal: control characters, which can be part of file names, become escapes such as \\x1b."""
    return _CONTROL.sub(lambda found: ascii(found.group())[1:-1], text)
