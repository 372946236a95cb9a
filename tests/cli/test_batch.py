"""A run of `rdrface detect` over many files: counts, interruptions, full disks, odd names, repeated runs."""

import csv
import json
import os
import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest
from PIL import Image

from exported import weights_file
from fake_aligner import FakeAligner, use_fake_aligner, write_image
from rdrface.aligner import MAX_UNCERTAINTY
from rdrface.cli import detect
from rdrface.cli.main import main


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch) -> Path:
    """The working directory, with p/a.png (one face), p/b.png (none) and p/c.png (two)."""
    monkeypatch.chdir(tmp_path)
    use_fake_aligner(monkeypatch)
    for name, faces in (("a", 1), ("b", 0), ("c", 2)):
        write_image(f"p/{name}.png", faces)
    return tmp_path


def rows(path: str) -> list[dict[str, str]]:
    return list(csv.DictReader(Path(path).read_text(encoding="utf-8").splitlines()))


def test_the_summary_counts_photos_faces_and_all_that_was_not_used(monkeypatch, capsys):
    use_fake_aligner(monkeypatch, dropped=2)
    for name in ("x.mp4", "y.mp4", "notes.txt"):
        (Path("p") / name).write_text("x")
    Path("p/bad.jpg").write_text("x")
    assert main(["detect", "p", "--json", "all.json", "--csv", "all.csv"]) == 1
    out, err = capsys.readouterr()
    assert out == (
        "3 photos, 3 faces, 1 without a face, 3 skipped, 1 failed, 6 dropped\n"
        "dropped: detections with an expected error above the limit of --max-uncertainty\n"
        f"skipped, not an image: 1 ({Path('p/notes.txt')})\n"
        f"skipped, video: 2 ({Path('p/x.mp4')}, {Path('p/y.mp4')})\n"
        "written: all.json, all.csv\n"
    )
    assert err.startswith("rdrface: ") and err.count("\n") == 1 and "bad.jpg is not an image" in err
    content = json.loads(Path("all.json").read_text())
    assert [image["dropped"] for image in content["images"]] == [2, 2, 2]
    assert {"path": str(Path("p/x.mp4")), "reason": "video"} in content["skipped"]
    table = rows("all.csv")
    assert [(Path(row["image"]).name, row["face"], row["status"]) for row in table] == [
        ("a.png", "0", "face"),
        ("b.png", "", "no face"),
        ("bad.jpg", "", "failed"),
        ("c.png", "0", "face"),
        ("c.png", "1", "face"),
    ]
    assert "not an image" in table[2]["error"] and table[1]["dropped"] == "2"


def test_the_summary_goes_to_standard_error_if_data_go_to_standard_output(capsys):
    assert main(["detect", "p", "--csv", "-"]) == 0
    out, err = capsys.readouterr()
    assert len(list(csv.DictReader(out.splitlines()))) == 4
    assert err.startswith("3 photos, 3 faces")


def test_the_outputs_of_a_run_are_not_photos_of_the_next():
    command = ["detect", "p", "-o", "p", "--draw", "--mesh", "--json", "all.json", "--overwrite"]
    for _ in range(2):
        assert main(command) == 0
        content = json.loads(Path("all.json").read_text())
        assert [Path(image["image"]).name for image in content["images"]] == ["a.png", "b.png", "c.png"]
    reasons = {Path(one["path"]).name: one["reason"] for one in content["skipped"]}
    assert reasons["a.overlay.jpg"] == reasons["c.face1.obj"] == "output of rdrface"


def test_a_run_that_finds_fewer_faces_leaves_no_files_of_the_run_before():
    Path("out").mkdir()
    others = ["a.face1.txt", "a.face1.obj.bak", "c.facet.obj", "c.face.obj", "xc.face1.obj", "a.face1.png"]
    for name in others:
        (Path("out") / name).write_text("mine")
    assert main(["detect", "p", "-o", "out", "--mesh", "--draw"]) == 0
    assert Path("out/c.face1.obj").is_file()
    write_image("p/c.png", 1)
    assert main(["detect", "p", "-o", "out", "--mesh", "--format", "ply", "--overwrite"]) == 0
    names = {path.name for path in Path("out").iterdir()}
    assert names == {"a.json", "b.json", "c.json", "a.face0.ply", "c.face0.ply", *others}


def test_meshes_are_written_without_the_mesh_in_the_overlay(monkeypatch):
    calls = []
    draw = detect.OutputFolder.add.__globals__["draw"]
    monkeypatch.setitem(
        detect.OutputFolder.add.__globals__, "draw", lambda *args, **kinds: calls.append(kinds) or draw(*args, **kinds)
    )
    assert main(["detect", "p/a.png", "-o", "one", "--mesh", "--draw"]) == 0
    assert main(["detect", "p/a.png", "-o", "two", "--draw-mesh"]) == 0
    assert [(call["mesh"], call["axes"]) for call in calls] == [(False, True), (True, True)]
    assert sorted(path.name for path in Path("two").iterdir()) == ["a.json", "a.overlay.jpg"]


def test_an_interrupted_run_is_resumed(capsys):
    assert main(["detect", "p/a.png", "-o", "out"]) == 0
    Path("out/c.json").write_text('{"rdrface": "0.1", "image": "p/c.p')  # cut, as release 0.1 could leave it
    before = Path("out/a.json").stat().st_mtime_ns
    command = ["detect", "p/a.png", "p/b.png", "p/c.png", "-o", "out", "--skip-existing", "--overwrite"]
    assert main([*command, "--csv", "all.csv"]) == 0
    assert "2 photos, 2 faces, 1 without a face, 1 skipped" in capsys.readouterr().out
    assert Path("out/a.json").stat().st_mtime_ns == before
    assert len(json.loads(Path("out/c.json").read_text())["faces"]) == 2
    assert {row["image"]: row["status"] for row in rows("all.csv")} == {
        "p/a.png": "result exists",
        "p/b.png": "no face",
        "p/c.png": "face",
    }


def test_the_result_of_another_image_is_not_taken_for_that_of_this_one(capsys):
    write_image("q/a.png")
    assert main(["detect", "p/a.png", "-o", "out"]) == 0
    assert main(["detect", "q/a.png", "-o", "out", "--skip-existing"]) == 1
    assert "a.json has the result of p/a.png; choose another folder" in capsys.readouterr().err


class Interrupting(FakeAligner):
    """Is interrupted at the second image."""

    def __init__(self, interrupt) -> None:
        super().__init__()
        self.interrupt, self.count = interrupt, 0

    def detect_with_dropped(self, image):
        self.count += 1
        if self.count == 2:
            self.interrupt()
        return super().detect_with_dropped(image)


def press_ctrl_c():
    raise KeyboardInterrupt


@pytest.mark.parametrize("interrupt", [press_ctrl_c, lambda: os.kill(os.getpid(), signal.SIGTERM)])
def test_an_interrupted_run_keeps_its_results(monkeypatch, capsys, interrupt):
    monkeypatch.setattr(detect, "_open", lambda args: Interrupting(interrupt))
    assert main(["detect", "p", "--json", "all.json", "--csv", "all.csv", "-o", "out"]) == 130
    out, err = capsys.readouterr()
    assert err == "rdrface: interrupted\n"
    assert out.startswith("1 photo, 1 face, 0 skipped, 0 failed, 0 dropped, 2 not processed\n")
    content = json.loads(Path("all.json").read_text())
    assert len(content["images"]) == 1
    assert [Path(name).name for name in content["not_processed"]] == ["b.png", "c.png"]
    assert [row["status"] for row in rows("all.csv")] == ["face", "not processed", "not processed"]
    assert sorted(path.name for path in Path().rglob("*.json")) == ["a.json", "all.json"]
    assert not list(Path().rglob(".rdrface*"))


@contextmanager
def file_size_limit(size: int):
    """Let writing beyond `size` bytes of a file fail, as on a full disk."""
    resource = pytest.importorskip("resource")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("option", ["--json", "--csv"])
def test_a_full_disk_keeps_what_was_written_completely(capsys, option):
    for i in range(20):
        write_image(f"q/{i:02d}.png", 2)
    with file_size_limit(100_000 if option == "--json" else 30_000):
        assert main(["detect", "q", option, "all.txt"]) == 1
    err = capsys.readouterr().err
    assert "cannot write all.txt: File too large" in err and "Traceback" not in err and err.count("\n") == 1
    if option == "--json":
        images = [image["image"] for image in json.loads(Path("all.txt").read_text())["images"]]
    else:
        table = rows("all.txt")
        assert all(row["status"] == "face" and len(row) == 286 for row in table) and len(table) % 2 == 0
        images = sorted({row["image"] for row in table})
    assert 0 < len(images) < 20
    assert images == [str(Path("q") / f"{i:02d}.png") for i in range(len(images))]


def test_a_full_disk_leaves_no_cut_files_in_the_folder(capsys):
    write_image("p/b.png", 1)
    with file_size_limit(60_000):  # a mesh is larger, a JSON file smaller
        assert main(["detect", "p", "-o", "out", "--mesh", "--csv", "all.csv"]) == 1
    out, err = capsys.readouterr()
    assert err.count("\n") == 1 and "a.face0.obj" in err
    assert "run it again with --skip-existing when there is space" in err
    assert out.startswith("0 photos, 0 faces, 0 skipped, 0 failed, 0 dropped, 3 not processed\n")
    assert list(Path("out").iterdir()) == []
    assert [row["status"] for row in rows("all.csv")] == ["not processed"] * 3


def test_an_output_file_is_never_an_image_or_the_result_of_an_image(capsys):
    write_image("all.png")
    assert main(["detect", "all.png", "p/a.png", "-o", "out", "--json", "out/all.json"]) == 1
    assert "all.json already exists" in capsys.readouterr().err
    assert [image["image"] for image in json.loads(Path("out/all.json").read_text())["images"]] == ["p/a.png"]


def test_the_first_frame_of_several_is_named(capsys):
    frames = [Image.new("RGB", (32, 24), (i, 90, 90)) for i in (1, 2, 0)]
    frames[0].save("pages.tif", save_all=True, append_images=frames[1:])
    assert main(["detect", "pages.tif", "p/a.png", "--json", "-"]) == 0
    out, err = capsys.readouterr()
    assert "rdrface: pages.tif: frame 1 of 3; the others are not read\n" in err
    pages, single = json.loads(out)["images"]
    assert (pages["frame"], pages["frames"]) == (1, 3) and "frames" not in single


def test_box_files_must_belong_to_the_images(capsys):
    write_image("q/a.png")
    Path("boxes.json").write_text('{"a.png": [[20, 20, 90, 90]], "other.png": []}')
    assert main(["detect", "p/a.png", "q/a.png", "--boxes", "boxes.json"]) == 1
    assert "one entry, a.png, for the images p/a.png and q/a.png" in capsys.readouterr().err
    assert main(["detect", "p/a.png", "--boxes", "boxes.json"]) == 0
    assert "no image for 1 entries of the box file, such as other.png" in capsys.readouterr().err
    Path("boxes.json").write_text('{"a.png": [[420, 20, 490, 90]]}')
    assert main(["detect", "p/a.png", "--boxes", "boxes.json"]) == 1
    assert "outside the image of 320 x 240 pixels" in capsys.readouterr().err


def test_the_csv_and_the_json_of_a_run_are_box_files():
    assert main(["detect", "p", "--csv", "faces.csv", "--json", "faces.json"]) == 0
    for name in ("faces.csv", "faces.json"):
        assert main(["detect", "p", "--boxes", name, "--json", "again.json", "--overwrite"]) == 0
        first, again = (json.loads(Path(file).read_text())["images"] for file in ("faces.json", "again.json"))
        assert [[face["box"] for face in image["faces"]] for image in again] == [
            [face["box"] for face in image["faces"]] for image in first
        ]


def test_options_of_the_detector_reach_the_aligner(monkeypatch):
    calls = []
    monkeypatch.undo()
    monkeypatch.setattr(detect, "load", lambda weights, **options: calls.append(options) or FakeAligner())
    image = str(next(Path.cwd().glob("nothing"), "nothing.png"))
    assert main(["detect", image]) == 1
    options = ["--max-side", "3840", "--max-uncertainty", "none", "--order", "left_to_right", "--score", "0.3"]
    assert main(["detect", image, *options]) == 1
    assert main(["detect", image, "--max-uncertainty", "20"]) == 1
    chosen = [{key: call[key] for key in ("max_side", "max_uncertainty", "order", "score_threshold")} for call in calls]
    assert chosen == [
        {"max_side": None, "max_uncertainty": MAX_UNCERTAINTY, "order": "score", "score_threshold": None},
        {"max_side": 3840, "max_uncertainty": None, "order": "left_to_right", "score_threshold": 0.3},
        {"max_side": None, "max_uncertainty": 20, "order": "score", "score_threshold": None},
    ]


def rdrface(*arguments: str, **options) -> subprocess.Popen:
    """The command in a new process, with the real network."""
    command = [
        sys.executable,
        "-m",
        "rdrface",
        "detect",
        "--weights",
        str(weights_file()),
        "--threads",
        "1",
        *arguments,
    ]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options)


@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="file names must be UTF-8 there")
def test_names_that_cannot_be_printed_do_not_end_the_run():
    write_image("q/\u65e5\u672c.png")
    Path("p/a.png").rename(os.fsdecode(b"q/caf\xe9.png"))
    Path(os.fsdecode(b"q/\xff.txt")).touch()
    environment = {**os.environ, "PYTHONIOENCODING": "cp1252", "PYTHONUTF8": "0"}
    done = rdrface("q", "--json", "all.json", "--csv", "all.csv", "-o", "out", env=environment)
    out, err = done.communicate()
    assert (done.returncode, err) == (0, b"")
    assert b"2 photos" in out and rb"q/\udcff.txt" in out
    names = [image["image"] for image in json.loads(Path("all.json").read_bytes().decode("utf-8"))["images"]]
    assert names == ["q/caf\\udce9.png", "q/\u65e5\u672c.png"]
    assert [row["image"] for row in rows("all.csv")] == names
    assert sorted(os.fsencode(path.name) for path in Path("out").iterdir()) == [
        b"caf\xe9.json",
        "\u65e5\u672c.json".encode(),
    ]
    done = rdrface("q", env=environment)
    out, err = done.communicate()
    assert (done.returncode, err) == (0, b"")
    assert rb"caf\udce9.png: 0 faces" in out and rb"\u65e5\u672c.png: 0 faces" in out


@pytest.mark.skipif(sys.platform == "win32", reason="pipes are closed in another way there")
def test_a_closed_pipe_ends_the_run_quietly():
    for i in range(9):
        write_image(f"q/{i}.png")
    for arguments in (["q"], ["q", "--json", "-"]):
        running = rdrface(*arguments, env={**os.environ, "PYTHONUNBUFFERED": "1"})
        running.stdout.read(1)
        running.stdout.close()
        assert running.stderr.read() == b""
        assert running.wait() == 1
        running.stderr.close()
