"""Reading videos: orientation, times, parts of a video, damaged files, and files that are no videos."""

import itertools
import threading
import wave
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from clips import corner_image, levels, write_clip
from rdrface.errors import DataError
from rdrface.video import open_video


def red_quarter(image):
    """(row, column) of the red quarter: 0 or 1 each."""
    height, width = image.shape[:2]
    parts = image.reshape(2, height // 2, 2, width // 2, 3).mean(axis=(1, 3))
    return tuple(int(i) for i in np.unravel_index((parts[..., 0] - parts[..., 2]).argmax(), (2, 2)))


def test_frames_have_the_images_times_and_numbers_of_the_file(tmp_path):
    times = [0, 33, 70, 120, 220, 1000]
    write_clip(tmp_path / "a.mp4", times)
    with open_video(tmp_path / "a.mp4") as video:
        assert (video.width, video.height, video.has_sound) == (64, 48, False)
        frames = list(video)
    assert [frame.time for frame in frames] == [time / 1000 for time in times]
    assert [frame.index for frame in frames] == list(range(6)) and video.warnings == []
    image = frames[3].image
    assert image.shape == (48, 64, 3) and image.dtype == np.uint8 and image.flags.c_contiguous
    assert np.abs(image.astype(int) - corner_image(64, 48))[4:20, 4:28].max() < 12


@pytest.mark.parametrize(
    ("rotation", "corner"), [(0, (0, 0)), (90, (1, 0)), (180, (1, 1)), (-180, (1, 1)), (-90, (0, 1))]
)
def test_rotation_in_the_metadata_is_applied(tmp_path, rotation, corner):
    write_clip(tmp_path / "a.mp4", [0, 40], rotation=rotation)
    with open_video(tmp_path / "a.mp4") as video:
        frames = list(video)
        assert (video.width, video.height) == ((48, 64) if rotation in (90, -90) else (64, 48))
    assert all(red_quarter(frame.image) == corner for frame in frames)
    # Counterclockwise, as documented by PyAV and as players show it.
    with av.open(str(tmp_path / "a.mp4")) as container:
        raw = next(container.decode(video=0))
    turned = np.rot90(raw.to_ndarray(format="rgb24"), raw.rotation // 90)
    assert np.abs(turned.astype(int) - frames[0].image).mean() < 1


@pytest.mark.parametrize(
    ("matrix", "corner", "size"),
    [
        ((-1, 0, 0, 1), (0, 1), (64, 48)),  # mirrored left and right, as by front cameras
        ((1, 0, 0, -1), (1, 0), (64, 48)),
        ((0, 1, 1, 0), (0, 0), (48, 64)),  # transposed
        ((0, -1, -1, 0), (1, 1), (48, 64)),
    ],
)
def test_mirroring_in_the_metadata_is_applied(tmp_path, matrix, corner, size):
    a, b, c, d = (65536 * value for value in matrix)
    write_clip(tmp_path / "a.mp4", [0, 40], matrix=[a, b, 0, c, d, 0, 0, 0, 1 << 30])
    with open_video(tmp_path / "a.mp4") as video:
        assert (video.width, video.height) == size
        assert red_quarter(next(iter(video)).image) == corner


def test_pixels_that_are_not_square_are_made_square(tmp_path):
    write_clip(tmp_path / "a.mp4", [0, 40], sample_aspect_ratio=Fraction(4, 3), rotation=90)
    with open_video(tmp_path / "a.mp4") as video:
        assert (video.width, video.height) == (48, 85)
        assert next(iter(video)).image.shape == (85, 48, 3)


@pytest.mark.parametrize(
    ("name", "codec", "pix_fmt", "size"),
    [
        ("a.mkv", "ffv1", "gray", (63, 47)),
        ("a.mkv", "ffv1", "yuv444p10le", (63, 47)),
        ("a.mkv", "ffv1", "bgra", (63, 47)),
        ("a.avi", "mpeg4", "yuv420p", (64, 48)),
        ("a.gif", "gif", "rgb8", (64, 48)),
    ],
)
def test_other_pixel_formats_and_containers(tmp_path, name, codec, pix_fmt, size):
    image = corner_image(*size) if pix_fmt != "bgra" else np.dstack([corner_image(*size), np.full(size[::-1], 255)])
    with av.open(str(tmp_path / name), "w") as container:
        stream = container.add_stream(codec, rate=25)
        stream.width, stream.height, stream.pix_fmt = *size, pix_fmt
        for i in range(3):
            frame = av.VideoFrame.from_ndarray(np.uint8(image[..., :3]), format="rgb24").reformat(format=pix_fmt)
            frame.pts = i
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    with open_video(tmp_path / name) as video:
        frames = list(video)
    assert len(frames) == 3 and frames[0].image.shape == (size[1], size[0], 3)
    assert np.diff([frame.time for frame in frames]) == pytest.approx([0.04, 0.04])


def test_images_keep_the_size_of_the_first_frame(tmp_path):
    # MPEG-TS: parts of two sizes, one after the other.
    write_clip(tmp_path / "a.ts", range(0, 400, 40))
    write_clip(tmp_path / "b.ts", range(0, 400, 40), (96, 80))
    (tmp_path / "c.ts").write_bytes((tmp_path / "a.ts").read_bytes() + (tmp_path / "b.ts").read_bytes())
    with open_video(tmp_path / "c.ts") as video:
        frames = list(video)
    assert len(frames) > 15 and {frame.image.shape for frame in frames} == {(48, 64, 3)}
    times = [frame.time for frame in frames]
    assert all(b > a for a, b in itertools.pairwise(times)) and times[-1] < 1


def test_times_start_at_zero_where_the_timestamps_do_not(tmp_path):
    write_clip(tmp_path / "a.ts", range(5000, 5400, 40))
    with open_video(tmp_path / "a.ts") as video:
        assert [frame.time for frame in video][:2] == pytest.approx([0, 0.04])
        assert float(video.origin) > 4


def test_a_part_of_a_video(tmp_path):
    write_clip(tmp_path / "a.mp4", range(0, 2000, 40), images=levels([4 * i for i in range(50)]))
    with open_video(tmp_path / "a.mp4", start=0.4, end=0.6, every=2) as video:
        frames = list(video)
    assert [frame.time for frame in frames] == [0.4, 0.48, 0.56] and [frame.index for frame in frames] == [0, 2, 4]
    assert [frame.image.mean() for frame in frames] == pytest.approx([40, 48, 56], abs=3)
    assert video.warnings == []


def test_times_outside_the_video_are_errors(tmp_path):
    write_clip(tmp_path / "a.mp4")
    with pytest.raises(DataError, match=r"no frame at or after 30 s; it is 1\.0 s long"):
        open_video(tmp_path / "a.mp4", start=30)
    with pytest.raises(DataError, match=r"a\.mp4 has no frame from 0\.41 s to 0\.43 s"):
        open_video(tmp_path / "a.mp4", start=0.41, end=0.43)
    for wrong in ({"start": -1}, {"end": 0}, {"start": 2, "end": 1}, {"every": 0}, {"start": float("nan")}):
        with pytest.raises(ValueError, match="must be"):
            open_video(tmp_path / "a.mp4", **wrong)


def test_a_truncated_file_is_read_as_far_as_possible(tmp_path):
    noise = np.random.default_rng(0).integers(0, 255, (100, 48, 64, 3), dtype=np.uint8)
    write_clip(tmp_path / "a.mp4", range(0, 4000, 40), images=noise, options={"movflags": "faststart"})
    content = (tmp_path / "a.mp4").read_bytes()
    (tmp_path / "b.mp4").write_bytes(content[: len(content) // 2])
    with open_video(tmp_path / "b.mp4") as video:
        frames = list(video)
        (warning,) = [one for one in video.warnings if "truncated" in one]
    assert 30 < len(frames) < 70
    assert f"the last frame is at {frames[-1].time:.1f} s of 4.0 s" in warning


def test_damage_in_the_middle_is_skipped(tmp_path):
    noise = np.random.default_rng(0).integers(0, 255, (60, 48, 64, 3), dtype=np.uint8)
    write_clip(tmp_path / "a.mp4", range(0, 2400, 40), images=noise, codec="mpeg4")
    content = bytearray((tmp_path / "a.mp4").read_bytes())
    middle = len(content) // 2
    content[middle : middle + 3000] = bytes(3000)
    (tmp_path / "b.mp4").write_bytes(content)
    with open_video(tmp_path / "b.mp4") as video:
        frames = list(video)
    assert len(frames) >= 40 and frames[-1].time == pytest.approx(2.36)


def test_files_that_are_no_videos_are_clear_errors(tmp_path):
    Image.new("RGB", (64, 48)).save(tmp_path / "a.jpg")
    Image.new("RGB", (64, 48)).save(tmp_path / "a.png")
    (tmp_path / "notes.txt").write_text("notes\n" * 100)
    (tmp_path / "empty.mp4").touch()
    (tmp_path / "random.mp4").write_bytes(np.random.default_rng(0).bytes(20_000))
    write_clip(tmp_path / "cut.mp4")
    (tmp_path / "cut.mp4").write_bytes((tmp_path / "cut.mp4").read_bytes()[:800])
    with wave.open(str(tmp_path / "sound.wav"), "wb") as sound:
        sound.setparams((1, 2, 8000, 0, "NONE", ""))
        sound.writeframes(bytes(8000))
    expected = {
        "a.jpg": "not a video but a file of the format",
        "a.png": "not a video but a file of the format",
        "notes.txt": "not a video",
        "empty.mp4": r"is empty \(0 bytes\)",
        "random.mp4": "not a video",
        "cut.mp4": "damaged",
        "sound.wav": r"no video stream \(streams: audio\)",
        "missing.mp4": "no such file",
        ".": "is a folder",
    }
    for name, message in expected.items():
        with pytest.raises(DataError, match=message):
            open_video(tmp_path / name)


def test_music_with_a_picture_of_the_cover_has_no_video(tmp_path):
    write_clip(tmp_path / "a.mp4", sounds=["aac"])
    with av.open(str(tmp_path / "a.mp4")) as source, av.open(str(tmp_path / "song.m4a"), "w", format="mp4") as output:
        audio = output.add_stream_from_template(source.streams.audio[0])
        cover = output.add_stream("mjpeg", rate=1)
        cover.width, cover.height, cover.pix_fmt = 64, 48, "yuvj420p"
        cover.disposition = av.stream.Disposition.attached_pic
        frame = av.VideoFrame.from_ndarray(corner_image(64, 48), format="rgb24")
        output.mux(cover.encode(frame.reformat(format="yuvj420p")))
        output.mux(cover.encode(None))
        for packet in source.demux(source.streams.audio[0]):
            if packet.size:
                packet.stream = audio
                output.mux(packet)
    with pytest.raises(DataError, match="no video stream"):
        open_video(tmp_path / "song.m4a")


def test_leaving_early_ends_the_thread(tmp_path):
    write_clip(tmp_path / "a.mp4", range(0, 8000, 40))
    before = threading.active_count()
    with pytest.raises(RuntimeError, match="stop"), open_video(tmp_path / "a.mp4") as video:
        for frame in video:
            if frame.index == 3:
                raise RuntimeError("stop")
    with open_video(tmp_path / "a.mp4") as video:
        pass
    assert threading.active_count() == before
    with pytest.raises(ValueError, match="open it again"):
        iter(video)


def test_only_a_few_frames_are_decoded_ahead(tmp_path, monkeypatch):
    from rdrface.video import upright

    converted = []
    convert = upright.Upright.image
    monkeypatch.setattr(upright.Upright, "image", lambda self, frame: converted.append(0) or convert(self, frame))
    write_clip(tmp_path / "a.mp4", range(0, 8000, 40))
    with open_video(Path(tmp_path / "a.mp4")) as video:
        frames = iter(video)
        for _ in range(5):
            next(frames)
        threading.Event().wait(0.3)
        assert len(converted) <= 12
