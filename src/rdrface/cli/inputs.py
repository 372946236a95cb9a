"""Images named on a command line: files, folders, patterns, and ``-`` for standard input."""

import glob
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

SUFFIXES = frozenset(
    {".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff", ".gif", ".ppm", ".pgm", ".avif", ".jp2"}
)
"""Suffixes of the files that are taken from a folder. A file named on the command line may have any suffix."""

STDIN = "-"


@dataclass(frozen=True)
class Input:
    """One image to process.

    Attributes:
        name: the path as it appears in messages and output files, or "-".
        path: the file; None means standard input.
        output: path of the output files, relative to the output folder and without suffix; unique within a run.
    """

    name: str
    path: Path | None
    output: str


@dataclass(frozen=True)
class Failure:
    """An input that could not be processed.

    Attributes:
        name: name of the input.
        reason: the error message.
    """

    name: str
    reason: str


def expand(arguments: Sequence[str]) -> tuple[list[Input], list[Failure]]:
    """Resolve command-line arguments into images, in order and without duplicates.

    Folders are searched recursively, in alphabetical order. The outputs of a folder's images keep their path relative
    to that folder; if two images would share an output name, ``-2``, ``-3``, ... is appended.

    Args:
        arguments: paths of files and folders, glob patterns, or "-".

    Returns:
        The images, and the arguments without a matching image.
    """
    images: list[Input] = []
    failures: list[Failure] = []
    seen: set[Path | None] = set()
    taken: set[str] = set()
    for argument in arguments:
        matches, reason = _resolve(argument)
        if reason:
            failures.append(Failure(argument, reason))
        for path, relative in matches:
            key = path.resolve() if path else None
            if key not in seen:
                seen.add(key)
                images.append(Input(STDIN if path is None else str(path), path, _unique(relative, taken)))
    return images, failures


def _resolve(argument: str) -> tuple[list[tuple[Path | None, str]], str]:
    """Files with the names of their outputs; and if there are none, the reason."""
    if argument == STDIN:
        return [(None, "stdin")], ""
    path = Path(argument)
    if path.is_dir():
        files = sorted(p for p in path.rglob("*") if p.suffix.lower() in SUFFIXES and p.is_file())
        reason = "" if files else f"no images in this folder ({', '.join(sorted(SUFFIXES))})"
        return [(p, p.relative_to(path).with_suffix("").as_posix()) for p in files], reason
    if not path.exists() and glob.has_magic(argument):
        files = sorted(Path(p) for p in glob.glob(argument, recursive=True) if Path(p).is_file())  # noqa: PTH207
        return [(p, p.stem) for p in files], "" if files else "the pattern matches no file"
    return [(path, path.stem)], ""


def _unique(preferred: str, taken: set[str]) -> str:
    # Case is ignored in the comparison: on many file systems, A.json and a.json are the same file.
    name, count = preferred, 1
    while name.casefold() in taken:
        count += 1
        name = str(PurePosixPath(preferred).with_name(f"{PurePosixPath(preferred).name}-{count}"))
    taken.add(name.casefold())
    return name
