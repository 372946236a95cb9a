"""Images of a folder, and the reason for every file that is skipped."""

import os
from dataclasses import dataclass, field
from pathlib import Path

from rdrface.cli.output_names import is_output
from rdrface.files import printable
from rdrface.image import SUFFIXES

VIDEO_SUFFIXES = frozenset(
    {".mp4", ".mov", ".m4v", ".avi", ".mkv", ".webm", ".mpg", ".mpeg", ".wmv", ".3gp", ".mts", ".m2ts", ".flv", ".ogv"}
)
"""Suffixes of videos: skipped by `rdrface detect`, and read by `rdrface track`."""

_UNSUPPORTED_SUFFIXES = frozenset(
    {".jxl", ".svg", ".pdf", ".psd", ".exr", ".hdr", ".jxr", ".eps", ".ai", ".xcf", ".dng", ".cr2", ".cr3", ".nef"}
    | {".arw", ".raf", ".orf", ".rw2", ".pef", ".srw"}
)

VIDEO = "video"
UNSUPPORTED = "unsupported format"
NOT_AN_IMAGE = "not an image"
HIDDEN = "hidden"
OUTPUT = "output of rdrface"
SEEN_FOLDER = "folder already read"
SEEN_FILE = "file already read"
SPECIAL = "device or pipe"
RESULT_EXISTS = "result exists"
"""Reasons in `Skipped`."""


@dataclass(frozen=True)
class Failure:
    """An input that could not be processed.

    Attributes:
        name: name of the input.
        reason: the error message.
    """

    name: str
    reason: str


@dataclass(frozen=True)
class Skipped:
    """A file or folder that is skipped.

    Attributes:
        name: its path.
        reason: `VIDEO`, `HIDDEN`, ...
    """

    name: str
    reason: str


@dataclass
class FolderContent:
    """Content of a folder.

    Attributes:
        images: the files with a suffix in `SUFFIXES`, in alphabetical order.
        skipped: everything else.
        failures: folders that cannot be read.
    """

    images: list[Path] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)


def is_folder(path: Path) -> bool:
    """Whether a path is a folder or a link to one; False if this cannot be found out."""
    try:
        return path.is_dir()
    except OSError:
        return False


def is_existing(path: Path) -> bool:
    """Whether there is a file or folder; False if it cannot be read, or its name is too long."""
    try:
        return path.exists()
    except OSError:
        return False


def find_images(folder: Path) -> FolderContent:
    """Search a folder and its subfolders.

    Links to folders are followed, after the folders themselves; no folder is read twice. Hidden files and folders,
    whose name starts with a dot, are skipped; among them are the ``._NAME`` files of macOS.
    """
    content = FolderContent()
    seen: set[tuple[int, int]] = set()
    waiting = [folder]
    links: list[Path] = []
    while waiting or links:
        current = waiting.pop() if waiting else links.pop(0)
        try:
            status = current.stat()
            if (status.st_dev, status.st_ino) in seen:
                content.skipped.append(_skipped(current, SEEN_FOLDER))
                continue
            seen.add((status.st_dev, status.st_ino))
            with os.scandir(current) as entries:
                paths = sorted(Path(entry.path) for entry in entries)
        except OSError as error:
            reason = f"the folder {current} cannot be read: {error.strerror or error}"
            content.failures.append(Failure(printable(str(current)), printable(reason)))
            continue
        for path in paths:
            if not is_hidden(path) and is_folder(path):
                (links if path.is_symlink() else waiting).append(path)
            else:
                reason = reason_to_skip(path)
                if reason:
                    content.skipped.append(_skipped(path, reason))
                else:
                    content.images.append(path)
    content.images.sort()
    content.skipped.sort(key=lambda one: one.name)
    return content


def is_hidden(path: Path) -> bool:
    """Whether the name of a file or folder starts with a dot."""
    return path.name.startswith(".")


def reason_to_skip(path: Path) -> str:
    """Why a file of a folder or pattern is skipped: `HIDDEN`, `OUTPUT`, ...; empty if it is read."""
    suffix = path.suffix.lower()
    if is_hidden(path):
        return HIDDEN
    if is_output(path):
        return OUTPUT
    if suffix in VIDEO_SUFFIXES:
        return VIDEO
    if suffix in _UNSUPPORTED_SUFFIXES:
        return UNSUPPORTED
    if suffix not in SUFFIXES:
        return NOT_AN_IMAGE
    # A link to a file that does not exist is an image that cannot be read.
    return SPECIAL if is_existing(path) and not path.is_file() else ""


def _skipped(path: Path, reason: str) -> Skipped:
    return Skipped(printable(str(path)), reason)
