"""`rdrface train`: from nothing but drawn faces to weights that the runtime runs."""

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

import rdrface
from rdrface.cli.main import main
from rdrface.cli.train import packed_faces, read_faces
from rdrface.datasets.synthetic import draw_faces
from rdrface.errors import ConfigError
from rdrface.training.config import StageConfig, TrainingConfig


def test_the_tiny_configuration_goes_from_data_to_weights(tmp_path: Path) -> None:
    run = tmp_path / "run"
    command = ["train", "--config", "tiny", "--synthetic", "40", "-o", str(run), "--accelerator", "cpu"]
    assert main(command) == 0
    log = (run / "log.csv").read_text().splitlines()
    losses = [float(line.split(",")[4]) for line in log[1:]]
    assert losses[-1] < losses[0], "the loss must fall even in so short a run"
    assert list(run.glob("sample_*.jpg")), "a sample picture per validation"

    weights = run / "weights" / "rdr.safetensors"
    aligner = rdrface.load(weights)
    records = draw_faces(tmp_path / "unseen", 2, seed=5)
    (face,) = aligner.align(records.image[0], records.box[:1])
    assert face.landmarks.shape == (68, 2)
    assert np.isfinite(face.landmarks).all()
    # Dolls seen for seconds: the points must at least lie about the face.
    low, high = records.box[0, :2], records.box[0, 2:]
    assert (np.abs(face.landmarks.mean(0) - (low + high) / 2) < (high - low) / 2).all()


def test_a_finished_run_exports_again_without_training(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = tmp_path / "blink.toml"
    config.write_text(
        "iterations = 1\nwindow = 48\nvalidation_share = 0.0\n"
        '[[stage]]\ntrain = "joint"\nsteps = 1\nsize = 32\nbatch = 2\n'
    )
    command = [
        "train",
        "--config",
        str(config),
        "--synthetic",
        "4",
        "-o",
        str(tmp_path / "run"),
        "--accelerator",
        "cpu",
    ]
    assert main(command) == 0
    first = (tmp_path / "run" / "weights" / "rdr.safetensors").read_bytes()
    assert main(command) == 0
    assert (tmp_path / "run" / "weights" / "rdr.safetensors").read_bytes() == first


def test_a_pack_is_made_without_training_and_trained_on_elsewhere(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = tmp_path / "blink.toml"
    config.write_text(
        "iterations = 1\nwindow = 48\nvalidation_share = 0.3\n"
        '[[stage]]\ntrain = "joint"\nsteps = 1\nsize = 32\nbatch = 2\n'
    )
    here, there = tmp_path / "here", tmp_path / "there"
    start = ["train", "--config", str(config), "--accelerator", "cpu", "-o"]
    assert main([*start, str(here), "--synthetic", "8", "--pack-only", "--quality", "92"]) == 0
    said = capsys.readouterr().out
    assert "learn.safetensors: " in said and f"rdrface train --config {config} -o {here}" in said
    assert not (here / "checkpoint.pt").exists()
    there.mkdir()
    for name in ("learn", "check"):
        (here / f"{name}.safetensors").rename(there / f"{name}.safetensors")
    assert main([*start, str(there)]) == 0
    assert (there / "weights" / "rdr.safetensors").is_file()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ([], "name the faces to train on"),
        (["--synthetic", "4", "--quality", "92"], "--quality needs --pack-only; got 92"),
        (["--synthetic", "1"], "2 faces or more; got 1"),
        (["--synthetic", "4", "--data", "300w=/nowhere"], "not both"),
        (["--data", "imagenet=/nowhere"], "no reader for a set called 'imagenet'"),
        (["--synthetic", "4", "--from", "/nowhere"], "--from wants the folder of a run"),
        (["--synthetic", "4", "--from", "/nowhere/rdr.safetensors"], "no file /nowhere/rdr.safetensors"),
    ],
)
def test_mistakes_are_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], options: list[str], message: str
) -> None:
    assert main(["train", "--config", "tiny", "-o", str(tmp_path), "--accelerator", "cpu", *options]) == 2
    assert message in capsys.readouterr().err


def test_closed_eyes_are_made_once_and_kept_with_the_faces(tmp_path: Path) -> None:
    records = draw_faces(tmp_path / "faces", 100, seed=4)
    for path, points in zip(records.image, records.points, strict=True):
        # Drawn faces have pale eyes in dark sockets; photos have it the other way round.
        photo = np.full_like(cv2.imread(str(path)), 160)
        for eye in (points[36:42], points[42:48]):
            cv2.fillPoly(photo, [np.rint(eye).astype(np.int32)], [40, 30, 20])
        cv2.imwrite(str(path), photo)
    records.save(tmp_path / "faces.npz")
    config = TrainingConfig(stage=(StageConfig(train="joint", steps=1),), window=96, validation_share=0.0, closed=2)
    for name in ("run", "plain"):
        (tmp_path / name).mkdir()
    data = [str(tmp_path / "faces.npz")]
    learn, _ = packed_faces(config, data, None, tmp_path / "run")
    plain, _ = packed_faces(replace(config, closed=0), data, None, tmp_path / "plain")
    made = np.array([learn.source_names[i].endswith("/closed") for i in learn.source])
    assert made.sum() == 2
    np.testing.assert_array_equal(learn.images[~made], plain.images)
    again, _ = packed_faces(config, data, None, tmp_path / "run")
    np.testing.assert_array_equal(again.Q, learn.Q)


def test_labels_are_moved_back_before_the_fit_and_parts_without_faces_are_named(tmp_path: Path) -> None:
    drawn = draw_faces(tmp_path / "drawn", 2)
    folder = tmp_path / "300w" / "helen"
    folder.mkdir(parents=True)
    for i, image in enumerate(drawn.image):
        Image.open(image).save(folder / f"{i}.png")
        rows = "\n".join(f"{x + 1:.4f} {y + 1:.4f}" for x, y in drawn.outline[i])
        (folder / f"{i}.pts").write_text(f"version: 1\nn_points: 68\n{{\n{rows}\n}}\n")
    data = [f"300w={folder.parent}"]
    plain, moved = (read_faces(data, None, tmp_path, offset) for offset in ({}, {"300w/helen": [1.0, -2.0]}))
    side = np.sqrt(np.ptp(plain.points, axis=1).prod(axis=1))[:, None, None]
    back = 100 * (plain.points - moved.points) / side
    np.testing.assert_allclose(back, np.broadcast_to([1.0, -2.0], back.shape), atol=0.01)
    fits = 100 * (plain.outline - moved.outline).mean(axis=(0, 1)) / side.mean()
    np.testing.assert_allclose(fits, [1.0, -2.0], atol=0.1)
    with pytest.raises(ConfigError, match="offset has an entry 'helen'"):
        read_faces(data, None, tmp_path, {"300w/helen": [1, 1], "helen": [1, 1]})
