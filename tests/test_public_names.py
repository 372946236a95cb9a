"""The public interface of the package: names, lazy imports and types."""

import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import pytest

import rdrface


def test_every_public_name_exists():
    for name in rdrface.__all__:
        assert getattr(rdrface, name) is not None
    assert dir(rdrface) == rdrface.__all__
    assert issubclass(rdrface.errors.ImageError, rdrface.errors.RdrError)


def test_unknown_names_raise_attribute_errors():
    with pytest.raises(AttributeError, match="nonsense"):
        rdrface.nonsense  # noqa: B018


def test_importing_the_package_does_not_import_the_runtime_packages():
    code = (
        "import sys, rdrface; print(sorted({'numpy', 'cv2', 'openvino', 'onnxruntime', 'torch'} & sys.modules.keys()))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_type_checkers_use_the_annotations():
    assert (Path(rdrface.__file__).parent / "py.typed").is_file()


SCRIPT = """\
from pathlib import Path

import numpy as np

import rdrface


def main(image: Path, folder: Path) -> np.ndarray:
    aligner = rdrface.load()
    faces = aligner.detect(image)
    for i, face in enumerate(faces):
        face.mesh().save(folder / f"{i}.obj")
        print(face.pose.yaw, face.visibility.mean(), face.uncertainty.max(), face.parameters.identity.shape)
    face = rdrface.fit(faces[0].landmarks)
    reveal_type(aligner)
    reveal_type(face.landmarks)
    return rdrface.draw(image, faces, mesh=True)
"""


MISSPELLED = """\
import rdrface

print(rdrface.load().detect("photo.jpg")[0].pose.jaw)
print(rdrface.paint)
"""


@pytest.mark.skipif(importlib.util.find_spec("mypy") is None, reason="mypy is not installed")
def test_a_users_scripts_are_type_checked(tmp_path):
    files = [tmp_path / "script.py", tmp_path / "misspelled.py"]
    for file, text in zip(files, (SCRIPT, MISSPELLED), strict=True):
        file.write_text(text)
    # In the folder of the project, where `make lint` has left mypy's cache; its configuration is strict, too.
    command = [sys.executable, "-m", "mypy", *map(str, files)]
    done = subprocess.run(command, cwd=Path(__file__).parents[1], capture_output=True, text=True)
    messages = re.findall(r"(script|misspelled)\.py:(\d+: .*)", done.stdout)
    types = [text.partition(": note: ")[2] for name, text in messages if name == "script"]
    assert types[0] == 'Revealed type is "rdrface.aligner.Aligner"', done
    assert types[1].startswith('Revealed type is "') and "ndarray[" in types[1]
    assert len(types) == 2, messages
    assert [text for name, text in messages if name == "misspelled"] == [
        '3: error: "Pose" has no attribute "jaw"  [attr-defined]',
        '4: error: Module has no attribute "paint"  [attr-defined]',
    ]
