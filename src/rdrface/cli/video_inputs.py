"""Videos and cameras named on a command line."""

import glob
import itertools
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from rdrface.cli.video_names import is_track_output
from rdrface.cli.walk import VIDEO_SUFFIXES, Failure, is_existing, is_folder, is_hidden
from rdrface.files import printable, real_path

_STREAM = re.compile(r"(rtsps?|rtmp|https?|udp|tcp)://", re.IGNORECASE)


@dataclass(frozen=True)
class VideoInput:
    """A video or a camera.

    Attributes:
        name: the argument or the path, for messages.
        source: a file, or the number, device or URL of a camera (`rdrface.video.open_camera`).
        output: NAME, the path of the output files relative to the output folder; unique within a run.
    """

    name: str
    source: Path | int | str
    output: str

    @property
    def is_camera(self) -> bool:
        """Whether it is a camera, which has no end."""
        return not isinstance(self.source, Path)


@dataclass
class VideoInputs:
    """What the arguments of the command name.

    Attributes:
        videos: the videos and cameras, without duplicates.
        failures: arguments without a video.
    """

    videos: list[VideoInput] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)


def expand_videos(arguments: Sequence[str]) -> VideoInputs:
    """Resolve command-line arguments into videos, in order.

    Args:
        arguments: files, folders, whose videos are read, also those of subfolders; glob patterns; numbers, devices and
            URLs of cameras.
    """
    inputs = VideoInputs()
    seen: set[object] = set()
    taken: set[str] = set()
    for argument in arguments:
        found = list(_resolve(argument))
        if not found:
            kind = "no videos in this folder" if is_folder(Path(argument)) else "the pattern matches no video"
            suffixes = ", ".join(sorted(VIDEO_SUFFIXES))
            inputs.failures.append(Failure(printable(argument), f"{kind}; expected files with the suffixes {suffixes}"))
        for source, relative in found:
            key = real_path(source) if isinstance(source, Path) else source
            if key in seen:
                continue
            seen.add(key)
            name = argument if not isinstance(source, Path) else printable(str(source))
            output = next(choice for choice in _names(relative) if choice.casefold() not in taken)
            taken.add(output.casefold())
            inputs.videos.append(VideoInput(name, source, output))
    return inputs


def _resolve(argument: str) -> Iterator[tuple[Path | int | str, str]]:
    """Sources, and their paths relative to the folder that was named."""
    path = Path(argument)
    if is_folder(path):
        for one in _videos_of(path):
            yield one, one.relative_to(path).as_posix()
    elif is_existing(path) and (path.is_file() or path.is_fifo()):
        yield path, path.name
    elif argument.isdecimal():
        yield int(argument), f"camera{int(argument)}"
    elif is_existing(path):  # a device
        yield argument, path.name
    elif _STREAM.match(argument):
        yield argument, "stream"
    elif glob.has_magic(argument):
        for one in sorted(Path(found) for found in glob.glob(argument, recursive=True)):  # noqa: PTH207
            if one.is_file() and _is_video(one):
                yield one, one.name
    else:
        yield path, path.name


def _videos_of(folder: Path) -> list[Path]:
    paths = []
    for parent, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        paths += [Path(parent, name) for name in names if _is_video(Path(parent, name))]
    return sorted(paths)


def _is_video(path: Path) -> bool:
    return path.suffix.lower() in VIDEO_SUFFIXES and not is_hidden(path) and not is_track_output(path)


def _names(relative: str) -> Iterator[str]:
    """Possible values of `VideoInput.output`: without suffix, with it, and with a number."""
    if PurePosixPath(relative).suffix.lower() in VIDEO_SUFFIXES:
        yield PurePosixPath(relative).with_suffix("").as_posix()
    yield relative
    for i in itertools.count(2):
        yield f"{relative}-{i}"
