"""Names of the packs in the folder of a run."""

from pathlib import Path

from rdrface.training.run_folder import TRAIN, VAL, pack_file


def test_the_names_of_release_0_1_are_used_only_if_there_is_no_current_file(tmp_path: Path) -> None:
    assert pack_file(tmp_path, TRAIN).name == "train.safetensors" and pack_file(tmp_path, VAL).name == "val.safetensors"
    (tmp_path / "learn.safetensors").touch()
    (tmp_path / "check.safetensors").touch()
    assert (
        pack_file(tmp_path, TRAIN).name == "learn.safetensors" and pack_file(tmp_path, VAL).name == "check.safetensors"
    )
    (tmp_path / "train.safetensors").touch()
    assert pack_file(tmp_path, TRAIN).name == "train.safetensors"
