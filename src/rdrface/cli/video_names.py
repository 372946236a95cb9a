"""Names of the files that `rdrface track` writes into its output folder."""

import re
from collections.abc import Iterator
from pathlib import Path

from rdrface.files import partial_path
from rdrface.recording.live_link import slate_name

JSON_SUFFIX = ".jsonl"
PARQUET_SUFFIX = ".parquet"
DRAWN_SUFFIX = ".tracked"
"""NAME.tracked.mp4; NAME.tracked.mkv if MP4 does not support the format of the sound."""

DRAWN_FORMATS = (".mp4", ".mkv")

LIVE_LINK_TAKE = 1

_DRAWN = re.compile(r".*\.(tracked|tracked\.partial)\.(mp4|mkv)")


def is_track_output(path: Path) -> bool:
    """Whether a file is named like a drawn video."""
    return _DRAWN.fullmatch(path.name) is not None


def with_suffix(base: Path, suffix: str) -> Path:
    """folder / NAME + suffix; NAME can contain dots."""
    return base.with_name(base.name + suffix)


def live_link_files(base: Path) -> Iterator[Path]:
    """The Live Link files of a video that exist, complete or partial."""
    pattern = re.compile(re.escape(f"{slate_name(base.name)}_{LIVE_LINK_TAKE}_Person") + r"\d+(\.partial)?\.csv")
    if base.parent.is_dir():
        yield from sorted(path for path in base.parent.iterdir() if pattern.fullmatch(path.name))


def clip_files(base: Path) -> Iterator[Path]:
    """The animations of a video that exist, complete or partial."""
    pattern = re.compile(re.escape(base.name) + r"\.person\d+(\.partial)?\.glb")
    if base.parent.is_dir():
        yield from sorted(path for path in base.parent.iterdir() if pattern.fullmatch(path.name))


def complete_and_partial(path: Path) -> tuple[Path, Path]:
    """A file, and its name while it is written."""
    return path, partial_path(path)
