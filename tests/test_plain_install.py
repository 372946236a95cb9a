"""What a plain ``pip install rdrface`` runs: every command for users, without the packages of the extras."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

import rdrface
from mean_faces import write_pts_folder
from rdrface.cli.main import _EXTRA_MODULES

HIDDEN = (*_EXTRA_MODULES, "onnxruntime", "skimage", "retinaface")
"""Modules that a plain install does not have. OpenCV's needs libGL, a system library that containers lack."""

HIDE = f"""
from importlib.machinery import PathFinder
find_spec = PathFinder.find_spec
PathFinder.find_spec = lambda name, *rest: None if name.partition(".")[0] in {HIDDEN} else find_spec(name, *rest)
"""
"""Python runs ``sitecustomize`` at its start: the modules cannot be found."""

DETECT = """
import sys
from pathlib import Path
from rdrface.cli.main import main
status = main(["detect", "photo.png", "-o", "out", "--draw", "--mesh", "--json", "all.json", "--csv", "all.csv"])
maps = Path("/proc/self/maps")
assert not maps.exists() or "libGL" not in maps.read_text()
sys.exit(status)
"""

API = """
import numpy as np
import rdrface
aligner = rdrface.load(threads=1)
face, = aligner.detect("photo.png")
again, = aligner.align(np.zeros((512, 512, 3), np.uint8), [face.box])
face.mesh().save("face.obj")
face.points("aflw21"), face.blendshapes, face.pose, face.to_dict()
rdrface.fit(face.landmarks)
assert rdrface.draw("photo.png", [face], mesh=True).shape == (512, 512, 3)
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("plain")
    Image.fromarray(pytest.importorskip("skimage.data").astronaut()).save(folder / "photo.png")
    (folder / "hide").mkdir()
    (folder / "hide" / "sitecustomize.py").write_text(HIDE)
    return folder


def python(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run Python in a folder, without the hidden modules. Processes that it starts do not have them either."""
    paths = [str(folder / "hide"), str(Path(rdrface.__file__).parents[1]), os.environ.get("PYTHONPATH", "")]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))}
    return subprocess.run([sys.executable, *words], cwd=folder, env=environment, capture_output=True, text=True)


def test_detect_writes_all_outputs(folder):
    done = python(folder, "-c", DETECT)
    assert done.returncode == 0, done.stderr
    assert {path.name for path in (folder / "out").iterdir()} == {
        "photo.json",
        "photo.overlay.jpg",
        "photo.face0.obj",
    }
    assert len(json.loads((folder / "all.json").read_text())["images"][0]["faces"]) == 1
    with Image.open(folder / "out" / "photo.overlay.jpg") as overlay:
        assert overlay.format == "JPEG" and overlay.size == (512, 512)


def test_the_python_interface_works(folder):
    done = python(folder, "-c", API)
    assert done.returncode == 0, done.stderr


def test_the_modules_of_the_extras_are_hidden(folder):
    code = "from importlib.util import find_spec; import sys; print([m for m in sys.argv[1:] if find_spec(m)])"
    assert python(folder, "-c", code, *HIDDEN).stdout.strip() == "[]"


def test_bench_measures(folder):
    done = python(folder, "-m", "rdrface", "bench", "--threads", "1", "--repeats", "1", "--json", "-")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["results"][0]["total_ms"] > 0


def test_fit_writes_records_and_a_contact_sheet(folder):
    (folder / "faces").mkdir()
    write_pts_folder(folder / "faces")
    done = python(folder, "-m", "rdrface", "fit", "300w", "faces", "-o", "fit.npz", "--worst", "worst.jpg")
    assert done.returncode == 0, done.stderr
    assert (folder / "fit.npz").is_file() and (folder / "worst.jpg").is_file()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("detect", "photo.png", "--backend", "onnxruntime"), "pip install 'rdrface[onnxruntime]'"),
        (("serve",), "pip install 'rdrface[serve]'"),
        (("train", "--config", "tiny", "-o", "run"), "pip install 'rdrface[train]'"),
        (("finetune", "faces", "-o", "run"), "pip install 'rdrface[train]'"),
        (("export", "run", "-o", "mine.safetensors"), "pip install 'rdrface[train]'"),
        (("evaluate", "300w", "faces", "--plots", "plots"), "pip install 'rdrface[evaluate]'"),
    ],
)
def test_commands_that_need_an_extra_name_it(folder, words, message):
    done = python(folder, "-m", "rdrface", *words)
    assert done.returncode == 2
    assert message in done.stderr and "Traceback" not in done.stderr
