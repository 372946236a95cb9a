"""Every script in examples/ runs and prints the expected output."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

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
}
"""Script -> its arguments, and a part of its output."""


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
    """A folder with a photo, a damaged image and a file of 68 points."""
    data = pytest.importorskip("skimage.data")
    folder = tmp_path_factory.mktemp("examples")
    Image.fromarray(data.astronaut()).save(folder / "photo.jpg")
    Image.fromarray(data.astronaut()[40:220, 130:320]).save(folder / "portrait.jpg")
    (folder / "broken.jpg").write_bytes(b"not an image")
    np.savetxt(folder / "points.txt", some_face().landmarks)
    np.savetxt(folder / "line.txt", np.ones((68, 2)))
    Image.new("RGB", (64, 64)).save(folder / "black.png")
    return folder


def test_every_example_is_tested_and_short():
    scripts = {path.name: path for path in EXAMPLES.glob("*.py")}
    assert scripts.keys() == RUNS.keys()
    for path in scripts.values():
        assert len(path.read_text(encoding="utf-8").splitlines()) <= 30, path.name


@pytest.mark.parametrize("script", RUNS)
def test_an_example_prints_the_expected_output(script: str, folder: Path):
    arguments, printed = RUNS[script]
    command = [sys.executable, str(EXAMPLES / script), *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert printed in done.stdout


@pytest.mark.parametrize(
    ("script", "arguments", "message"),
    [(script, *case) for script, cases in MISTAKES.items() for case in cases],
)
def test_an_example_reports_a_mistake_without_a_traceback(script, arguments, message, folder: Path):
    command = [sys.executable, str(EXAMPLES / script), *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 1 and message in done.stderr and "Traceback" not in done.stderr, done.stderr


@pytest.mark.parametrize("script", RUNS)
def test_an_example_without_arguments_prints_its_usage(script: str):
    done = subprocess.run([sys.executable, str(EXAMPLES / script)], capture_output=True, text=True, check=False)
    assert done.returncode == 1 and f"python examples/{script}" in done.stderr and "Traceback" not in done.stderr
