"""Images named on a command line: files, folders, patterns, and ``-`` for standard input."""

import glob
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from rdrface.cli.walk import OUTPUT, SEEN_FILE, SUFFIXES, Failure, Found, Skipped, find_images, is_folder, is_output
from rdrface.files import printable
from rdrface.image import is_url

STDIN = "-"


@dataclass(frozen=True)
class Input:
    """One image to process.

    Attributes:
        name: the path as it appears in messages and output files, see `rdrface.files.printable`; or "-".
        path: the file; None means standard input.
        output: path of the output files, relative to the output folder and without suffix; unique within a run.
    """

    name: str
    path: Path | None
    output: str


@dataclass
class Inputs:
    """What the arguments of a command stand for.

    Attributes:
        images: the images to process.
        failures: arguments without a matching image, and folders that cannot be read.
        skipped: files and folders that are left out.
    """

    images: list[Input] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)


def expand(arguments: Sequence[str]) -> Inputs:
    """Resolve command-line arguments into images, in order and without duplicates.

    Folders are searched recursively, in alphabetical order. The outputs of a folder's images keep their path relative
    to that folder; if two images would share an output name, ``-2``, ``-3``, ... is appended.

    Args:
        arguments: paths of files and folders, glob patterns, or "-".
    """
    inputs = Inputs()
    seen: set[Path | None] = set()
    taken: set[str] = set()
    for argument in arguments:
        for path, relative in _resolve(argument, inputs):
            key = path.resolve() if path else None
            name = STDIN if path is None else printable(str(path))
            if key in seen:
                inputs.skipped.append(Skipped(name, SEEN_FILE))
                continue
            seen.add(key)
            inputs.images.append(Input(name, path, _unique(relative, taken)))
    return inputs


def _resolve(argument: str, inputs: Inputs) -> list[tuple[Path | None, str]]:
    """Files with the names of their outputs; what is left out is added to `inputs`."""
    if argument == STDIN:
        return [(None, "stdin")]
    path = Path(argument)
    if is_folder(path):
        return _images_of(path, inputs)
    if glob.has_magic(argument) and not is_url(argument) and not path.exists():
        return _matches(argument, inputs)
    return [(path, path.stem)]


def _images_of(folder: Path, inputs: Inputs) -> list[tuple[Path | None, str]]:
    found = find_images(folder)
    inputs.skipped += found.skipped
    inputs.failures += found.failures
    if not found.images and not found.failures:
        inputs.failures.append(Failure(printable(str(folder)), f"no images in this folder{_content(found)}"))
    return [(path, path.relative_to(folder).with_suffix("").as_posix()) for path in found.images]


def _content(found: Found) -> str:
    suffixes = f"expected files with the suffixes {', '.join(sorted(SUFFIXES))}"
    if not found.skipped:
        return f", it is empty; {suffixes}"
    first = found.skipped[0]
    return f"; it contains {len(found.skipped)} other files, such as {first.name} ({first.reason}); {suffixes}"


def _matches(pattern: str, inputs: Inputs) -> list[tuple[Path | None, str]]:
    matches: list[tuple[Path | None, str]] = []
    paths = sorted(Path(found) for found in glob.glob(pattern, recursive=True))  # noqa: PTH207
    for path in paths:
        if is_folder(path):
            # As if the shell had replaced the pattern by its matches; "**" also matches every folder with its files.
            matches += [] if "**" in pattern else _images_of(path, inputs)
        elif is_output(path):
            inputs.skipped.append(Skipped(printable(str(path)), OUTPUT))
        else:
            matches.append((path, path.stem))
    if not paths:
        inputs.failures.append(Failure(printable(pattern), "the pattern matches no file"))
    return matches


def _unique(preferred: str, taken: set[str]) -> str:
    # Case is ignored in the comparison: on many file systems, A.json and a.json are the same file.
    name, count = preferred, 1
    while name.casefold() in taken:
        count += 1
        name = str(PurePosixPath(preferred).with_name(f"{PurePosixPath(preferred).name}-{count}"))
    taken.add(name.casefold())
    return name
