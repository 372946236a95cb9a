"""Every script in examples/ runs and prints the expected output."""

import re
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from served_aligner import png
from server_process import running_server
from some_face import some_face

EXAMPLES = Path(__file__).parents[2] / "examples"

RUNS = {
    "detect_faces.py": (["photo.jpg"], "tip of the nose"),
    "draw_faces.py": (["photo.jpg", "drawn.jpg"], "drawn.jpg: 1 face(s)"),
    "save_mesh.py": (["photo.jpg", "face.obj"], "vertices"),
    "save_glb.py": (["photo.jpg", "face.glb"], "46 blendshapes"),
    "landmarks_for_other_libraries.py": (["photo.jpg"], "COCO-WholeBody: (1, 133, 3)"),
    "hidden_points.py": (["photo.jpg"], "expected error"),
    "blendshapes.py": (["photo.jpg"], "mouthSmile"),
    "known_boxes.py": (["photo.jpg", "183", "92", "266", "176"], "Face(box="),
    "many_images.py": (["photo.jpg", "photo.jpg"], "photo.jpg: 1 face(s)"),
    "custom_detector.py": (["portrait.jpg"], "yaw=0."),
    "fit_landmarks.py": (["points.txt"], "jawOpen"),
    "save_json.py": (["photo.jpg", "faces.json"], "faces.json: 1 face(s)"),
    "other_schemes.py": (["photo.jpg"], "wflw98: 98 points"),
    "execution_provider.py": (["photo.jpg", "CPUExecutionProvider"], "Face(box="),
    "handle_errors.py": (["photo.jpg", "broken.jpg"], "skipped: "),
    "query_collection.py": (["photos", "faces.parquet"], "photo.jpg: face 0, yaw "),
    "table_of_faces.py": (["table.csv", "photo.jpg"], "jawOpen"),
    "track_video.py": (["clip.mp4", "tracked.mp4"], "0.12 s: person 1, yaw"),
    "record_video.py": (["clip.mp4", "faces.jsonl"], "faces.jsonl: 4 faces; jawOpen is at most 0."),
    "save_animation.py": (["clip.mp4", "animation"], "face_1_Person1.csv"),
}
"""Script -> its arguments, and a part of its output."""

CONNECTED = {"server_client.py", "send_to_avatar.py"}
"""Scripts that need another program; each has a test of its own."""

SCRIPTS = sorted({*RUNS, *CONNECTED})

NEEDED = {
    "query_collection.py": ["pyarrow", "duckdb"],
    "table_of_faces.py": ["pandas"],
    "track_video.py": ["av"],
    "record_video.py": ["av"],
    "save_animation.py": ["av"],
    "send_to_avatar.py": ["av", "pythonosc"],
    "server_client.py": ["fastapi"],
}
"""Script -> packages of extras that it needs."""


MISTAKES = {
    "execution_provider.py": [
        (["photo.jpg", "NoProvider"], "NoProvider"),
        (["none.jpg", "CPUExecutionProvider"], "none.jpg"),
    ],
    "fit_landmarks.py": [(["none.txt"], "none.txt"), (["broken.jpg"], "broken.jpg"), (["line.txt"], "on one line")],
    "save_mesh.py": [(["black.png", "face.obj"], "black.png: no face")],
    "save_glb.py": [(["black.png", "face.glb"], "black.png: no face")],
}
"""Script -> arguments that cannot be used, and a part of the message."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a photo, a clip, a damaged image and a file of 68 points."""
    data = pytest.importorskip("skimage.data")
    folder = tmp_path_factory.mktemp("examples")
    Image.fromarray(data.astronaut()).save(folder / "photo.jpg")
    Image.fromarray(data.astronaut()[40:220, 130:320]).save(folder / "portrait.jpg")
    (folder / "broken.jpg").write_bytes(b"not an image")
    np.savetxt(folder / "points.txt", some_face().landmarks)
    np.savetxt(folder / "line.txt", np.ones((68, 2)))
    Image.new("RGB", (64, 64)).save(folder / "black.png")
    (folder / "served.png").write_bytes(png(2))
    (folder / "photos").mkdir()
    (folder / "photos" / "photo.jpg").write_bytes((folder / "photo.jpg").read_bytes())
    write_clip(folder / "clip.mp4", data.astronaut()[:300])
    return folder


def write_clip(path: Path, image: np.ndarray) -> None:
    """Four frames in which a photo moves to the left; nothing without PyAV."""
    try:
        import av  # noqa: F401
    except ImportError:
        return
    from rdrface.video import VideoWriter

    with VideoWriter(path, 400, 300, frame_rate=25) as clip:
        for index in range(4):
            clip.write(np.ascontiguousarray(image[:, 4 * index : 400 + 4 * index]), index / 25)


def run(script: str, arguments: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a script; the test is skipped if a package that it needs is missing."""
    for package in NEEDED.get(script, []):
        pytest.importorskip(package)
    command = [sys.executable, str(EXAMPLES / script), *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def test_every_example_is_tested_and_short():
    scripts = {path.name: path for path in EXAMPLES.glob("*.py")}
    assert sorted(scripts) == SCRIPTS
    for path in scripts.values():
        assert len(path.read_text(encoding="utf-8").splitlines()) <= 30, path.name


def test_the_overview_lists_every_example_with_the_first_line_of_its_description():
    rows = re.findall(
        r"^\| \[`(\w+\.py)`\]\(\1\) \| (.+?) \|", (EXAMPLES / "README.md").read_text("utf-8"), re.MULTILINE
    )
    scripts = {path.name: path.read_text(encoding="utf-8") for path in EXAMPLES.glob("*.py")}
    assert dict(rows) == {name: text.partition("\n")[0].strip('"') for name, text in scripts.items()}


@pytest.mark.parametrize("script", RUNS)
def test_an_example_prints_the_expected_output(script: str, folder: Path):
    arguments, printed = RUNS[script]
    done = run(script, arguments, folder)
    assert done.returncode == 0, done.stderr
    assert printed in done.stdout


def test_the_client_reads_the_faces_from_a_server(folder: Path):
    pytest.importorskip("fastapi")
    with running_server() as server:
        done = run("server_client.py", [server.url, "served.png", "broken.jpg"], folder)
    assert done.returncode == 0, done.stderr
    first, second = done.stdout.splitlines()
    assert first.startswith("served.png: [Face(") and first.count("Face(") == 2
    assert second.startswith("broken.jpg: {'code'")


def test_the_client_reports_that_there_is_no_server(folder: Path):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"
    done = run("server_client.py", [url, "served.png"], folder)
    assert done.returncode == 1 and url in done.stderr and "Traceback" not in done.stderr, done.stderr


def test_an_avatar_program_receives_the_face_of_a_video(folder: Path):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as avatar:
        avatar.bind(("127.0.0.1", 0))
        avatar.settimeout(5)
        done = run("send_to_avatar.py", ["clip.mp4", "127.0.0.1", str(avatar.getsockname()[1])], folder)
        assert done.returncode == 0, done.stderr
        assert done.stdout.count("sent") == 4
        assert b"/VMC/Ext/Blend/Val" in avatar.recv(65536)


@pytest.mark.parametrize(
    ("script", "arguments", "message"),
    [(script, *case) for script, cases in MISTAKES.items() for case in cases],
)
def test_an_example_reports_a_mistake_without_a_traceback(script, arguments, message, folder: Path):
    done = run(script, arguments, folder)
    assert done.returncode == 1 and message in done.stderr and "Traceback" not in done.stderr, done.stderr


@pytest.mark.parametrize("script", SCRIPTS)
def test_an_example_without_arguments_prints_its_usage(script: str, tmp_path: Path):
    done = run(script, [], tmp_path)
    assert done.returncode == 1 and f"python examples/{script}" in done.stderr and "Traceback" not in done.stderr
