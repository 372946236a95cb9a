"""Reading videos with PyAV."""

import stat
from collections.abc import Iterator
from contextlib import suppress
from fractions import Fraction
from os import PathLike
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from rdrface.errors import DataError, ImageError
from rdrface.image_arrays import check_size
from rdrface.video.clock import Clock
from rdrface.video.frame import Frame
from rdrface.video.pyav import import_av, reason
from rdrface.video.threads import ReadAhead
from rdrface.video.upright import Upright

if TYPE_CHECKING:
    from av import VideoFrame, VideoStream
    from av.container import InputContainer

_DEFAULT_RATE = 30.0
"""Frames a second of files that do not state any."""

_MAX_MISSING = 1.0
"""Seconds by which the last frame may be earlier than the duration that the file states."""

_MAX_PRIMING = Fraction(1, 10)
"""Seconds of sound before the time 0 that players skip."""

_STILL_IMAGES = ("image2", "jpeg_pipe", "png_pipe", "webp_pipe", "bmp_pipe", "tiff_pipe", "heif", "avif", "tty")
"""FFmpeg's names of formats that are no videos: files of one image, and text."""


def open_video(
    path: str | PathLike[str], *, start: float | None = None, end: float | None = None, every: int = 1
) -> "VideoReader":
    """Open a video.

    Args:
        path: any format that FFmpeg reads.
        start: skip the frames before this time, seconds.
        end: skip the frames at or after this time, seconds.
        every: 2 skips every second frame, 3 skips two of three, and so on.

    Raises:
        DataError: the file does not exist, is not a video, or contains no frame that can be decoded, or none between
            `start` and `end`.
        ConfigError: PyAV is not installed.
        ValueError: `start`, `end` or `every` is out of range.
    """
    if start is not None and not start >= 0:
        raise ValueError(f"start must be 0 or more seconds; got {start!r}")
    if end is not None and not end > (start or 0):
        raise ValueError(f"end must be later than start; got {end!r}, start {start!r}")
    if every < 1:
        raise ValueError(f"every must be at least 1; got {every!r}")
    return VideoReader(Path(path), start, end, every)


class VideoReader:
    """The frames of a video, from first to last, see `open_video`. It can be iterated over once.

    A thread decodes a few frames ahead, so memory does not depend on the length of the video. Images are upright:
    rotation and mirroring in the file's metadata are applied, and pixels are square. All images have the same size.
    Times are those of the file's timestamps, relative to its first picture or sound; they increase from frame to frame
    (`rdrface.video.clock`).

    Of damaged and truncated files, the frames that can be decoded are read; `warnings` describes the rest.

    Attributes:
        path: the file.
        width, height: size of the images, pixels.
        frame_rate: average number of frames a second. Only a hint: use `Frame.time`.
        duration: seconds; None if the file does not state it.
        time_base: unit of the timestamps, seconds.
        has_sound: whether there is an audio stream.
    """

    def __init__(self, path: Path, start: float | None, end: float | None, every: int) -> None:
        self.path = path
        self._start, self._end, self._every = start or 0.0, end, every
        self._container = _open(path)
        try:
            self._stream = _video_stream(self._container, path)
            self._describe()
            self._clock = Clock(1 / self.frame_rate)
            self._upright = Upright(self._stream)
            self._num_damaged = 0
            self._end_of_demuxing = ""
            self._last_time = 0.0
            self._is_complete = False
            self._has_reached_end = False
            self._seek()
            self._frames: Iterator[Frame] | None = self._decode()
            first = next(self._frames, None)
            if first is None:
                raise DataError(self._why_empty())
        except BaseException:
            self._container.close()
            raise
        self._first: Frame | None = first
        self._ahead: ReadAhead[Frame] | None = None
        self.height: int = first.image.shape[0]
        self.width: int = first.image.shape[1]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def __iter__(self) -> Iterator[Frame]:
        if self._frames is None:
            raise ValueError(f"{self.path} was read or closed; open it again")
        frames, self._frames = self._frames, None
        self._ahead = ReadAhead(frames)
        return self._all_frames(self._ahead)

    def close(self) -> None:
        """End the decoding and close the file."""
        ahead, self._ahead = self._ahead, None
        self._frames = self._first = None
        # A file in use by a thread that hangs must not be closed.
        if ahead is None or ahead.close():
            self._container.close()

    @property
    def warnings(self) -> list[str]:
        """What is wrong with the part of the file that was read; complete when all frames were read."""
        found = []
        if self._num_damaged:
            found.append(f"{self._num_damaged} damaged parts were skipped")
        if self._end_of_demuxing:
            found.append(f"reading ended at {self._last_time:.1f} s: {self._end_of_demuxing}")
        elif self._is_complete and self.duration and self.duration - self._last_time > self._tolerance():
            found.append(
                f"the file is truncated or damaged: the last frame is at {self._last_time:.1f} s of "
                f"{self.duration:.1f} s"
            )
        if self._clock.num_estimated:
            found.append(
                f"the timestamps of {self._clock.num_estimated} frames are missing or do not increase; their times are "
                "estimated"
            )
        return found

    @property
    def origin(self) -> Fraction:
        """Timestamp in the file of the time 0, seconds."""
        return self._origin

    def _describe(self) -> None:
        stream, container = self._stream, self._container
        rate = stream.average_rate or stream.guessed_rate or 0
        self.frame_rate = float(rate) if 0 < rate < 1000 else _DEFAULT_RATE
        self.time_base = stream.time_base or Fraction(1, 1000)
        self.has_sound = bool(container.streams.audio)
        starts = [
            one.start_time * one.time_base
            for one in (stream, *container.streams.audio)
            if one.start_time is not None and one.time_base
        ]
        first = min(starts, default=Fraction(0))
        # Compressed sound can start a little before 0 with samples that players skip; the pictures then start at 0.
        self._origin = Fraction(0) if -_MAX_PRIMING <= first < 0 <= (stream.start_time or 0) else first
        self.duration = _duration(container, stream)

    def _tolerance(self) -> float:
        return max(_MAX_MISSING, 3 * self._every / self.frame_rate)

    def _seek(self) -> None:
        if self._start > 0:
            av = import_av()
            # A file that cannot be searched is decoded from its beginning.
            with suppress(av.error.FFmpegError):
                self._container.seek(int((self._start + self._origin) * 1_000_000))

    def _all_frames(self, ahead: ReadAhead[Frame]) -> Iterator[Frame]:
        first, self._first = self._first, None
        if first is not None:
            yield first
            del first
        yield from ahead

    def _decode(self) -> Iterator[Frame]:
        av = import_av()
        index = -1
        for decoded in self._decoded_frames():
            timestamp = None
            if decoded.pts is not None and decoded.time_base is not None:
                timestamp = float(decoded.pts * decoded.time_base - self._origin)
            time = self._clock.time(timestamp)
            if time < self._start:
                continue
            if self._end is not None and time >= self._end:
                self._has_reached_end = True
                return
            index += 1
            self._last_time = time
            if index % self._every:
                continue
            try:
                check_size(decoded.width, decoded.height, str(self.path))
                image = self._upright.image(decoded)
            except av.error.FFmpegError:
                self._num_damaged += 1
                continue
            except ImageError as error:
                raise DataError(str(error)) from error
            yield Frame(image, time, index)
        self._is_complete = True

    def _decoded_frames(self) -> Iterator["VideoFrame"]:
        """The frames that can be decoded, in the order of presentation."""
        av = import_av()
        packets = self._container.demux(self._stream)
        while True:
            try:
                packet = next(packets, None)
            except av.error.FFmpegError as error:
                self._end_of_demuxing = reason(error)
                packet = None
            try:
                # None flushes the decoder; after it, an end-of-file error is normal.
                yield from self._stream.decode(packet)
            except av.error.EOFError:
                pass
            except av.error.FFmpegError:
                self._num_damaged += 1
            if packet is None:
                return

    def _why_empty(self) -> str:
        if self._has_reached_end and not self._num_damaged:
            return f"{self.path} has no frame from {self._start:g} s to {self._end:g} s"
        if self._num_damaged or not self._is_complete or self._start == 0:
            limits = "" if self._end is None else f" before {self._end:g} s"
            return f"{self.path} has no frame{limits} that can be decoded; the file is damaged, truncated or empty"
        length = f"; it is {self.duration:.1f} s long" if self.duration else ""
        return f"{self.path} has no frame at or after {self._start:g} s{length}"


def _open(path: Path) -> "InputContainer":
    av = import_av()
    try:
        status = path.stat()
    except OSError as error:
        raise DataError(f"{path} cannot be read: {reason(error)}") from error
    if path.is_dir():
        raise DataError(f"{path} is a folder; name a video")
    if stat.S_ISREG(status.st_mode) and status.st_size == 0:
        raise DataError(f"{path} is empty (0 bytes)")
    try:
        container: InputContainer = av.open(str(path))
    except av.error.InvalidDataError as error:
        raise DataError(
            f"{path} is not a video, or is damaged: FFmpeg finds no format. An MP4 file whose end is missing cannot be "
            "read, because its index is at the end"
        ) from error
    except (av.error.FFmpegError, OSError) as error:
        raise DataError(f"{path} cannot be read: {reason(error)}") from error
    if container.format.name in _STILL_IMAGES:
        container.close()
        raise DataError(f"{path} is not a video but a file of the format {container.format.name}; see rdrface detect")
    return container


def _video_stream(container: "InputContainer", path: Path) -> "VideoStream":
    av = import_av()
    # Files of music can contain a picture of the cover as a stream.
    cover = av.stream.Disposition.attached_pic
    streams = [stream for stream in container.streams.video if not stream.disposition & cover]
    if not streams:
        kinds = ", ".join(sorted({stream.type for stream in container.streams})) or "none"
        raise DataError(f"{path} has no video stream (streams: {kinds})")
    best = container.streams.best("video")
    stream: VideoStream = next((one for one in streams if best is not None and one.index == best.index), streams[0])
    if stream.codec_context is None:
        raise DataError(f"{path}: its video codec is not supported by the installed FFmpeg")
    # Decode frames in parallel; slices, which is the default of some codecs, are often not available.
    stream.thread_type = "AUTO"
    return stream


def _duration(container: "InputContainer", stream: "VideoStream") -> float | None:
    if stream.duration is not None and stream.time_base:
        return float(stream.duration * stream.time_base)
    # Matroska: "00:00:10.000000000".
    parts = stream.metadata.get("DURATION", "").split(":")
    with suppress(ValueError):
        if len(parts) == 3:
            return int(parts[0]) * 3600 + int(parts[1]) * 60 + float(parts[2])
    if len(container.streams) == 1 and container.duration is not None:
        return container.duration / 1_000_000
    return None
