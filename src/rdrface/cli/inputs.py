"""Images named on a command line: files, folders, patterns, and ``-`` for standard input."""

import glob
import itertools
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from rdrface.cli.walk import (
    SEEN_FILE,
    Failure,
    FolderContent,
    Skipped,
    find_images,
    is_existing,
    is_folder,
    reason_to_skip,
)
from rdrface.files import printable, real_path
from rdrface.image import SUFFIXES, is_url

STDIN = "-"


@dataclass(frozen=True)
class Input:
    """One image to process.

    Attributes:
        name: the path as it appears in messages and output files, see `rdrface.files.printable`; or "-".
        path: the file; None means standard input.
        output: NAME, the path of the output files relative to the output folder; unique within a run.
        other_outputs: values of `output` in runs with other images: with the suffix of the image, or without.
    """

    name: str
    path: Path | None
    output: str
    other_outputs: tuple[str, ...] = ()

    def is_same(self, other: "Input") -> bool:
        """Whether two inputs are the same file."""
        if self.name == other.name:
            return True
        return self.path is not None and other.path is not None and real_path(self.path) == real_path(other.path)


@dataclass
class Inputs:
    """Images and other files that the arguments of a command name.

    Attributes:
        images: the images to process.
        failures: arguments without a matching image, and folders that cannot be read.
        skipped: files and folders that are skipped.
        is_single_file: there is one argument, which is a file or standard input, not a folder or a pattern.
    """

    images: list[Input] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)
    is_single_file: bool = False


def expand(arguments: Sequence[str]) -> Inputs:
    """Resolve command-line arguments into images, in order and without duplicates.

    Folders are searched recursively, in alphabetical order. The outputs of a folder's images keep their path relative
    to that folder. Images with the same path without suffix keep their suffix; if that is the same too, ``-2``, ``-3``,
    ... is appended.

    Args:
        arguments: paths of files and folders, glob patterns, or "-".
    """
    inputs = Inputs(is_single_file=len(arguments) == 1 and not _names_several(arguments[0]))
    seen: set[Path | None] = set()
    files: list[_File] = []
    for argument in arguments:
        for file in _resolve(argument, inputs):
            key = real_path(file.path) if file.path else None
            if key in seen:
                inputs.skipped.append(Skipped(file.name, SEEN_FILE))
                continue
            seen.add(key)
            files.append(file)
    # Case is ignored in comparisons: on many file systems, A.json and a.json are the same file.
    count = Counter(file.without_suffix.casefold() for file in files)
    taken: set[str] = set()
    for file in files:
        choices = file.outputs()
        if count[file.without_suffix.casefold()] > 1:
            next(choices)
        output = next(choice for choice in choices if choice.casefold() not in taken)
        taken.add(output.casefold())
        others = tuple({file.without_suffix, file.relative} - {output})
        inputs.images.append(Input(file.name, file.path, output, others))
    return inputs


@dataclass(frozen=True)
class _File:
    """A file, and its path relative to the folder that was named; None is standard input."""

    path: Path | None
    relative: str

    @property
    def name(self) -> str:
        return STDIN if self.path is None else printable(str(self.path))

    @property
    def without_suffix(self) -> str:
        return PurePosixPath(self.relative).with_suffix("").as_posix()

    def outputs(self) -> Iterator[str]:
        """Possible values of `Input.output`, in order of preference."""
        yield self.without_suffix
        yield self.relative
        for i in itertools.count(2):
            yield f"{self.relative}-{i}"


def _names_several(argument: str) -> bool:
    """Whether an argument is a folder or a pattern."""
    path = Path(argument)
    return argument != STDIN and (is_folder(path) or _is_pattern(argument))


def _is_pattern(argument: str) -> bool:
    return glob.has_magic(argument) and not is_url(argument) and not is_existing(Path(argument))


def _resolve(argument: str, inputs: Inputs) -> list[_File]:
    """Files of an argument; skipped files and failures are added to `inputs`."""
    if argument == STDIN:
        return [_File(None, "stdin")]
    path = Path(argument)
    if is_folder(path):
        return _images_of(path, inputs)
    if _is_pattern(argument):
        return _matches(argument, inputs)
    return [_File(path, path.name)]


def _images_of(folder: Path, inputs: Inputs) -> list[_File]:
    content = find_images(folder)
    inputs.skipped += content.skipped
    inputs.failures += content.failures
    if not content.images and not content.failures:
        inputs.failures.append(Failure(printable(str(folder)), f"no images in this folder{_description(content)}"))
    return [_File(path, path.relative_to(folder).as_posix()) for path in content.images]


def _description(content: FolderContent) -> str:
    suffixes = f"expected files with the suffixes {', '.join(sorted(SUFFIXES))}"
    if not content.skipped:
        return f", it is empty; {suffixes}"
    first = content.skipped[0]
    number = len(content.skipped)
    count = "is 1 other file" if number == 1 else f"are {number} other files"
    return f"; there {count}, such as {first.name} ({first.reason}); {suffixes}"


def _matches(pattern: str, inputs: Inputs) -> list[_File]:
    matches: list[_File] = []
    content = FolderContent()
    num_failures = len(inputs.failures)
    paths = sorted(Path(found) for found in glob.glob(pattern, recursive=True))  # noqa: PTH207
    for path in paths:
        if is_folder(path):
            # As if the shell had replaced the pattern by its matches; "**" also matches every folder with its files.
            matches += [] if "**" in pattern else _images_of(path, inputs)
            continue
        reason = reason_to_skip(path)
        if reason:
            content.skipped.append(Skipped(printable(str(path)), reason))
        else:
            matches.append(_File(path, path.name))
    inputs.skipped += content.skipped
    if not paths:
        inputs.failures.append(Failure(printable(pattern), "the pattern matches no file"))
    elif not matches and len(inputs.failures) == num_failures:
        description = _description(content) if content.skipped else ", only folders"
        inputs.failures.append(Failure(printable(pattern), f"the pattern matches no image{description}"))
    return matches
