"""The outputs of `rdrface track` for one video."""

import shutil
import sys
from collections.abc import Callable
from contextlib import ExitStack
from fractions import Fraction
from pathlib import Path
from typing import Protocol

import numpy as np

from rdrface.cli.options import create_folder
from rdrface.cli.streams import STDOUT
from rdrface.cli.video_inputs import VideoInput
from rdrface.cli.video_names import (
    DRAWN_FORMATS,
    DRAWN_SUFFIX,
    JSON_SUFFIX,
    LIVE_LINK_TAKE,
    PARQUET_SUFFIX,
    clip_files,
    live_link_files,
    with_suffix,
)
from rdrface.cli.video_output_options import OutputOptions
from rdrface.drawing import draw
from rdrface.drawing.number import draw_number
from rdrface.errors import ConfigError
from rdrface.files import is_special, partial_path
from rdrface.recording.clip import ClipRecorder
from rdrface.recording.frame_record import FrameRecord, RecordedFace
from rdrface.recording.json_lines import JSONLinesWriter
from rdrface.recording.live_link import LiveLinkWriter
from rdrface.recording.parquet import ParquetWriter
from rdrface.recording.vmc import VMCSender
from rdrface.video.camera import Camera
from rdrface.video.frame import Frame
from rdrface.video.reader import VideoReader
from rdrface.video.sound import SoundSource, sound_fits
from rdrface.video.writer import FORMATS, VideoWriter


class Output(Protocol):
    """A file that gets one frame after the other."""

    def write(self, frame: FrameRecord) -> None:
        """Add a frame."""

    def close(self) -> None:
        """Complete the file; it gets its name."""

    def stop(self) -> None:
        """Close the file; it keeps its partial name."""


class VideoOutputs:
    """The open outputs of one video.

    Attributes:
        warnings: parts of the source that are missing in the outputs.

    Args:
        options: which files are written.
        video: the video.
        frames: the open video or camera.
        start: seconds at which the drawn video starts.

    Raises:
        ConfigError: a folder cannot be created, or a package is missing.
        DataError: a file cannot be opened.
    """

    def __init__(self, options: OutputOptions, video: VideoInput, frames: VideoReader | Camera, start: float) -> None:
        self._options = options
        self._size = frames.width, frames.height
        self._start = start
        self._outputs: list[Output] = []
        self._live_link: LiveLinkWriter | None = None
        self._drawn: VideoWriter | None = None
        self._clips: ClipRecorder | None = None
        self._warnings: list[str] = []
        base = options.base(video)
        with ExitStack() as opened:
            # NAME.jsonl is the first, and completed last: it marks a video as done.
            if base is not None:
                create_folder(base.parent, "choose another folder with -o")
                path = with_suffix(base, JSON_SUFFIX)
                self._add(JSONLinesWriter(path), opened, path)
            if options.json:
                self._add(_json_output(options.json), opened, None if options.json == STDOUT else Path(options.json))
            if base is not None and options.parquet:
                path = with_suffix(base, PARQUET_SUFFIX)
                self._add(ParquetWriter(path, video.name), opened, path)
            if base is not None and options.live_link:
                for path in live_link_files(base):
                    path.unlink()
                rate, flipped = options.live_link_rate, options.live_link_flipped
                self._live_link = LiveLinkWriter(base.parent, base.name, LIVE_LINK_TAKE, rate, flipped)
                self._add(self._live_link, opened)
            if base is not None and options.glb:
                for path in clip_files(base):
                    path.unlink()
                self._clips = ClipRecorder(base)
            if options.vmc:
                is_live = isinstance(frames, Camera)
                self._add(VMCSender(*options.vmc, names=options.vmc_names, is_live=is_live), opened)
            if base is not None and options.draw:
                self._drawn = _drawn_video(base, frames, start)
                if isinstance(frames, VideoReader) and frames.has_sound and is_special(frames.path):
                    self._warnings.append("the drawn video has no sound: a pipe can be read only once")
            opened.pop_all()

    @property
    def warnings(self) -> list[str]:
        """Sound that could not be copied."""
        return [*self._warnings, *([] if self._drawn is None else self._drawn.warnings)]

    def add(self, item: tuple[Frame, list[RecordedFace]]) -> None:
        """Write a frame with its faces.

        Raises:
            DataError: a file cannot be written.
        """
        frame, faces = item
        record = FrameRecord(frame.index, frame.time, *self._size, faces)
        for output in self._outputs:
            output.write(record)
        if self._clips is not None:
            self._clips.write(record, frame.image)
        if self._drawn is not None:
            image = self._draw(frame.image, faces) if faces else frame.image
            self._drawn.write(image, max(0.0, frame.time - self._start))

    def close(self, is_complete: bool, is_at_end: bool) -> None:
        """Close all files.

        Args:
            is_complete: give them their names; otherwise they keep their partial names.
            is_at_end: the source was read to its end; the sound after the last frame is copied.

        Raises:
            DataError: a file cannot be completed. The others are, except NAME.jsonl, so that --skip-existing does not
                skip the video.
        """
        with ExitStack() as closing:
            for i, output in enumerate(self._outputs):
                if i == 0 and is_complete:
                    closing.push(_completed_last(output))
                else:
                    closing.callback(output.close if is_complete else output.stop)
            if self._clips is not None:
                closing.callback(self._clips.close if is_complete else self._clips.stop)
            if self._drawn is not None:
                closing.callback(self._drawn.close if is_complete else self._drawn.stop)
                if is_at_end:
                    self._drawn.copy_rest_of_sound()

    def _add(self, output: Output, opened: ExitStack, path: Path | None = None) -> None:
        """Add an output; if a later one cannot be opened, its partial file is removed."""
        self._outputs.append(output)
        if path is not None:
            opened.callback(_remove, partial_path(path))
        opened.callback(output.stop)

    def _draw(self, image: np.ndarray, faces: list[RecordedFace]) -> np.ndarray:
        canvas = draw(image, [one.face for one in faces], mesh=self._options.draw_mesh, axes=True)
        for one in faces:
            draw_number(canvas, one.face, one.id)
        return canvas


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def _completed_last(output: Output) -> Callable[..., None]:
    """A callback of an `ExitStack` that completes an output if no error is raised."""
    return lambda error, *_: output.stop() if error else output.close()


def _json_output(target: str) -> JSONLinesWriter:
    if target != STDOUT:
        path = Path(target)
        create_folder(path.parent, "name another file", path)
        return JSONLinesWriter(path)
    if sys.stdout is None:
        raise ConfigError("standard output is closed; name a file instead of -")
    return JSONLinesWriter(sys.stdout.buffer)


def _drawn_video(base: Path, frames: VideoReader | Camera, start: float) -> VideoWriter:
    suffix, sound, time_base = DRAWN_FORMATS[0], None, Fraction(1, 90_000)
    if isinstance(frames, VideoReader):
        time_base = frames.time_base
        # A pipe cannot be read a second time, for the sound.
        if frames.has_sound and not is_special(frames.path):
            sound = SoundSource(frames.path, frames.origin + Fraction(start).limit_denominator(1_000_000))
            suffix = next((one for one in DRAWN_FORMATS if sound_fits(frames.path, FORMATS[one])), suffix)
    for one in DRAWN_FORMATS:  # an earlier run may have written the other format
        partial_path(with_suffix(base, DRAWN_SUFFIX + one)).unlink(missing_ok=True)
    return VideoWriter(
        with_suffix(base, DRAWN_SUFFIX + suffix),
        frames.width,
        frames.height,
        time_base=time_base,
        frame_rate=frames.frame_rate,
        sound=sound,
    )
