"""`rdrface track`: outputs, options, existing files, videos that cannot be read."""

import argparse
import json
import os
import socket
import threading
from pathlib import Path

import av
import numpy as np
import pyarrow.parquet as pq
import pytest

from clips import frame_times, levels, packets, write_clip
from csv_rows import rows
from fake_tracker import LEVEL, use_fake_tracker
from rdrface.cli.main import main
from rdrface.cli.track import _address
from rdrface.errors import DataError
from rdrface.recording import ClipRecorder, read_recording

ALL = ("--parquet", "--live-link", "--draw", "--glb")


@pytest.fixture
def clips(tmp_path, monkeypatch) -> Path:
    """The working directory, with v/a.mp4 (1 s, sound; one face, then none, then two) and v/sub/b.mov (no face)."""
    monkeypatch.chdir(tmp_path)
    use_fake_tracker(monkeypatch)
    Path("v/sub").mkdir(parents=True)
    counts = [1] * 10 + [0] * 5 + [2] * 10
    write_clip("v/a.mp4", images=levels([LEVEL * count for count in counts]), sounds=["aac"])
    write_clip("v/sub/b.mov", range(0, 400, 40), images=levels([0] * 10))
    Path("v/notes.txt").write_text("notes")
    return tmp_path


def names(folder="out"):
    return sorted(path.relative_to(folder).as_posix() for path in Path(folder).rglob("*") if path.is_file())


def test_all_outputs_of_a_folder_of_videos(clips, capsys):
    assert main(["track", "v", "-o", "out", *ALL]) == 0
    out, err = capsys.readouterr()
    assert names() == [
        "a.jsonl",
        "a.parquet",
        "a.person1.glb",
        "a.person2.glb",
        "a.tracked.mp4",
        "a_1_Person1.csv",
        "a_1_Person2.csv",
        "sub/b.jsonl",
        "sub/b.parquet",
        "sub/b.tracked.mp4",
    ]
    assert out.startswith("2 videos, 35 frames, 15 without a face, 2 people, ") and "frames/s\nwritten: out\n" in out
    assert err == ""
    frames = list(read_recording("out/a.jsonl"))
    assert [len(frame.faces) for frame in frames] == [1] * 10 + [0] * 5 + [2] * 10
    assert [frame.time for frame in frames] == pytest.approx([i / 25 for i in range(25)])
    assert pq.read_table("out/a.parquet")["frame"].to_pylist() == [*range(10), *sorted([*range(15, 25)] * 2)]
    assert [row["BlendShapeCount"] for row in rows("out/a_1_Person1.csv")].count("0") > 3
    assert frame_times("out/a.tracked.mp4") == frame_times("v/a.mp4")
    assert [one[1] for one in packets("out/a.tracked.mp4")] == [one[1] for one in packets("v/a.mp4")]
    with av.open("out/a.tracked.mp4") as container:
        drawn = [frame.to_ndarray(format="rgb24").std() for frame in container.decode(video=0)]
    assert min(drawn[:10]) > 5 > max(drawn[10:15])


def test_without_outputs_the_people_are_printed(clips, capsys):
    assert main(["track", "v/a.mp4"]) == 0
    out = capsys.readouterr().out.splitlines()
    assert out[:2] == [
        "v/a.mp4: person 1, 0.00 to 0.96 s, 20 frames",
        "v/a.mp4: person 2, 0.60 to 0.96 s, 10 frames",
    ]
    assert out[2].startswith("1 video, 25 frames, 5 without a face, 2 people, ") and len(out) == 3


def test_standard_output_has_only_the_frames(clips, capfdbinary):
    assert main(["track", "v/a.mp4", "--json", "-"]) == 0
    out, err = capfdbinary.readouterr()
    assert len([json.loads(line) for line in out.splitlines()]) == 25 and err.startswith(b"1 video, 25 frames")


def test_the_part_and_the_faces_to_write_can_be_chosen(clips):
    options = ["--start", "0.4", "--end", "0:00.8", "--every", "2", "--max-faces", "1", "--no-smoothing"]
    assert main(["track", "v/a.mp4", "-o", "out", "--draw", *options]) == 0
    frames = list(read_recording("out/a.jsonl"))
    assert [frame.time for frame in frames] == pytest.approx([0.4, 0.48, 0.56, 0.64, 0.72])
    assert [len(frame.faces) for frame in frames] == [0, 0, 0, 1, 1]
    assert frames[3].faces[0].face.landmarks[:, 0].mean() < 30
    assert [float(one) for one in frame_times("out/a.tracked.mp4")] == pytest.approx([0, 0.08, 0.16, 0.24, 0.32])
    assert 0.3 < packets("out/a.tracked.mp4")[-1][0] < 0.9


def test_rate_and_signs_of_live_link_files(clips):
    assert main(["track", "v/a.mp4", "-o", "x", "--live-link"]) == 0
    options = ["--live-link-rate", "60", "--live-link-flip", "pitch"]
    assert main(["track", "v/a.mp4", "-o", "y", "--live-link", *options]) == 0
    first, second = rows("x/a_1_Person1.csv"), rows("y/a_1_Person1.csv")
    assert len(second) > 1.8 * len(first)
    assert float(first[0]["HeadPitch"]) == -float(second[0]["HeadPitch"]) != 0
    assert first[0]["HeadYaw"] == second[0]["HeadYaw"]


def test_faces_are_sent_to_an_avatar_program(clips, capsys):
    pytest.importorskip("pythonosc")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind(("127.0.0.1", 0))
        receiver.settimeout(2)
        address = f"127.0.0.1:{receiver.getsockname()[1]}"
        assert main(["track", "v/a.mp4", "--end", "0.1", "--vmc", address, "--vmc-names", "vrm0"]) == 0
        packets = [receiver.recv(65536) for _ in range(3)]
    assert all(b"Blink_L" in packet and b"/VMC/Ext/Blend/Apply" in packet for packet in packets)
    assert main(["track", "v", "--vmc", address]) == 2 and "--vmc takes a single video" in capsys.readouterr().err
    assert main(["track", "v/a.mp4", "--vmc-names", "vrm1"]) == 2


@pytest.mark.parametrize(
    ("text", "expected"),
    [("pc", ("pc", 39540)), ("pc:39539", ("pc", 39539)), ("::1", ("::1", 39540)), ("[::1]:5", ("::1", 5))],
)
def test_addresses(text, expected):
    assert _address(text) == expected


@pytest.mark.parametrize("text", ["", ":5", "pc:", "pc:0", "pc:65536", "pc:x"])
def test_addresses_that_are_none(text):
    with pytest.raises(argparse.ArgumentTypeError, match="HOST or HOST:PORT"):
        _address(text)


def test_sound_that_does_not_fit_mp4_gives_matroska(clips):
    write_clip("c.avi", sounds=["pcm_u8"], codec="mpeg4", images=levels([LEVEL] * 25))
    assert main(["track", "c.avi", "-o", "out", "--draw"]) == 0
    assert names() == ["c.jsonl", "c.tracked.mkv"] and len(packets("out/c.tracked.mkv")) > 0


def test_existing_files_are_refused_before_the_work_starts(clips, capsys):
    files = [
        "a.jsonl",
        "a.parquet",
        "a.tracked.mp4",
        "a_1_Person7.csv",
        "a.partial.jsonl",
        "a.tracked.partial.mp4",
        "a.person7.glb",
    ]
    Path("out").mkdir()
    for name in files:
        (Path("out") / name).write_text("old")
        assert main(["track", "v", "-o", "out", *ALL]) == 2
        assert f"{Path('out', name)} exists" in capsys.readouterr().err and names() == [name]
        (Path("out") / name).unlink()
    for name in files:
        (Path("out") / name).write_text("old")
    assert main(["track", "v", "-o", "out", *ALL, "--overwrite"]) == 0
    assert not {"a_1_Person7.csv", "a.person7.glb"} & set(names()) and not [
        name for name in names() if "partial" in name
    ]
    assert len(list(read_recording("out/a.jsonl"))) == 25


def test_complete_videos_are_skipped_and_interrupted_ones_start_again(clips, capsys):
    assert main(["track", "v/sub/b.mov", "-o", "out"]) == 0
    Path("out/a.partial.jsonl").write_text("of an interrupted run")
    before = Path("out/b.jsonl").stat().st_mtime_ns
    assert main(["track", "v/sub/b.mov", "v/a.mp4", "-o", "out", "--skip-existing"]) == 0
    assert names() == ["a.jsonl", "b.jsonl"] and Path("out/b.jsonl").stat().st_mtime_ns == before
    captured = capsys.readouterr()
    assert "1 video, 25 frames, 5 without a face, 2 people, 1 skipped" in captured.out
    assert f"{Path('v/sub/b.mov')}: skipped, result exists" in captured.err


def test_a_drawn_video_in_the_folder_is_not_an_input_of_the_next_run(clips):
    assert main(["track", "v", "-o", "v", "--draw"]) == 0
    assert main(["track", "v", "-o", "v", "--draw", "--overwrite"]) == 0
    assert [name for name in names("v") if "tracked.tracked" in name] == []


def test_videos_that_cannot_be_read_do_not_end_the_run(clips, capsys):
    Path("v/0.mp4").write_text("no video")
    assert main(["track", "v", "missing.mp4", "*.xyz", "-o", "out"]) == 1
    out, err = capsys.readouterr()
    assert "2 videos, 35 frames" in out and "3 failed" in out
    assert err.count("\n") == 3 and "v/0.mp4 is not a video" in err and "missing.mp4 cannot be read" in err
    assert "*.xyz: the pattern matches no video" in err and names() == ["a.jsonl", "sub/b.jsonl"]


def test_a_truncated_video_is_tracked_and_reported(clips, capsys):
    noise = np.random.default_rng(0).integers(0, 200, (100, 48, 64, 3), dtype=np.uint8)
    write_clip("n.mp4", range(0, 4000, 40), images=noise, options={"movflags": "faststart"})
    content = Path("n.mp4").read_bytes()
    Path("cut.mp4").write_bytes(content[: len(content) // 2])
    assert main(["track", "cut.mp4", "-o", "out"]) == 0
    assert 30 < len(list(read_recording("out/cut.jsonl"))) < 70
    assert "cut.mp4: the file is truncated or damaged: the last frame is at" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--draw"], "--draw needs -o"),
        (["--parquet"], "--parquet needs -o"),
        (["--live-link"], "--live-link needs -o"),
        (["--skip-existing"], "--skip-existing needs -o"),
        (["--overwrite"], "--overwrite has no effect"),
        (["-o", "out", "--live-link-rate", "60"], "no effect without --live-link"),
        (["-o", "out", "--live-link-flip", "yaw"], "no effect without --live-link"),
        (["--start", "5", "--end", "5"], "--end must be later than --start"),
        (["-o", "v/notes.txt"], "-o must be a folder"),
        (["--json", "v/a.mp4", "--overwrite"], "is an input of this run"),
    ],
)
def test_options_that_cannot_work_are_errors(clips, capsys, arguments, message):
    assert main(["track", "v/a.mp4", *arguments]) == 2
    assert message in capsys.readouterr().err and not Path("out").exists()


def test_one_json_file_for_two_videos_is_an_error(clips, capsys):
    assert main(["track", "v", "--json", "x.jsonl"]) == 2
    assert "--json takes a single video, got 2" in capsys.readouterr().err


@pytest.mark.parametrize("value", ["-1", "x", "1:", "nan", "inf"])
def test_times_that_are_none_are_errors(clips, capsys, value):
    with pytest.raises(SystemExit):
        main(["track", "v/a.mp4", f"--start={value}"])
    assert "must be seconds, or M:SS or H:MM:SS" in capsys.readouterr().err


def test_a_video_whose_other_files_fail_is_not_complete(clips, capsys, monkeypatch):
    def fail(self):
        raise DataError("cannot write out/a.person1.glb: no space")

    with monkeypatch.context() as patched:
        patched.setattr(ClipRecorder, "close", fail)
        assert main(["track", "v/a.mp4", "-o", "out", "--glb", "--parquet"]) == 1
    assert "a.partial.jsonl" in names() and "a.jsonl" not in names() and "a.parquet" in names()
    Path("out/a.parquet").unlink()
    assert main(["track", "v/a.mp4", "-o", "out", "--glb", "--parquet", "--skip-existing"]) == 0
    assert names() == ["a.jsonl", "a.parquet", "a.person1.glb", "a.person2.glb"]


def test_two_videos_with_the_same_live_link_files_are_refused(clips, capsys):
    """Underscores become hyphens in these names."""
    Path("w").mkdir()
    for name in ("clip-1", "clip_1"):
        write_clip(f"w/{name}.mp4", images=levels([LEVEL] * 25))
    assert main(["track", "w", "-o", "out", "--live-link"]) == 2
    error = capsys.readouterr().err
    assert "clip-1.mp4 and w/clip_1.mp4 would have the same Live Link files" in error and not Path("out").exists()
    assert main(["track", "w", "-o", "out"]) == 0


def test_an_output_that_cannot_be_opened_leaves_no_partial_files(clips, capsys):
    assert main(["track", "v/a.mp4", "-o", "out", "--parquet", "--vmc", "no host:1"]) != 0
    assert names() == []


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_pipe_is_drawn_without_its_sound(clips, capsys):
    """It can be read only once."""
    with av.open("v/a.mp4") as source, av.open("a.ts", "w", format="mpegts") as output:
        streams = {one: output.add_stream_from_template(one) for one in source.streams}
        for packet in source.demux():
            if packet.dts is not None:
                packet.stream = streams[packet.stream]
                output.mux(packet)
    os.mkfifo("pipe.ts")
    writer = threading.Thread(target=lambda: Path("pipe.ts").write_bytes(Path("a.ts").read_bytes()), daemon=True)
    writer.start()
    assert main(["track", "pipe.ts", "-o", "out", "--draw"]) == 0
    writer.join(10)
    assert "a pipe can be read only once" in capsys.readouterr().err
    (drawn,) = Path("out").glob("*.tracked.mp4")
    assert len(frame_times(str(drawn))) >= 24
