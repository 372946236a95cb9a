"""Folders in the layout of the Hugging Face Hub are found, and anything else is reported."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from linked import hugging_face_snapshot
from rdrface.errors import WeightsError
from rdrface.hub.folder import write_hub_folder
from rdrface.runtime.hub_folder import CONFIG, find_weights, is_hub_folder, local_weights, model_on_hub
from small_weights import small_weights


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "made").mkdir()
    write_hub_folder(small_weights(tmp_path / "made"), tmp_path / "model", model="me/mine")
    return tmp_path / "model"


def test_the_weights_of_a_folder_are_found(folder: Path) -> None:
    assert is_hub_folder(folder)
    assert local_weights(folder) == local_weights(str(folder)) == find_weights(folder) == folder / "mine.safetensors"
    # hf download --local-dir leaves this folder.
    (folder / ".cache" / "huggingface").mkdir(parents=True)
    (folder / ".gitattributes").touch()
    assert find_weights(folder) == folder / "mine.safetensors"


def test_a_snapshot_in_the_cache_of_the_hub_is_found(folder: Path, tmp_path: Path) -> None:
    snapshot = hugging_face_snapshot(folder, tmp_path / "cache")
    assert find_weights(snapshot) == snapshot / "mine.safetensors"
    (snapshot / "mine.onnx").resolve().unlink()
    with pytest.raises(WeightsError, match="cannot be read"):
        find_weights(snapshot)


def _config(**changes: object) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        path = folder / CONFIG
        config = json.loads(path.read_text(encoding="utf-8")) | changes
        kept = {key: value for key, value in config.items() if value is not None}
        path.write_text(json.dumps(kept), encoding="utf-8")

    return change


def _write(name: str, content: bytes) -> Callable[[Path], None]:
    return lambda folder: (folder / name).write_bytes(content) and None


def _remove(name: str) -> Callable[[Path], None]:
    return lambda folder: (folder / name).unlink()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (_remove("mine.safetensors"), "does not contain its weights file, mine.safetensors"),
        (_write("other.safetensors", b"x"), "contains 2 weights files: mine.safetensors, other.safetensors"),
        (lambda folder: (folder / "mine.safetensors").rename(folder / "x.safetensors"), "describes mine.safetensors"),
        (_remove("mine.256.onnx"), "mine.256.onnx cannot be read"),
        (_remove("mine.int8.onnx"), "mine.int8.onnx cannot be read"),
        (_write("mine.onnx", b"other"), "mine.onnx is not the file of config.json, or is damaged"),
        (_write("mine.onnx", b"version https://git-lfs.github.com/spec/v1\noid"), "pointer of Git LFS"),
        (_write("mine.safetensors", b"version https://git-lfs.github.com/spec/v1\noid"), "pointer of Git LFS"),
        (_config(tensors_sha256="0" * 64), "their checksums differ"),
        (_config(tensors_sha256=None), "not complete or damaged"),
        (_config(weights=None), "not complete or damaged"),
        (_config(graphs=3), "not complete or damaged"),
        (_config(graphs=[{"file": "mine.onnx"}]), "not complete or damaged"),
        (_config(graphs=[{"file": "../made/mine.onnx", "sha256": "0"}]), "not a file name"),
        (_config(graphs=[{"file": "a\0b", "sha256": "0"}]), "cannot be read"),
        (_config(library="transformers"), "model for other software"),
        (_config(layout_version=2), "newer version"),
        (_config(layout_version="one"), "layout_version"),
        (_write(CONFIG, b"[1]"), "model for other software"),
        (_write(CONFIG, b"{"), "is not JSON"),
        (_write(CONFIG, b"[" * 100_000), "is not JSON"),
        (_write(CONFIG, b"\xff\xfe{}"), "cannot be read as text"),
    ],
)
def test_a_damaged_folder_is_refused(folder: Path, change: Callable[[Path], object], message: str) -> None:
    change(folder)
    with pytest.raises(WeightsError) as failure:
        find_weights(folder)
    assert message in str(failure.value)


def test_other_folders_are_refused_with_a_hint(folder: Path, tmp_path: Path) -> None:
    (folder / CONFIG).unlink()
    with pytest.raises(WeightsError, match=r"without config.json.*for example .*model.mine\.safetensors"):
        local_weights(folder)
    run = tmp_path / "run"
    (run / "weights").mkdir(parents=True)
    shutil.copy(folder / "mine.safetensors", run / "weights")
    (run / "train.safetensors").touch()
    with pytest.raises(WeightsError, match=r"for example .*run.weights.mine\.safetensors"):
        local_weights(run)
    (tmp_path / "empty").mkdir()
    with pytest.raises(WeightsError, match="or a complete download"):
        local_weights(tmp_path / "empty")


@pytest.mark.parametrize(
    ("text", "model"),
    [
        ("user/rdrface", "user/rdrface"),
        ("user-1/rdr.lite_2", "user-1/rdr.lite_2"),
        ("hf://user/rdrface", "user/rdrface"),
        ("https://huggingface.co/user/rdrface", "user/rdrface"),
        ("https://huggingface.co/user/rdrface/tree/main", "user/rdrface"),
        ("rdrface", None),
        ("./user/rdrface", None),
        ("/user/rdrface", None),
        ("a/b/c", None),
        ("https://example.org/user/rdrface", None),
    ],
)
def test_names_of_models_on_the_hub(text: str, model: str | None) -> None:
    assert model_on_hub(text) == model


def test_the_name_of_a_model_is_reported_with_the_command_that_downloads_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("user/rdrface", "https://huggingface.co/user/rdrface"):
        with pytest.raises(WeightsError, match="run `hf download user/rdrface --local-dir rdrface`"):
            local_weights(name)
    # A file that does not exist yet or is missing is reported by the one who opens it.
    assert local_weights("weights/mine.safetensors") == Path("weights/mine.safetensors")
    assert local_weights("x" * 5000) == Path("x" * 5000)
    Path("user").mkdir()
    Path("user/rdrface").touch()
    assert local_weights("user/rdrface") == Path("user/rdrface")
