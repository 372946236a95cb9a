"""Which files `rdrface track` writes, and the check that they replace no others."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rdrface.cli.streams import STDOUT
from rdrface.cli.video_inputs import VideoInput
from rdrface.cli.video_names import (
    DRAWN_FORMATS,
    DRAWN_SUFFIX,
    JSON_SUFFIX,
    PARQUET_SUFFIX,
    clip_files,
    complete_and_partial,
    live_link_files,
    with_suffix,
)
from rdrface.errors import ConfigError
from rdrface.files import real_path
from rdrface.recording.live_link import slate_name
from rdrface.recording.vmc import Names


@dataclass(frozen=True)
class OutputOptions:
    """Which files are written.

    Attributes:
        folder: output folder; None writes no files into one.
        json: JSON Lines file, or "-".
        draw: write a drawn video.
        draw_mesh: with the mesh on the faces.
        parquet: write a Parquet file.
        live_link: write Live Link Face files.
        live_link_rate: their rows a second.
        live_link_flipped: their head angles with the opposite sign.
        overwrite: replace existing files.
        glb: write an animation of each person.
        vmc: host and port to which one person is sent, or None.
        vmc_names: names of the blendshapes that are sent.
    """

    folder: Path | None = None
    json: str | None = None
    draw: bool = False
    draw_mesh: bool = False
    parquet: bool = False
    live_link: bool = False
    live_link_rate: int = 30
    live_link_flipped: tuple[str, ...] = ()
    overwrite: bool = False
    glb: bool = False
    vmc: tuple[str, int] | None = None
    vmc_names: Names = "arkit"

    def base(self, video: VideoInput) -> Path | None:
        """folder / NAME of a video."""
        return None if self.folder is None else self.folder / video.output

    def targets(self, video: VideoInput) -> list[Path]:
        """The files of a video whose names do not depend on its content; NAME.jsonl is the first."""
        base = self.base(video)
        named = [] if base is None else [with_suffix(base, JSON_SUFFIX)]
        named += [with_suffix(base, PARQUET_SUFFIX)] if base and self.parquet else []
        if base and self.draw:
            named += [with_suffix(base, DRAWN_SUFFIX + suffix) for suffix in DRAWN_FORMATS]
        named += [Path(self.json)] if self.json and self.json != STDOUT else []
        return named

    def is_done(self, video: VideoInput) -> bool:
        """Whether an earlier run has completed this video."""
        base = self.base(video)
        return base is not None and with_suffix(base, JSON_SUFFIX).is_file()

    def check(self, video: VideoInput, is_resumed: bool) -> None:
        """Check that no file would be replaced unintentionally.

        Args:
            video: the video.
            is_resumed: partial files of an earlier run may be replaced.

        Raises:
            ConfigError: a file exists, or an output is the video itself.
        """
        for target in self.targets(video):
            complete, partial = complete_and_partial(target)
            if isinstance(video.source, Path) and real_path(complete) == real_path(video.source):
                raise ConfigError(f"{target} is an input of this run; name another output file")
            self._refuse(complete, "")
            if not is_resumed:
                self._refuse(partial, ": an earlier run was interrupted, or another one is in progress")
        base = self.base(video)
        for path in live_link_files(base) if base and self.live_link else ():
            if not (is_resumed and path.name.endswith(".partial.csv")):
                self._refuse(path, "")
        for path in clip_files(base) if base and self.glb else ():
            if not (is_resumed and path.name.endswith(".partial.glb")):
                self._refuse(path, "")

    def check_names(self, videos: Sequence[VideoInput]) -> None:
        """Check that the Live Link files of all videos have different names: underscores become hyphens in them.

        Raises:
            ConfigError: two videos have the same names.
        """
        first: dict[tuple[Path, str], VideoInput] = {}
        for video in videos:
            base = self.base(video)
            if base is None or not self.live_link:
                continue
            other = first.setdefault((base.parent, slate_name(base.name).casefold()), video)
            if other is not video:
                raise ConfigError(
                    f"{other.name} and {video.name} would have the same Live Link files, whose names have hyphens in "
                    "place of underscores; rename one of the videos, or track them into different folders"
                )

    def _refuse(self, path: Path, explanation: str) -> None:
        if not self.overwrite and (path.is_file() or path.is_dir()):
            raise ConfigError(f"{path} exists{explanation}; choose another name or folder, or pass --overwrite")
