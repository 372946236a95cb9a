"""Runs of `rdrface track` that end early, cameras, and full disks: no result is lost."""

import itertools
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import pytest

from clips import frame_times, levels, write_clip
from fake_tracker import LEVEL, FakeTracker, use_fake_tracker
from rdrface.cli.main import main
from rdrface.recording import read_recording

pytestmark = pytest.mark.usefixtures("clip")
ALL = ("--parquet", "--live-link", "--draw")
ARGUMENTS = ["track", "a.mp4", "-o", "out", *ALL]


@pytest.fixture
def clip(tmp_path, monkeypatch) -> None:
    """The working directory, with a.mp4: 8 s, one face."""
    monkeypatch.chdir(tmp_path)
    write_clip("a.mp4", range(0, 8000, 40), images=levels([LEVEL] * 200))


def stopping(action):
    """A tracker that is interrupted at the 50th frame."""

    class Stopping(FakeTracker):
        count = 0

        def update(self, image, time):
            self.count += 1
            if self.count == 50:
                action()
            return super().update(image, time)

    return Stopping


def press_ctrl_c():
    raise KeyboardInterrupt


def names():
    return sorted(path.name for path in Path("out").iterdir())


TERMINATED = f"""
import signal, sys
from rdrface.cli import track, track_run
from rdrface.cli.main import main
from test_track_interruptions import stopping

track._open = lambda args: None
track_run.Tracker = stopping(lambda: signal.raise_signal(signal.SIGTERM))
sys.exit(main({ARGUMENTS}))
"""


def check_partial_files(status, out, err):
    assert status == 130
    assert out.startswith("0 videos, 49 frames, 1 person")
    assert "a.mp4: ended after 49 frames; what was written is in" in err and err.endswith("rdrface: interrupted\n")
    assert str(Path("out/a.partial.jsonl")) in err and str(Path("out/a.tracked.partial.mp4")) in err
    assert names() == ["a.partial.jsonl", "a.partial.parquet", "a.tracked.partial.mp4", "a_1_Person1.partial.csv"]
    assert len(list(read_recording("out/a.partial.jsonl"))) == 49
    assert len(list(read_recording("out/a.partial.parquet"))) == 49
    assert len(frame_times("out/a.tracked.partial.mp4")) == 49


def test_an_interrupted_video_keeps_its_partial_files(monkeypatch, capsys):
    use_fake_tracker(monkeypatch, stopping(press_ctrl_c))
    status = main(ARGUMENTS)
    check_partial_files(status, *capsys.readouterr())
    # The next run starts the video again and replaces them.
    use_fake_tracker(monkeypatch)
    assert main([*ARGUMENTS, "--skip-existing"]) == 0
    assert names() == ["a.jsonl", "a.parquet", "a.tracked.mp4", "a_1_Person1.csv"]


def test_a_terminated_video_keeps_its_partial_files():
    """In a process of its own: the signal would end the tests if it were not handled."""
    here = Path(__file__).parent
    path = os.pathsep.join([str(here), str(here.parent / "shared"), os.environ.get("PYTHONPATH", "")])
    run = subprocess.run(
        [sys.executable, "-c", TERMINATED], env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True
    )
    check_partial_files(run.returncode, run.stdout, run.stderr)


def test_an_error_of_the_network_keeps_the_frames_before_it(monkeypatch, capsys):
    def fail():
        raise RuntimeError("the network\nfailed")

    use_fake_tracker(monkeypatch, stopping(fail))
    assert main(["track", "a.mp4", "-o", "out"]) == 1
    assert "a.mp4: the network failed" in capsys.readouterr().err
    assert len(list(read_recording("out/a.partial.jsonl"))) == 49


def test_a_killed_process_leaves_files_that_can_be_read():
    shared = Path(__file__).parents[1] / "shared"
    code = f"""
import sys, time
sys.path.insert(0, {str(shared)!r})
import fake_tracker
from rdrface.cli import track, track_run
from rdrface.recording import parquet
class Slow(fake_tracker.FakeTracker):
    def update(self, image, when):
        time.sleep(0.01)
        return super().update(image, when)
track._open = lambda args: None
track_run.Tracker = Slow
parquet._PART_SECONDS = 0.1
from rdrface.cli.main import main
main(["track", "a.mp4", "-o", "out", "--parquet", "--live-link", "--draw"])
"""
    process = subprocess.Popen([sys.executable, "-c", code])
    partial = Path("out/a.partial.jsonl")
    end = time.monotonic() + 600
    while time.monotonic() < end and process.poll() is None:
        if partial.exists() and partial.read_bytes().count(b"\n") > 120:
            break
        time.sleep(0.01)
    assert process.poll() is None
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    count = len(list(read_recording(partial)))
    assert 120 < count < 200
    assert count - 60 < len(list(read_recording("out/a.partial.parquet"))) <= count
    assert count - 60 < len(frame_times("out/a.tracked.partial.mp4")) <= count + 3
    assert Path("out/a_1_Person1.partial.csv").read_text().count("\n") > count


def test_the_reader_of_standard_output_can_exit(monkeypatch, capfd):
    use_fake_tracker(monkeypatch)
    code = """
import sys
sys.path.insert(0, sys.argv[1])
import fake_tracker
from rdrface.cli import track, track_run
track._open = lambda args: None
track_run.Tracker = fake_tracker.FakeTracker
from rdrface.cli.main import main
sys.exit(main(["track", "a.mp4", "--json", "-"]))
"""
    shared = Path(__file__).parents[1] / "shared"
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(shared)], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    process.stdout.readline()
    process.stdout.close()
    errors = process.stderr.read()
    process.stderr.close()
    assert process.wait(60) == 1 and b"Traceback" not in errors


def test_a_full_disk_ends_the_run_and_keeps_what_was_written(monkeypatch, capsys):
    from rdrface.recording import json_lines

    use_fake_tracker(monkeypatch)
    original = json_lines.JSONLinesWriter.write
    count = itertools.count()

    def write(self, frame):
        if next(count) == 30:
            self._file.close()
            self._file = Path("/dev/full").open("wb", buffering=0)  # noqa: SIM115
        original(self, frame)

    if not Path("/dev/full").exists():
        pytest.skip("this system has no /dev/full")
    monkeypatch.setattr(json_lines.JSONLinesWriter, "write", write)
    assert main(["track", "a.mp4", "a.mp4", "-o", "out"]) == 1
    err = capsys.readouterr().err
    assert "No space left on device" in err and "what was written is in" in err
    assert len(list(read_recording("out/a.partial.jsonl"))) == 30


class FakeCamera:
    """Delivers frames with a face until it is released."""

    def isOpened(self):
        return True

    def grab(self):
        time.sleep(0.005)
        return True

    def retrieve(self):
        return True, np.full((48, 64, 3), LEVEL, np.uint8)

    def get(self, key):
        return 25.0

    def release(self):
        pass


def test_ctrl_c_is_the_normal_end_of_a_camera(monkeypatch, capsys):
    monkeypatch.setattr(cv2, "VideoCapture", lambda camera: FakeCamera())
    use_fake_tracker(monkeypatch, stopping(press_ctrl_c))
    assert main(["track", "0", "-o", "out", "--draw", "--live-link"]) == 0
    assert names() == ["camera0.jsonl", "camera0.tracked.mp4", "camera0_1_Person1.csv"]
    frames = list(read_recording("out/camera0.jsonl"))
    assert len(frames) == 49 and frames[-1].time > 0.2
    times = [float(one) for one in frame_times("out/camera0.tracked.mp4")]
    assert times == pytest.approx([frame.time for frame in frames], abs=1e-4)
    assert capsys.readouterr().out.startswith("1 video, 49 frames, 1 person")


def test_a_camera_can_be_recorded_for_some_seconds(monkeypatch):
    monkeypatch.setattr(cv2, "VideoCapture", lambda camera: FakeCamera())
    use_fake_tracker(monkeypatch)
    assert main(["track", "0", "-o", "out", "--end", "0.3"]) == 0
    times = [frame.time for frame in read_recording("out/camera0.jsonl")]
    assert times[0] < 0.1 and 0.2 < times[-1] < 0.3
