"""The photos that the arguments of `rdrface annotate` name: folders, lists, tables, shards, files and patterns."""

import codecs
import glob
import hashlib
import os
import sys
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

from rdrface.cli.walk import SEEN_FOLDER, is_folder, is_hidden, reason_to_skip
from rdrface.collection.sources import FileSource, ShardSource, Source, TableSource, UnreadableSource
from rdrface.errors import ConfigError, DataError
from rdrface.files import one_line, printable, real_path
from rdrface.image import is_url

LIST_SUFFIXES = (".txt", ".lst", ".list")
TABLE_SUFFIX = ".parquet"
SHARD_SUFFIX = ".tar"
_COMPRESSED = (".tar.gz", ".tgz", ".tar.bz2", ".tar.xz", ".tar.zst")

_EXAMPLES = 3
_SECONDS = 30.0
"""Time between two lines about the listing."""

_MAX_NAMES = 20


class CollectionInputs:
    """The photos of a run. They are found one by one, while the sources are read.

    Args:
        arguments: paths and patterns.
        column: column of the photos in tables, or their extension in shards; None finds it.

    Raises:
        ConfigError: an argument does not exist, or is of a kind that cannot be read.
    """

    def __init__(self, arguments: Sequence[str], column: str | None = None) -> None:
        self._column = column
        self._paths = [path for argument in arguments for path in _matches(argument)]
        self._skipped: dict[str, list[str]] = defaultdict(list)
        self._num_listed, self._noted = 0, time.monotonic()
        self._num_skipped: dict[str, int] = defaultdict(int)

    def check_output(self, out: Path) -> None:
        """Check that the output is not one of the inputs, which would be replaced.

        Raises:
            ConfigError: it is.
        """
        for name in self._paths:
            if real_path(Path(name)) == real_path(out) and not is_folder(out):
                raise ConfigError(f"{printable(str(out))} is an input of this run; name another output")

    def sources(self) -> Iterator[Source]:
        """The sources, in the order of the arguments; files that are named follow."""
        here, files = Path.cwd(), []
        for name in self._paths:
            path = Path(name)
            suffix = path.suffix.lower()
            if is_folder(path):
                yield from self._of_folder(path)
            elif suffix in LIST_SUFFIXES:
                yield FileSource(printable(name), here, self._counted(_lines(path)))
            elif suffix == TABLE_SUFFIX:
                yield TableSource(path.absolute(), printable(name), here, self._column)
            elif suffix == SHARD_SUFFIX:
                yield ShardSource(path.absolute(), printable(name), self._column)
            else:
                files.append(name)
        if files:
            yield FileSource(None, here, files)

    def skipped(self) -> list[str]:
        """Lines about the files of folders that were skipped, by reason."""
        return [
            f"skipped, {reason}: {count} ({', '.join(map(one_line, self._skipped[reason]))}"
            f"{', ...' if count > _EXAMPLES else ''})"
            for reason, count in sorted(self._num_skipped.items())
        ]

    def _of_folder(self, folder: Path) -> Iterator[Source]:
        shards: list[Path] = []
        failures: list[UnreadableSource] = []
        name = printable(str(folder))
        yield FileSource(name, folder.absolute(), self._counted(self._walk(folder, shards, failures)))
        for shard in shards:
            yield ShardSource(shard.absolute(), printable(str(shard)), self._column)
        yield from failures

    def _walk(self, folder: Path, shards: list[Path], failures: list[UnreadableSource]) -> Iterator[str]:
        """Paths of the images relative to a folder. The files of a folder come before those of its subfolders.

        Only the names of one folder are in memory at a time.
        """
        seen: set[tuple[int, int]] = set()
        waiting = [folder]
        while waiting:
            current = waiting.pop()
            try:
                status = current.stat()
                if (status.st_dev, status.st_ino) in seen:
                    self._skip(current, SEEN_FOLDER)
                    continue
                seen.add((status.st_dev, status.st_ino))
                with os.scandir(current) as entries:
                    names = sorted(entry.name for entry in entries)
            except OSError as error:
                text = printable(f"the folder {current} cannot be read: {error.strerror or error}")
                failures.append(UnreadableSource(printable(str(current)), text))
                continue
            folders = []
            for name in names:
                path = current / name
                if not is_hidden(path) and is_folder(path):
                    folders.append(path)
                elif path.suffix.lower() == SHARD_SUFFIX and not is_hidden(path):
                    shards.append(path)
                else:
                    reason = reason_to_skip(path)
                    if reason:
                        self._skip(path, reason)
                    else:
                        yield str(path.relative_to(folder))
            waiting += reversed(folders)

    def _counted(self, names: Iterator[str]) -> Iterator[str]:
        """The names; while they are taken, a line about their number is printed from time to time."""
        for name in names:
            self._num_listed += 1
            if time.monotonic() - self._noted > _SECONDS:
                self._noted = time.monotonic()
                note(f"listing the photos: {self._num_listed:,} so far")
            yield name

    def _skip(self, path: Path, reason: str) -> None:
        self._num_skipped[reason] += 1
        if len(self._skipped[reason]) < _EXAMPLES:
            self._skipped[reason].append(printable(str(path)))


def described(arguments: Sequence[str]) -> tuple[str, ...]:
    """The arguments as they identify a run: a hash instead of thousands of names."""
    names = tuple(map(printable, arguments))
    if len(names) <= _MAX_NAMES:
        return names
    digest = hashlib.sha256("\n".join(names).encode()).hexdigest()[:16]
    return (names[0], f"and {len(names) - 1} more ({digest})")


def folder_digest(arguments: Sequence[str]) -> str:
    """A hash of the current folder, to which relative arguments refer; empty if there are none.

    A hash, so that the output does not contain the name of the folder.
    """
    if all(Path(argument).is_absolute() for argument in arguments):
        return ""
    return hashlib.sha256(os.fsencode(Path.cwd())).hexdigest()[:8]


def _matches(argument: str) -> list[str]:
    path = Path(argument)
    if is_url(argument):
        raise ConfigError(
            f"{printable(argument)} is a URL; download the photos, or mount the storage, and name the path"
        )
    if not os.path.lexists(path):
        if glob.has_magic(argument):
            found = sorted(glob.glob(argument, recursive=True))  # noqa: PTH207
            if found:
                return [name for name in found if not ("**" in argument and is_folder(Path(name)))]
            raise ConfigError(f"the pattern {printable(argument)} matches no file")
        raise ConfigError(f"no file or folder at {printable(argument)}")
    if path.name.lower().endswith(_COMPRESSED):
        raise ConfigError(
            f"{printable(argument)} is compressed, so that a run could not go on in the middle; photos do not become "
            "smaller by it: decompress it, and name the .tar file"
        )
    return [argument]


def _lines(path: Path) -> Iterator[str]:
    """The lines of a list, without blank ones. Bytes that are not UTF-8 are kept, as in file names."""
    try:
        with path.open("rb") as content:
            if content.read(2) in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
                raise ConfigError(f"the list {printable(str(path))} is UTF-16; save it as UTF-8")
        with path.open(encoding="utf-8-sig", errors="surrogateescape") as file:
            for line in file:
                text = line.rstrip("\r\n")
                if text.strip():
                    yield text
    except OSError as error:
        raise DataError(f"the list {printable(str(path))} cannot be read: {error.strerror or error}") from error


def note(text: str) -> None:
    """Print a line on standard error, if there is one."""
    if sys.stderr is not None:
        print(f"rdrface: {one_line(text)}", file=sys.stderr, flush=True)
