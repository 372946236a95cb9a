"""`rdrface train`: from synthetic faces to weights for inference."""

from pathlib import Path

import numpy as np
import pytest

import rdrface
from rdrface.cli import train
from rdrface.cli.main import main
from rdrface.datasets.synthetic import draw_faces
from untraced import untraced

TINY = ("train", "--config", "tiny", "--synthetic", "40", "--accelerator", "cpu", "-o")


@pytest.fixture(scope="module")
def tiny_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a finished run of the configuration `tiny`."""
    run = tmp_path_factory.mktemp("tiny") / "run"
    with untraced():
        assert main([*TINY, str(run)]) == 0
    return run


@pytest.mark.no_cover  # tracing makes the export several times slower
def test_the_tiny_configuration_goes_from_data_to_weights(tiny_run: Path, tmp_path: Path) -> None:
    log = (tiny_run / "log.csv").read_text().splitlines()
    losses = [float(line.split(",")[4]) for line in log[1:]]
    assert losses[-1] < losses[0], "the loss must decrease even in such a short run"
    assert list(tiny_run.glob("sample_*.jpg")), "each validation must write a sample image"

    aligner = rdrface.load(tiny_run / "weights" / "rdr.safetensors")
    records = draw_faces(tmp_path / "unseen", 2, seed=5)
    (face,) = aligner.align(records.image[0], records.box[:1])
    assert face.landmarks.shape == (68, 2)
    assert np.isfinite(face.landmarks).all()
    # After seconds of training, the center of the landmarks must be inside the face box.
    low, high = records.box[0, :2], records.box[0, 2:]
    assert (np.abs(face.landmarks.mean(0) - (low + high) / 2) < (high - low) / 2).all()


@pytest.mark.no_cover  # tracing makes the export several times slower
def test_a_finished_run_is_not_exported_again(tiny_run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder, log = tiny_run / "weights", tiny_run / "log.csv"
    first, steps = {path.name: path.read_bytes() for path in folder.iterdir()}, log.read_bytes()
    # As after `rdrface export RUN -o OUT/weights/rdr.safetensors` with other sizes.
    (folder / "rdr.safetensors").write_text("of the user")
    assert main([*TINY, str(tiny_run)]) == 0
    assert "nothing was changed" in capsys.readouterr().out
    assert (folder / "rdr.safetensors").read_text() == "of the user"
    # Without the note that the export ended, as after an interruption of it, the weights are written again.
    (tiny_run / "exported.txt").unlink()
    assert main([*TINY, str(tiny_run)]) == 0
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == first
    assert log.read_bytes() == steps
    assert (tiny_run / "exported.txt").is_file()


def test_faces_are_packed_without_training_and_used_for_training_in_another_folder(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    exported: list[Path] = []
    monkeypatch.setattr(train, "export_run", lambda network, path, *_: exported.append(path))
    config = tmp_path / "blink.toml"
    config.write_text(
        "iterations = 1\npacked_size = 48\nvalidation_fraction = 0.3\n"
        '[[stage]]\ntrain = "joint"\nsteps = 1\ncrop_sizes = [32]\nbatch_size = 2\n'
    )
    packed, copied = tmp_path / "packed", tmp_path / "copied"
    start = ["train", "--config", str(config), "--accelerator", "cpu", "-o"]
    assert main([*start, str(packed), "--synthetic", "8", "--pack-only", "--quality", "92"]) == 0
    printed = capsys.readouterr().out
    assert "train.safetensors: " in printed and f"rdrface train --config {config} -o {packed}" in printed
    assert not (packed / "checkpoint.pt").exists()
    copied.mkdir()
    # One pack under its name of release 0.1.
    (packed / "train.safetensors").rename(copied / "learn.safetensors")
    (packed / "val.safetensors").rename(copied / "val.safetensors")
    assert main([*start, str(copied)]) == 0
    progress = capsys.readouterr().err
    assert "stage 0, step 1, 32 px: NME" in progress and "training finished; calibrating and writing" in progress
    assert exported == [copied / "weights" / "rdr.safetensors"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ([], "give the faces to train on"),
        (["--synthetic", "4", "--quality", "92"], "--quality needs --pack-only; got 92"),
        (["--synthetic", "1"], "--synthetic must be 2 faces or more; got 1"),
        (["--synthetic", "4", "--data", "300w=/nowhere"], "not both"),
        (["--data", "imagenet=/nowhere"], "no reader for a dataset called 'imagenet'"),
        (
            ["--synthetic", "4", "--from", "/nowhere"],
            "--from /nowhere: no file /nowhere; give the folder of an earlier run",
        ),
        (["--synthetic", "4", "--config", "sizes"], 'train = "features" needs trained layers after the features'),
        (["--synthetic", "4", "--from", "/nowhere/rdr.safetensors"], "no file /nowhere/rdr.safetensors"),
    ],
)
def test_invalid_options_are_reported(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], options: list[str], message: str
) -> None:
    assert main(["train", "--config", "tiny", "-o", str(tmp_path), "--accelerator", "cpu", *options]) == 2
    assert message in capsys.readouterr().err


def test_invalid_initial_weights_are_refused_before_faces_are_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    start = tmp_path / "checkpoint.pt"
    start.write_bytes(b"no checkpoint")
    run = tmp_path / "run"
    command = ["train", "--config", "tiny", "--synthetic", "4", "-o", str(run), "--from", str(start)]
    assert main(command) == 2
    assert "checkpoint.pt is not a checkpoint of `rdrface train`" in capsys.readouterr().err
    assert not run.exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--accelerator", "foo"], "--accelerator foo with --devices auto cannot be used (You selected an invalid"),
        (["--accelerator", "cpu", "--devices", "foo"], "--devices foo cannot be used"),
        (["--accelerator", "cpu", "--devices", "0"], "--devices 0 cannot be used"),
        (["--minutes", "-1"], "--minutes must be 0 or more; got -1"),
        (["--minutes", "nan"], "--minutes must be 0 or more; got nan"),
    ],
)
def test_invalid_devices_and_times_are_refused_before_faces_are_prepared(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], options: list[str], message: str
) -> None:
    run = tmp_path / "run"
    assert main(["train", "--config", "tiny", "--synthetic", "4", "-o", str(run), *options]) == 2
    assert message in capsys.readouterr().err
    assert not run.exists()


@pytest.mark.parametrize(
    "options", [["--setting", "photos"], ["--setting", "photos", "--name", "mine", "--origin", "0"]]
)
def test_the_error_for_the_removed_option_setting_gives_the_new_command(
    capsys: pytest.CaptureFixture[str], options: list[str]
) -> None:
    assert main(["train", *options, "-o", "out"]) == 2
    assert "use rdrface finetune DIR -o OUT" in capsys.readouterr().err
