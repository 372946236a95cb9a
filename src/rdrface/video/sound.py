"""Copying the sound of a video without encoding it again."""

import io
from collections.abc import Generator
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

from rdrface.video.pyav import import_av, reason

if TYPE_CHECKING:
    from av import AudioStream, Packet
    from av.container import InputContainer, OutputContainer
    from av.stream import Stream

_AHEAD = 0.5
"""Seconds by which the copied sound is ahead of the last frame, so that a file that ends early is in step."""


@dataclass(frozen=True)
class SoundSource:
    """The sound of a part of a file.

    Attributes:
        path: a file with sound.
        origin: timestamp in the file, seconds, that becomes 0 in the copy.
    """

    path: Path
    origin: Fraction = Fraction(0)


def sound_fits(path: Path, suffix_format: str) -> bool:
    """Whether all audio streams of a file can be copied into a container.

    Args:
        path: a file that PyAV can open.
        suffix_format: FFmpeg's name of the container, e.g. "mp4".
    """
    av = import_av()
    with av.open(str(path)) as source, av.open(io.BytesIO(), "w", format=suffix_format) as output:
        return all(_add(output, stream) is not None for stream in source.streams.audio)


class SoundCopy:
    """Copies the packets of all audio streams of a file in step with the frames of a video.

    Attributes:
        warnings: streams that cannot be copied, or not to their end.

    Args:
        source: the sound.
        output: a container whose header is not written yet; the streams are added to it.
    """

    def __init__(self, source: SoundSource, output: "OutputContainer") -> None:
        av = import_av()
        self.warnings: list[str] = []
        self._output = output
        self._origin = source.origin
        self._input: InputContainer = av.open(str(source.path))
        self._streams: dict[int, AudioStream] = {}
        for i, stream in enumerate(self._input.streams.audio):
            copy = _add(output, stream)
            if copy is None:
                name = stream.codec_context.name if stream.codec_context else "unknown"
                self.warnings.append(
                    f"audio stream {i} ({name}) is left out: the format {output.format.name} does not support it"
                )
            else:
                self._streams[stream.index] = copy
        if source.origin > 0 and self._streams:
            with suppress(av.error.FFmpegError):  # a file that cannot be searched is read from its beginning
                self._input.seek(int(source.origin * 1_000_000))
        self._packets = self._read()
        self._next: Packet[Stream] | None = next(self._packets, None)

    def advance(self, time: float) -> None:
        """Copy the sound up to a little after the time of a frame, seconds."""
        while self._next is not None and self._time(self._next) < time + _AHEAD:
            self._mux(self._next)
            self._next = next(self._packets, None)

    def copy_rest(self) -> None:
        """Copy all that follows."""
        self.advance(float("inf"))

    def close(self) -> None:
        """Close the source."""
        self._next = None
        self._packets.close()
        self._input.close()

    def _read(self) -> "Generator[Packet[Stream]]":
        av = import_av()
        streams = [stream for stream in self._input.streams.audio if stream.index in self._streams]
        if not streams:
            return
        try:
            for packet in self._input.demux(streams):
                # Packets without content mark the end; those before the origin belong to a part that was not read.
                if packet.size and self._time(packet) >= -_AHEAD and not self._is_before_origin(packet):
                    yield packet
        except av.error.FFmpegError as error:
            self.warnings.append(f"the sound ends early: {reason(error)}")

    def _time(self, packet: "Packet[Stream]") -> float:
        stamp = packet.pts if packet.pts is not None else packet.dts
        return 0.0 if stamp is None or packet.time_base is None else float(stamp * packet.time_base - self._origin)

    def _is_before_origin(self, packet: "Packet[Stream]") -> bool:
        # The priming packets of AAC, at the beginning of a file, are just before 0.
        return self._origin > 0 and self._time(packet) < 0

    def _mux(self, packet: "Packet[Stream]") -> None:
        av = import_av()
        index = packet.stream.index
        if index not in self._streams or packet.time_base is None:
            return
        shift = round(self._origin / packet.time_base)
        packet.pts = None if packet.pts is None else packet.pts - shift
        packet.dts = None if packet.dts is None else packet.dts - shift
        packet.stream = self._streams[index]
        try:
            self._output.mux_one(packet)
        except (av.error.FFmpegError, ValueError) as error:
            # The rest of the stream would fail too, or be out of step.
            del self._streams[index]
            self.warnings.append(f"the sound ends early: {reason(error)}")


def _add(output: "OutputContainer", stream: "AudioStream") -> "AudioStream | None":
    """A copy of the stream in the output; None if the container does not support its codec."""
    if stream.codec_context is None:
        return None
    try:
        copy = output.add_stream_from_template(stream)
    except ValueError:
        return None
    with suppress(AttributeError, ValueError):
        copy.metadata.update({key: value for key, value in stream.metadata.items() if key in ("language", "title")})
    return copy
