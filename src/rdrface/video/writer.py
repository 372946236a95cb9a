"""Writing videos with PyAV."""

from collections.abc import Callable
from fractions import Fraction
from os import PathLike
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

from rdrface.errors import ConfigError, DataError
from rdrface.files import partial_path
from rdrface.video.pyav import import_av, reason
from rdrface.video.sound import SoundCopy, SoundSource

_CODECS = {
    # Without B-frames, the order of decoding is that of presentation: timestamps need no offset, and few frames wait
    # in the encoder when the process is killed.
    "libx264": {"preset": "veryfast", "crf": "20", "bf": "0"},
    "mpeg4": {"q": "4", "bf": "0"},
}
"""Encoders in order of preference -> their options."""

# While it is written, an MP4 file consists of fragments of half a second, which can be played without the end of the
# file. The end turns it into an ordinary MP4 file. delay_moov: the header is written with the first fragment, when
# it is known by how much the sound starts before the picture; otherwise the times of the pictures would change.
_MP4 = {
    "movflags": "hybrid_fragmented+delay_moov",
    "frag_duration": "500000",
    "flush_packets": "1",
    "movie_timescale": "90000",
}

_CONTAINERS = {"mp4": _MP4, "mov": _MP4, "matroska": {"cluster_time_limit": "500", "flush_packets": "1"}}
"""FFmpeg's name of the container -> its options."""

FORMATS = {".mp4": "mp4", ".m4v": "mp4", ".mov": "mov", ".mkv": "matroska"}
"""Suffix -> FFmpeg's name of the container."""

_KEY_FRAME_INTERVAL = 2.0
"""Seconds between two frames from which a player can start."""

_BT709 = 1
_LIMITED_RANGE = 1
"""FFmpeg's numbers of the color space of high-definition video and of values 16..235."""


class VideoWriter:
    """Writes an H.264 video, or MPEG-4 part 2 if PyAV has no x264.

    Until `close`, the file is NAME.partial.SUFFIX; then it is renamed. If the process is killed, that file remains and
    can be played up to about the last second. After an exception in the `with` block, it remains too.

    MP4 keeps timestamps exactly; Matroska rounds them to milliseconds. Images with an odd width or height get one more
    column or row, a copy of the last one, because the format requires even numbers.

    Args:
        path: .mp4, .m4v, .mov or .mkv. An existing file is replaced at the end.
        width, height: size of the images, pixels.
        time_base: unit of the timestamps, seconds; that of the source, so that its timestamps are kept exactly.
        frame_rate: approximate number of frames a second.
        sound: the sound to copy; streams whose format does not fit the container are left out, see `warnings`.

    Raises:
        ConfigError: PyAV is not installed, or the suffix is none of these.
        DataError: the file cannot be written.
    """

    def __init__(
        self,
        path: str | PathLike[str],
        width: int,
        height: int,
        *,
        time_base: Fraction = Fraction(1, 90_000),
        frame_rate: float = 30.0,
        sound: SoundSource | None = None,
    ) -> None:
        av = import_av()
        self.path = Path(path)
        self.partial = partial_path(self.path)
        kind = FORMATS.get(self.path.suffix.lower())
        if kind is None:
            raise ConfigError(f"videos are written to {', '.join(FORMATS)} files; got {self.path.name}")
        self._shape = (height, width, 3)
        self._time_base = time_base
        self._last = -1
        self._sound: SoundCopy | None = None
        self.num_frames = 0
        try:
            self._container = av.open(str(self.partial), "w", format=kind, options=_CONTAINERS[kind])
        except (av.error.FFmpegError, OSError) as error:
            raise self._failure(error) from error
        self._is_open = True
        try:
            self._stream = self._add_stream(frame_rate)
            self._sound = None if sound is None else SoundCopy(sound, self._container)
            self._checked(self._container.start_encoding)
        except BaseException:
            self._container.close()
            self.partial.unlink(missing_ok=True)
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if error is None:
            self.close()
        else:
            self.stop()

    @property
    def warnings(self) -> list[str]:
        """Sound that could not be copied."""
        return [] if self._sound is None else self._sound.warnings

    def write(self, image: np.ndarray, time: float) -> None:
        """Write a frame.

        Args:
            image: (H, W, 3) uint8 RGB.
            time: seconds, at least 0, later than that of the frame before.

        Raises:
            ValueError: the image has another size, or the time is negative.
            DataError: the file cannot be written.
        """
        if image.shape != self._shape or image.dtype != np.uint8:
            raise ValueError(f"expected a uint8 image of shape {self._shape}; got {image.dtype} {image.shape}")
        if not time >= 0:
            raise ValueError(f"time must be 0 or more seconds; got {time!r}")
        av = import_av()
        frame = av.VideoFrame.from_ndarray(_even(image), format="rgb24")
        frame = frame.reformat(format="yuv420p", dst_colorspace=av.video.reformatter.Colorspace.ITU709)
        # Two times can be the same number of units.
        self._last = max(round(time / self._time_base), self._last + 1)
        frame.pts, frame.time_base = self._last, self._time_base
        if self._sound is not None:
            self._sound.advance(time)
        self._checked(lambda: self._container.mux(self._stream.encode(frame)))
        self.num_frames += 1

    def copy_rest_of_sound(self) -> None:
        """Copy the sound after the last frame, if the source was read to its end; without this, it ends there.

        Raises:
            DataError: the file cannot be written.
        """
        if self._sound is not None:
            self._checked(self._sound.copy_rest)

    def close(self) -> None:
        """Write the end of the file and give it its name.

        Raises:
            DataError: the end cannot be written; the partial file remains.
        """
        if self._is_open:
            self.stop()
            self._checked(lambda: self.partial.replace(self.path))

    def stop(self) -> None:
        """Write the end of the file, which keeps its partial name: the source was not read to its end.

        Raises:
            DataError: the end cannot be written; without it, the file can be played too.
        """
        if not self._is_open:
            return
        self._is_open = False
        try:
            self._checked(lambda: self._container.mux(self._stream.encode(None)))
        finally:
            if self._sound is not None:
                self._sound.close()
            self._checked(self._container.close)

    def _add_stream(self, frame_rate: float):  # type: ignore[no-untyped-def]
        av = import_av()
        codec = next(name for name in _CODECS if name in av.codecs_available)
        height, width = self._shape[:2]
        interval = max(1, round(_KEY_FRAME_INTERVAL * frame_rate))
        stream = self._container.add_stream(codec, rate=Fraction(frame_rate).limit_denominator(1001))
        stream.width, stream.height, stream.pix_fmt = width + width % 2, height + height % 2, "yuv420p"
        stream.options = {**_CODECS[codec], "g": str(interval)}
        context = stream.codec_context
        context.time_base = self._time_base
        context.colorspace = context.color_primaries = context.color_trc = _BT709
        context.color_range = _LIMITED_RANGE
        return stream

    def _checked(self, action: Callable[[], object]) -> None:
        av = import_av()
        try:
            action()
        except (av.error.FFmpegError, OSError) as error:
            raise self._failure(error) from error

    def _failure(self, error: Exception) -> DataError:
        return DataError(f"cannot write {self.path}: {reason(error)}")


def _even(image: np.ndarray) -> np.ndarray:
    """The image with an even number of rows and columns."""
    height, width = image.shape[:2]
    if height % 2 or width % 2:
        return np.pad(image, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
    return image
