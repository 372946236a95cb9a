"""Weights and package files behind symbolic links."""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pytest

import rdrface
from exported import some_crops
from linked import hugging_face_cache, linked_layout  # noqa: F401
from rdrface.errors import WeightsError
from rdrface.loading import LITE_WEIGHTS
from rdrface.runtime import linked_files
from rdrface.runtime.session import BACKENDS
from rdrface.runtime.weights import find_graph, graph_path, read_info
from rdrface.runtime.weights_session import open_session


@pytest.mark.parametrize("backend", BACKENDS)
def test_linked_weights_give_the_same_outputs(linked_layout, backend):  # noqa: F811
    session, info = open_session(LITE_WEIGHTS, backend, 1)
    linked, linked_info = open_session(linked_layout(LITE_WEIGHTS), backend, 1)
    assert linked_info == info
    crops = some_crops(1, session.input_size)
    for name, value in session.run(crops).items():
        np.testing.assert_array_equal(linked.run(crops)[name], value)


def test_load_takes_linked_weights(linked_layout):  # noqa: F811
    aligner = rdrface.load(linked_layout(LITE_WEIGHTS), threads=1)
    assert len(aligner.align(np.zeros((99, 99, 3), np.uint8), [[20, 20, 70, 80]])) == 1


@pytest.mark.parametrize("kind", ["files", "folder"])
def test_a_linked_package_loads(tmp_path, kind):
    """uv's link mode symlink, where each file of the package is a link, and a link to the folder of the package."""
    package = Path(rdrface.__file__).parent
    target = tmp_path / "site" / "rdrface"
    target.parent.mkdir()
    if kind == "folder":
        target.symlink_to(package, target_is_directory=True)
    else:
        shutil.copytree(package, target, copy_function=lambda file, link: Path(link).symlink_to(file))
    code = "import rdrface; print(rdrface.__file__); rdrface.load(threads=1)"
    environment = {**os.environ, "PYTHONPATH": str(target.parent)}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert Path(done.stdout.strip()).parent == target


def test_copies_are_removed(tmp_path, monkeypatch):
    (tmp_path / "cache").mkdir()
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    open_session(hugging_face_cache(LITE_WEIGHTS, tmp_path / "cache"), threads=1)
    assert not list((tmp_path / "temporary").iterdir())


def test_files_without_links_are_not_copied(monkeypatch):
    monkeypatch.setattr(linked_files, "TemporaryDirectory", None)
    name = LITE_WEIGHTS.name
    with linked_files.without_links(LITE_WEIGHTS, graph_path(LITE_WEIGHTS), name) as graph:
        assert graph == graph_path(LITE_WEIGHTS).resolve()


def test_a_temporary_folder_that_cannot_be_written_is_reported(tmp_path, monkeypatch):
    def refuse(*args: object) -> None:
        raise OSError("No space left on device")

    weights = hugging_face_cache(LITE_WEIGHTS, tmp_path)
    monkeypatch.setattr(linked_files.shutil, "copyfile", refuse)
    with pytest.raises(WeightsError, match=r"symbolic link.*No space left"):
        open_session(weights, threads=1)


def test_links_to_nothing_are_refused(tmp_path):
    (tmp_path / "rdr.safetensors").symlink_to(tmp_path / "none.safetensors")
    (tmp_path / "loop.safetensors").symlink_to(tmp_path / "loop.safetensors")
    for name in ("rdr", "loop"):
        with pytest.raises(WeightsError, match="cannot be read"):
            open_session(tmp_path / f"{name}.safetensors")


def test_a_linked_graph_of_other_weights_is_refused(tmp_path):
    """The graph next to the link has precedence over that of the file that the link points to."""
    weights = hugging_face_cache(LITE_WEIGHTS, tmp_path)
    other = tmp_path / "other.onnx"
    other.write_bytes(b"another graph")
    graph_path(weights).unlink()
    graph_path(weights).symlink_to(other)
    assert find_graph(weights) == graph_path(weights)
    with pytest.raises(WeightsError, match="does not belong to"):
        open_session(weights)
    graph_path(weights).unlink()
    with pytest.raises(WeightsError, match="is missing"):
        open_session(weights)


def test_a_renamed_file_is_refused_behind_a_link_too(tmp_path):
    for suffix in (".safetensors", ".onnx"):
        shutil.copy(LITE_WEIGHTS.with_suffix(suffix), tmp_path / f"mine{suffix}")
        (tmp_path / f"link{suffix}").symlink_to(tmp_path / f"mine{suffix}")
    with pytest.raises(WeightsError, match="was renamed"):
        open_session(tmp_path / "link.safetensors")
    assert read_info(tmp_path / "link.safetensors")[0] == read_info(LITE_WEIGHTS)[0]
