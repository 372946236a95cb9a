"""Writing videos: timestamps, sizes, colors, sound, and what a killed process leaves."""

import signal
import subprocess
import sys
import time
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from clips import corner_image, frame_times, packets, write_clip
from rdrface.errors import ConfigError, DataError
from rdrface.video import VideoWriter, open_video
from rdrface.video.sound import SoundSource


def write(path, times, size=(64, 48), **options):
    with VideoWriter(path, *size, **options) as writer:
        for one in times:
            writer.write(corner_image(*size), one)
    return writer


@pytest.mark.parametrize("name", ["a.mp4", "a.mov", "a.mkv"])
def test_variable_times_are_kept_exactly(tmp_path, name):
    times = [0.0, 0.033, 0.07, 0.12, 0.22, 3.5, 3.501]
    write(tmp_path / name, times, time_base=Fraction(1, 1000))
    assert [float(one) for one in frame_times(tmp_path / name)] == times
    assert not list(tmp_path.glob("*partial*"))


def test_the_times_of_a_source_come_back_exactly_through_its_time_base(tmp_path):
    write_clip(tmp_path / "a.mp4", [0, 7, 43, 99, 100, 1013])
    with (
        open_video(tmp_path / "a.mp4") as video,
        VideoWriter(tmp_path / "b.mp4", 64, 48, time_base=video.time_base) as writer,
    ):
        for frame in video:
            writer.write(frame.image, frame.time)
    assert frame_times(tmp_path / "b.mp4") == frame_times(tmp_path / "a.mp4")


def test_two_times_in_one_unit_stay_two_frames(tmp_path):
    write(tmp_path / "a.mp4", [0, 0.0001, 0.0002], time_base=Fraction(1, 25))
    assert frame_times(tmp_path / "a.mp4") == [0, Fraction(1, 25), Fraction(2, 25)]


@pytest.mark.parametrize("size", [(63, 47), (64, 47), (1, 1)])
def test_odd_sizes_get_a_copy_of_the_last_row_and_column(tmp_path, size):
    write(tmp_path / "a.mp4", [0, 0.04], size)
    with open_video(tmp_path / "a.mp4") as video:
        assert (video.width, video.height) == (size[0] + size[0] % 2, size[1] + size[1] % 2)


def test_colors_survive(tmp_path):
    image = np.zeros((48, 96, 3), np.uint8)
    colors = [(200, 40, 40), (40, 180, 60), (30, 60, 200)]
    for i, color in enumerate(colors):
        image[:, 32 * i : 32 * i + 32] = color
    with VideoWriter(tmp_path / "a.mp4", 96, 48) as writer:
        writer.write(image, 0)
    with open_video(tmp_path / "a.mp4") as video:
        found = next(iter(video)).image
    for i, color in enumerate(colors):
        assert found[24, 32 * i + 16] == pytest.approx(color, abs=6)


@pytest.mark.parametrize("sounds", [["aac"], ["aac", "aac"], ["libopus"], ["pcm_s16le"]])
def test_sound_is_copied_unchanged_and_in_step(tmp_path, sounds):
    write_clip(tmp_path / "a.mp4", range(0, 2000, 40), sounds=sounds)
    with (
        open_video(tmp_path / "a.mp4") as video,
        VideoWriter(
            tmp_path / "b.mp4", 64, 48, time_base=video.time_base, sound=SoundSource(video.path, video.origin)
        ) as writer,
    ):
        assert video.has_sound
        for frame in video:
            writer.write(frame.image, frame.time)
        writer.copy_rest_of_sound()
    assert writer.warnings == [] and video.origin == 0
    assert frame_times(tmp_path / "b.mp4") == frame_times(tmp_path / "a.mp4")
    for i in range(len(sounds)):
        before, after = packets(tmp_path / "a.mp4", i), packets(tmp_path / "b.mp4", i)
        assert len(after) > 50 and [one[1] for one in after] == [one[1] for one in before]
        assert [float(one[0]) for one in after] == pytest.approx([float(one[0]) for one in before], abs=1e-4)


def test_sound_of_a_part_starts_with_the_part(tmp_path):
    write_clip(tmp_path / "a.mp4", range(0, 3000, 40), sounds=["aac"])
    with open_video(tmp_path / "a.mp4", start=1, end=2) as video:
        source = SoundSource(video.path, video.origin + 1)
        with VideoWriter(tmp_path / "b.mp4", 64, 48, time_base=video.time_base, sound=source) as writer:
            for frame in video:
                writer.write(frame.image, frame.time - 1)
    content = [one[1] for one in packets(tmp_path / "a.mp4") if 1 <= one[0] < 2]
    copied = packets(tmp_path / "b.mp4")
    assert copied[0][1] == content[0] and float(copied[0][0]) == pytest.approx(0, abs=0.03)
    assert 0.9 < copied[-1][0] < 1.6


def test_sound_that_the_container_does_not_support_is_left_out_and_reported(tmp_path):
    write_clip(tmp_path / "a.avi", sounds=["pcm_u8"], codec="mpeg4")
    writer = write(tmp_path / "b.mp4", [0, 0.04], sound=SoundSource(tmp_path / "a.avi"))
    (warning,) = writer.warnings
    assert "audio stream 0 (pcm_u8) is left out" in warning
    with av.open(str(tmp_path / "b.mp4")) as container:
        assert not container.streams.audio and len(list(container.decode(video=0))) == 2
    assert write(tmp_path / "b.mkv", [0, 0.04], sound=SoundSource(tmp_path / "a.avi")).warnings == []
    assert len(packets(tmp_path / "b.mkv")) > 0


def test_wrong_arguments_are_clear_errors(tmp_path):
    with pytest.raises(ConfigError, match=r"\.mp4.*got a\.xyz"):
        VideoWriter(tmp_path / "a.xyz", 64, 48)
    with pytest.raises(DataError, match=r"cannot write .*no such file"):
        VideoWriter(tmp_path / "missing" / "a.mp4", 64, 48)
    with VideoWriter(tmp_path / "a.mp4", 64, 48) as writer:
        with pytest.raises(ValueError, match="shape"):
            writer.write(corner_image(48, 64), 0)
        with pytest.raises(ValueError, match="0 or more"):
            writer.write(corner_image(64, 48), -1)
        writer.write(corner_image(64, 48), 0)


def test_after_an_exception_the_partial_file_can_be_played(tmp_path):
    with pytest.raises(KeyError), VideoWriter(tmp_path / "a.mp4", 64, 48) as writer:
        for i in range(10):
            writer.write(corner_image(64, 48), i / 25)
        raise KeyError
    assert not (tmp_path / "a.mp4").exists() and len(frame_times(tmp_path / "a.partial.mp4")) == 10


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv"])
def test_a_killed_process_leaves_a_file_that_can_be_played(tmp_path, name):
    code = f"""
import sys, time, itertools
sys.path.insert(0, {str(Path(__file__).parents[1] / "shared")!r})
from clips import corner_image
from rdrface.video import VideoWriter
writer = VideoWriter({str(tmp_path / name)!r}, 64, 48)
for i in range(200):
    writer.write(corner_image(64, 48, i), i / 25)
print("ready", flush=True)
time.sleep(60)
"""
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    assert process.stdout.readline() == b"ready\n"
    time.sleep(0.1)
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    partial = tmp_path / f"a.partial{Path(name).suffix}"
    assert not (tmp_path / name).exists()
    with open_video(partial) as video:
        frames = list(video)
    # All but the last seconds of the 8.
    assert 6 * 25 < len(frames) <= 200 and [frame.time for frame in frames[:3]] == [0, 0.04, 0.08]
