"""`rdrface hub`, and the commands that read its folder."""

from pathlib import Path

import numpy as np
import pytest

import rdrface
from linked import hugging_face_snapshot
from rdrface.cli.main import main
from rdrface.cli.options import weights_file, weights_or_run
from rdrface.errors import WeightsError
from rdrface.loading import LITE_WEIGHTS, weights_path
from small_weights import small_weights

needs_lite = pytest.mark.skipif(not LITE_WEIGHTS.is_file(), reason="no packaged light weights")


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@needs_lite
def test_packaged_weights_become_a_folder_that_loads(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["hub", "--weights", "lite", "--model", "me/mine", "-o", "folder"]) == 0
    out, err = capsys.readouterr()
    assert out == "folder: rdr_lite.safetensors, 8.1 MB; upload it with `hf upload me/mine folder`\n"
    assert err == ""
    image, box = np.full((99, 99, 3), 90, np.uint8), [[20, 20, 70, 80]]
    expected = rdrface.load("lite", threads=1).align(image, box)[0].landmarks
    for folder in ("folder", hugging_face_snapshot(Path("folder"), tmp_path / "cache")):
        np.testing.assert_array_equal(rdrface.load(folder, threads=1).align(image, box)[0].landmarks, expected)


def test_own_weights_state_their_license_or_a_note(capsys: pytest.CaptureFixture[str]) -> None:
    small_weights(Path())
    command = ["hub", "--weights", "mine.safetensors", "-o"]
    assert main([*command, "a"]) == 0
    out, err = capsys.readouterr()
    assert "hf upload USER/mine a" in out
    assert err == "the model card states no license; see --license\n"
    assert main([*command, "b", "--license", "cc-by-nc-4.0"]) == 0
    assert capsys.readouterr().err == ""
    assert 'license: "cc-by-nc-4.0"\n' in Path("b/README.md").read_text(encoding="utf-8")
    # A folder is a value of --weights, too.
    assert main(["hub", "--weights", "b", "-o", "c"]) == 0
    assert Path("c/mine.safetensors").is_file()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--model", "mine"], "--model must be USER/NAME"),
        (["--license", "My License"], "--license must be an identifier"),
        (["-o", "full"], "full exists"),
    ],
)
def test_options_that_cannot_be_used_are_reported(
    options: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("full").mkdir()
    Path("full/README.md").touch()
    small_weights(Path())
    assert main(["hub", "--weights", "mine.safetensors", "-o", "new", *options]) == 2
    assert message in capsys.readouterr().err
    assert not Path("new").exists()


def test_every_command_reports_names_of_models_and_other_folders(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["detect", "photo.jpg", "--weights", "user/rdrface"]) == 1
    assert "hf download user/rdrface --local-dir rdrface" in capsys.readouterr().err
    Path("empty").mkdir()
    assert main(["detect", "photo.jpg", "--weights", "empty"]) == 1
    assert "without config.json" in capsys.readouterr().err


def test_training_starts_from_a_folder_of_the_hub_or_of_a_run() -> None:
    small_weights(Path())
    assert main(["hub", "--weights", "mine.safetensors", "-o", "model"]) == 0
    expected = Path("model/mine.safetensors")
    assert weights_path("model") == weights_file("model") == weights_or_run("model") == expected
    Path("lite").mkdir()
    Path("run").mkdir()
    assert weights_or_run("run") == Path("run")
    assert weights_or_run("lite") == LITE_WEIGHTS
    with pytest.raises(WeightsError, match="hf download"):
        weights_or_run("user/rdrface")
    pytest.importorskip("torch")
    from rdrface.training.checkpoint import start_file

    assert start_file(Path("model")) == expected
