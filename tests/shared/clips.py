"""Small videos, written with PyAV."""

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

MILLISECOND = Fraction(1, 1000)


def corner_image(width: int, height: int, level: int = 60) -> np.ndarray:
    """A gray image whose top left quarter is red."""
    image = np.full((height, width, 3), level, np.uint8)
    image[: height // 2, : width // 2] = (220, 20, 20)
    return image


def write_clip(
    path: Path | str,
    times: Sequence[int] = range(0, 1000, 40),
    size: tuple[int, int] = (64, 48),
    *,
    images: Sequence[np.ndarray] | None = None,
    rotation: int = 0,
    matrix: Sequence[int] | None = None,
    sounds: Sequence[str] = (),
    codec: str = "libx264",
    pix_fmt: str = "yuv420p",
    sample_aspect_ratio: Fraction | None = None,
    options: dict[str, str] | None = None,
) -> None:
    """Write a clip.

    Args:
        path: the suffix chooses the format.
        times: of the frames, ms.
        size: width and height.
        images: one per frame; by default `corner_image`.
        rotation: in the metadata, degrees counterclockwise.
        matrix: display matrix instead of the rotation.
        sounds: codecs of the audio streams, which last as long as the video.
        codec, pix_fmt, sample_aspect_ratio: of the video stream.
        options: of the format.
    """
    with av.open(str(path), "w", options=options or {}) as container:
        stream = container.add_stream(codec, rate=25)
        stream.width, stream.height, stream.pix_fmt = *size, pix_fmt
        stream.codec_context.time_base = MILLISECOND
        stream.codec_context.max_b_frames = 0
        if sample_aspect_ratio is not None:
            stream.codec_context.sample_aspect_ratio = sample_aspect_ratio
        if rotation:
            stream.set_display_rotation(rotation)
        if matrix is not None:
            stream.set_display_matrix(matrix)
        audio = [container.add_stream(name, rate=48_000, layout="mono") for name in sounds]
        for sound in audio:
            _write_sound(container, sound, (times[-1] + 40) / 1000)
        for i, time in enumerate(times):
            image = corner_image(*size) if images is None else images[i]
            frame = av.VideoFrame.from_ndarray(image, format="rgb24")
            frame.pts, frame.time_base = time, MILLISECOND
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def levels(values: Sequence[int], size: tuple[int, int] = (64, 48)) -> list[np.ndarray]:
    """Uniform gray images of these levels."""
    return [np.full((size[1], size[0], 3), value, np.uint8) for value in values]


def packets(path: Path | str, index: int = 0) -> list[tuple[Fraction, bytes]]:
    """Time in seconds and content of the packets of an audio stream."""
    with av.open(str(path)) as container:
        stream = container.streams.audio[index]
        return [(one.pts * one.time_base, bytes(one)) for one in container.demux(stream) if one.size]


def frame_times(path: Path | str) -> list[Fraction]:
    """Times of the frames of a video, seconds."""
    with av.open(str(path)) as container:
        return [frame.pts * frame.time_base for frame in container.decode(video=0)]


def _write_sound(container, stream, seconds: float) -> None:
    name = stream.codec_context.name
    count = 960 if "opus" in name else 1024
    for start in range(0, int(seconds * 48_000), count):
        wave = np.sin((start + np.arange(count)) * 0.06)[None]
        if name == "aac":
            frame = av.AudioFrame.from_ndarray(wave.astype(np.float32), format="fltp", layout="mono")
        elif name == "pcm_u8":
            frame = av.AudioFrame.from_ndarray((128 + 90 * wave).astype(np.uint8), format="u8", layout="mono")
        else:
            frame = av.AudioFrame.from_ndarray((9000 * wave).astype(np.int16), format="s16", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = 48_000, start, Fraction(1, 48_000)
        container.mux(stream.encode(frame))
    container.mux(stream.encode(None))
