"""The folder is complete or not written, and nothing else is replaced."""

import json
from pathlib import Path

import pytest

from rdrface.errors import ConfigError, DataError, WeightsError
from rdrface.hub import folder as hub_folder
from rdrface.hub.folder import write_hub_folder
from rdrface.runtime.weights import graph_path
from small_weights import small_weights

FILES = {
    "README.md",
    "config.json",
    "mine.safetensors",
    "mine.onnx",
    "mine.int8.onnx",
    "mine.256.onnx",
    "mine.256.int8.onnx",
}


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    (tmp_path / "made").mkdir()
    return small_weights(tmp_path / "made")


def test_the_weights_and_all_graphs_are_copied(weights: Path, tmp_path: Path) -> None:
    target = tmp_path / "new" / "model"
    assert write_hub_folder(weights, target, model="me/mine") == target / "mine.safetensors"
    assert {file.name for file in target.iterdir()} == FILES
    assert [file.name for file in target.parent.iterdir()] == ["model"]
    for file in weights.parent.iterdir():
        assert (target / file.name).read_bytes() == file.read_bytes()


def test_config_describes_the_weights_for_programs(weights: Path, tmp_path: Path) -> None:
    write_hub_folder(weights, tmp_path / "model", model="me/mine")
    config = json.loads((tmp_path / "model" / "config.json").read_text(encoding="utf-8"))
    assert (config["library"], config["version"], config["weights"]) == ("rdrface", "1.2", "mine.safetensors")
    assert (config["crop_sizes"], config["precisions"]) == ([128, 256], ["float32", "int8"])
    assert {graph["file"] for graph in config["graphs"]} == {name for name in FILES if name.endswith(".onnx")}
    assert (config["network"]["stages"], config["network"]["iterations"]) == ([32, 64, 128, 192], 2)
    assert config["network"]["parameters"] == 6  # without the face model
    assert config["outputs"]["custom_landmarks"] == ["batch", 3, 2]
    assert config["custom_landmarks"] == {"name": "my points", "count": 3, "mirror": [1, 0, 2], "format": ""}


def test_renamed_and_linked_weights_get_their_name_back(weights: Path, tmp_path: Path) -> None:
    for file in list(weights.parent.iterdir()):
        file.rename(file.with_name(file.name.replace("mine", "renamed")))
    target = tmp_path / "model"
    write_hub_folder(weights.with_name("renamed.safetensors"), target, model="me/mine")
    assert {file.name for file in target.iterdir()} == FILES
    try:
        (tmp_path / "latest.safetensors").symlink_to(target / "mine.safetensors")
    except OSError:
        pytest.skip("this system does not permit symbolic links")
    write_hub_folder(tmp_path / "latest.safetensors", tmp_path / "again", model="me/mine")
    assert {file.name for file in (tmp_path / "again").iterdir()} == FILES
    assert not any(file.is_symlink() for file in (tmp_path / "again").iterdir())


def test_an_existing_folder_is_replaced_only_with_overwrite(weights: Path, tmp_path: Path) -> None:
    target = tmp_path / "model"
    target.mkdir()
    write_hub_folder(weights, target, model="me/mine")  # an empty folder has nothing to lose
    (target / "old.onnx").touch()
    with pytest.raises(ConfigError, match="--overwrite"):
        write_hub_folder(weights, target, model="me/mine")
    # From the folder itself, too.
    write_hub_folder(target / "mine.safetensors", target, model="me/mine", overwrite=True)
    assert {file.name for file in target.iterdir()} == FILES
    assert {path.name for path in tmp_path.iterdir()} == {"made", "model"}


@pytest.mark.parametrize("name", [".git", "photo.jpg", "folder.onnx"])
def test_a_folder_with_other_files_is_never_replaced(weights: Path, tmp_path: Path, name: str) -> None:
    target = tmp_path / "model"
    (target / name).mkdir(parents=True)
    with pytest.raises(ConfigError, match="does not write"):
        write_hub_folder(weights, target, model="me/mine", overwrite=True)
    assert (target / name).is_dir()


def test_a_file_is_not_replaced(weights: Path, tmp_path: Path) -> None:
    (tmp_path / "model").write_text("mine")
    with pytest.raises(ConfigError, match="is not a folder"):
        write_hub_folder(weights, tmp_path / "model", model="me/mine", overwrite=True)
    with pytest.raises(DataError, match="cannot write"):
        write_hub_folder(weights, tmp_path / "model" / "inner", model="me/mine")


def test_damaged_weights_leave_nothing_behind(weights: Path, tmp_path: Path) -> None:
    for suffix, message in ((".256.int8.onnx", "does not belong to"), (".256.onnx", "does not belong to")):
        graph_path(weights, suffix).write_bytes(b"other")
        with pytest.raises(WeightsError, match=message):
            write_hub_folder(weights, tmp_path / "model", model="me/mine")
    graph_path(weights).unlink()
    with pytest.raises(WeightsError, match=r"mine\.onnx is missing"):
        write_hub_folder(weights, tmp_path / "model", model="me/mine")
    assert [path.name for path in tmp_path.iterdir()] == ["made"]


def test_a_file_name_in_the_metadata_cannot_leave_the_folder(tmp_path: Path) -> None:
    (tmp_path / "made").mkdir()
    weights = small_weights(tmp_path / "made", config={"file_name": "../evil.safetensors"})
    with pytest.raises(WeightsError, match="file name"):
        write_hub_folder(weights, tmp_path / "model", model="me/mine")
    assert [path.name for path in tmp_path.iterdir()] == ["made"]


def test_a_full_disk_keeps_the_existing_folder(weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "model"
    write_hub_folder(weights, target, model="me/mine")
    before = {file.name: file.read_bytes() for file in target.iterdir()}

    def fail(*args: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as changed:
        changed.setattr(hub_folder.shutil, "copyfile", fail)
        with pytest.raises(DataError, match="No space left"):
            write_hub_folder(weights, target, model="me/mine", overwrite=True)
    rename = Path.rename
    with monkeypatch.context() as changed:
        # The new folder cannot get its name.
        changed.setattr(Path, "rename", lambda self, to: rename(self, to) if "old" in f"{self}{to}" else fail())
        with pytest.raises(DataError, match="No space left"):
            write_hub_folder(weights, target, model="me/mine", overwrite=True)
    assert {file.name: file.read_bytes() for file in target.iterdir()} == before
    assert {path.name for path in tmp_path.iterdir()} == {"made", "model"}
