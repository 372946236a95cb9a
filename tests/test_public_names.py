"""The public interface of the package: names, lazy imports and types."""

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
