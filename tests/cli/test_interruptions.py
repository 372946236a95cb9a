"""Runs of `rdrface detect` that end early, and names that cannot be printed: no result is lost."""

import csv
import json
import os
import shutil
import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest

from csv_rows import rows
from fake_aligner import FakeAligner, write_image
from rdrface.cli import detect
from rdrface.cli.main import main
from rdrface.loading import PACKAGED_WEIGHTS

pytestmark = pytest.mark.usefixtures("folder")


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


ALL_RESULTS = ["detect", "p", "--json", "all.json", "--csv", "all.csv", "-o", "out"]

TERMINATED = f"""
import signal, sys
from rdrface.cli import detect
from rdrface.cli.main import main
from test_interruptions import Interrupting

detect._open = lambda args: Interrupting(lambda: signal.raise_signal(signal.SIGTERM))
sys.exit(main({ALL_RESULTS}))
"""


def check_interrupted(status, out, err):
    """The result of the first image is kept, the other two are named."""
    assert status == 130
    assert err == "rdrface: interrupted\n"
    assert out.startswith("1 photo, 1 face, 0 skipped, 0 failed, 0 dropped, 2 not processed\n")
    content = json.loads(Path("all.json").read_text())
    assert len(content["images"]) == 1
    assert [Path(name).name for name in content["not_processed"]] == ["b.png", "c.png"]
    assert [row["status"] for row in rows("all.csv")] == ["face", "not processed", "not processed"]
    assert sorted(path.name for path in Path().rglob("*.json")) == ["a.json", "all.json"]
    assert not list(Path().rglob(".rdrface*"))


def test_an_interrupted_run_keeps_its_results(monkeypatch, capsys):
    monkeypatch.setattr(detect, "_open", lambda args: Interrupting(press_ctrl_c))
    status = main(ALL_RESULTS)
    check_interrupted(status, *capsys.readouterr())


def test_a_terminated_run_keeps_its_results():
    """In a process of its own: the signal would end the tests if it were not handled."""
    here = Path(__file__).parent
    path = os.pathsep.join([str(here), str(here.parent / "shared"), os.environ.get("PYTHONPATH", "")])
    run = subprocess.run(
        [sys.executable, "-c", TERMINATED], env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True
    )
    check_interrupted(run.returncode, run.stdout, run.stderr)


def test_a_handler_that_python_did_not_install_is_kept(monkeypatch):
    """Programs that embed Python can install handlers; Python can neither read nor restore them."""
    calls = []
    monkeypatch.setattr(signal, "getsignal", lambda number: None)
    monkeypatch.setattr(signal, "signal", lambda number, handler: calls.append(handler))
    assert main(["detect", "p", "--json", "all.json"]) == 0
    assert calls == []


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
    assert not Path("out").exists()
    assert [row["status"] for row in rows("all.csv")] == ["not processed"] * 3


def rdrface(*arguments: str, **options) -> subprocess.Popen:
    """The command in a new process, with the real network."""
    command = [
        sys.executable,
        "-m",
        "rdrface",
        "detect",
        "--weights",
        str(PACKAGED_WEIGHTS),
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


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
@pytest.mark.parametrize("arguments", [[], ["--json", "-"], ["--csv", "-"], ["--json", "/dev/full"], ["-o", "out"]])
def test_a_full_standard_output_is_an_error(arguments):
    command = [sys.executable, "-m", "rdrface", "detect", "p/a.png", "p/b.png", "--weights", str(PACKAGED_WEIGHTS)]
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run([*command, *arguments], stdout=full, stderr=subprocess.PIPE, check=False)
    assert done.returncode == 1
    target = "/dev/full" if "/dev/full" in arguments else "standard output"
    assert f"rdrface: cannot write {target}: No space left on device".encode() in done.stderr
    assert b"Traceback" not in done.stderr and b"Exception" not in done.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="a folder with open files cannot be removed there")
def test_a_folder_that_was_removed_during_the_run_is_created_again(monkeypatch):
    monkeypatch.setattr(detect, "_open", lambda args: Interrupting(lambda: shutil.rmtree("results")))
    assert main(["detect", "p", "--json", "results/all.json", "--csv", "results/all.csv"]) == 0
    assert len(json.loads(Path("results/all.json").read_text())["images"]) == 3
    assert len(rows("results/all.csv")) == 4
    assert sorted(path.name for path in Path("results").iterdir()) == ["all.csv", "all.json"]


@pytest.mark.skipif(sys.platform == "win32", reason="file names cannot contain control characters there")
def test_control_characters_in_names_are_escaped_on_the_terminal_only(capsys):
    name = "p/a\r\x1b[31m,b.png"
    write_image(name)
    Path("p/\x1b.txt").touch()
    Path("p/\x1b.jpg").touch()
    assert main(["detect", name]) == 0
    assert capsys.readouterr().out.startswith("p/a\\r\\x1b[31m,b.png: 1 face")
    assert main(["detect", "p", "--json", "all.json", "--csv", "all.csv"]) == 1
    out, err = capsys.readouterr()
    assert "\x1b" not in out + err and "p/\\x1b.txt" in out and "p/\\x1b.jpg is empty" in err
    assert name in [image["image"] for image in json.loads(Path("all.json").read_text())["images"]]
    with Path("all.csv").open(newline="", encoding="utf-8") as file:
        table = list(csv.DictReader(file))
    assert len(table) == 6 and name in [row["image"] for row in table]
