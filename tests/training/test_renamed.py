"""Checkpoints with the names of release 0.1 can be resumed and read."""

from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
import torch
from lightning_fabric import Fabric

from rdrface.datasets.crops import PackedCrops
from rdrface.datasets.packing import pack
from rdrface.datasets.synthetic import draw_faces
from rdrface.training.checkpoint import read_export_sizes, read_network
from rdrface.training.config import StageConfig, TrainingConfig
from rdrface.training.loop import train
from rdrface.training.renamed import LOSSES, RUN_KEYS, STAGE_KEYS, renamed_config
from release_0_1 import old_parameter

CONFIG = TrainingConfig(
    (
        StageConfig("initialization", 2, crop_sizes=[32], batch_size=4, warmup_fraction=0.5, final_fraction=0.5),
        StageConfig("joint", 2, crop_sizes=[32], batch_size=4, appearance_strength=0.5),
    ),
    iterations=1,
    packed_size=64,
    validation_fraction=0.0,
    ema_decay=0.9,
    closed_eye_draws=1.5,
    source_draws={"synthetic": 2.0},
    loss={"projection_jawline": 0.4, "landmarks_jawline": 0.2, "visibility": 0.02, "uncertainty": 0.005},
    checkpoint_every=1e9,
    log_every=1,
)


@pytest.fixture(scope="module")
def faces(tmp_path_factory: pytest.TempPathFactory) -> PackedCrops:
    return pack(draw_faces(tmp_path_factory.mktemp("faces"), 8), 64)


def cpu() -> Fabric:
    fabric = Fabric(accelerator="cpu", devices=1, precision="32-true")
    fabric.launch()
    return fabric


def old_keys(table: dict[str, Any], renamed: dict[str, str]) -> dict[str, Any]:
    old = {new: name for name, new in renamed.items()}
    return {old.get(name, name): value for name, value in table.items()}


def with_single_size(stage: dict[str, Any], key: str) -> dict[str, Any]:
    """A stage as it was stored before a stage could have several crop sizes."""
    result = {name: value for name, value in stage.items() if name not in ("crop_sizes", "crop_size_draws")}
    (size,) = stage["crop_sizes"]
    return {**result, key: size}


RUN_OF_0_1 = {
    *("stage", "seed", "iterations", "profiled", "closed", "features", "contour", "window", "validation_share"),
    *("validation_every", "checkpoint_every", "log_every", "average", "compile", "closed_eyes", "open_mouth", "share"),
    *("offset", "label_weight", "loss"),
}
STAGE_OF_0_1 = {
    *("train", "steps", "size", "batch", "learning_rate", "warmup", "final", "weight_decay", "augment", "appearance"),
}
"""Keys of the configuration in a checkpoint of release 0.1; those of later options are missing."""


def old_config(config: TrainingConfig) -> dict[str, Any]:
    table = {name: value for name, value in old_keys(asdict(config), RUN_KEYS).items() if name in RUN_OF_0_1}
    renamed = {name: new for name, new in STAGE_KEYS.items() if new != "crop_sizes"}
    stages = [old_keys(with_single_size(stage, "size"), renamed) for stage in table["stage"]]
    stages = [{name: value for name, value in stage.items() if name in STAGE_OF_0_1} for stage in stages]
    for stage in stages:
        stage["train"] = stage["train"].replace("initialization", "initialisation")
    return {**table, "loss": old_keys(table["loss"], LOSSES), "stage": tuple(stages)}


def old_checkpoint(path: Path) -> None:
    """Give a checkpoint the names of release 0.1."""
    state = torch.load(path, weights_only=True)
    for name in ("network", "average"):
        state[name] = {old_parameter(key): value for key, value in state[name].items()}
    state["optimiser"] = state.pop("optimizer")
    state["config"] = old_config(CONFIG)
    torch.save(state, path)


def test_a_configuration_gets_the_current_names() -> None:
    old = old_config(CONFIG)
    assert {"average", "window", "share", "closed_eyes", "offset", "profiled"} <= old.keys()
    assert {"size", "batch", "final", "warmup", "appearance"} <= old["stage"][0].keys()
    assert old["stage"][0]["train"] == "initialisation" and "jawline" in old["loss"]
    assert old.keys() == RUN_OF_0_1 and old["stage"][0].keys() == STAGE_OF_0_1
    assert renamed_config(old) == renamed_config(asdict(CONFIG)) == asdict(CONFIG)


def test_a_checkpoint_with_old_names_resumes_with_bit_identical_results(faces: PackedCrops, tmp_path: Path) -> None:
    for name in ("old", "new"):
        assert train(CONFIG, faces, None, tmp_path / name, cpu(), max_seconds=0.0) is None
    old_checkpoint(tmp_path / "old" / "checkpoint.pt")
    results = [train(CONFIG, faces, None, tmp_path / name, cpu()) for name in ("old", "new")]
    old, new = (network.state_dict() for network in results if network is not None)
    assert old.keys() == new.keys() and all(torch.equal(old[name], new[name]) for name in old)
    rows = [(tmp_path / name / "log.csv").read_text().splitlines() for name in ("old", "new")]
    without_speed = [[line.split(",")[:3] + line.split(",")[4:] for line in lines] for lines in rows]
    assert without_speed[0] == without_speed[1] and len(rows[0]) == 5


def test_a_checkpoint_with_a_single_crop_size_resumes_with_bit_identical_results(
    faces: PackedCrops, tmp_path: Path
) -> None:
    for name in ("old", "new"):
        assert train(CONFIG, faces, None, tmp_path / name, cpu(), max_seconds=0.0) is None
    path = tmp_path / "old" / "checkpoint.pt"
    state = torch.load(path, weights_only=True)
    state["config"]["stage"] = tuple(with_single_size(stage, "crop_size") for stage in state["config"]["stage"])
    del state["config"]["export_sizes"]
    torch.save(state, path)
    assert read_export_sizes(path) == (32,)
    results = [train(CONFIG, faces, None, tmp_path / name, cpu()) for name in ("old", "new")]
    old, new = (network.state_dict() for network in results if network is not None)
    assert old.keys() == new.keys() and all(torch.equal(old[name], new[name]) for name in old)


def test_weights_of_a_checkpoint_with_old_names_can_be_read_and_started_from(
    faces: PackedCrops, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    train(CONFIG, faces, None, tmp_path / "old", cpu(), max_seconds=0.0)
    expected, size = read_network(tmp_path / "old")
    old_checkpoint(tmp_path / "old" / "checkpoint.pt")
    network, old_size = read_network(tmp_path / "old")
    assert size == old_size == 32
    first, second = expected.state_dict(), network.state_dict()
    assert all(torch.equal(first[name], second[name]) for name in first)
    config = replace(CONFIG, seed=3)
    assert train(config, faces, None, tmp_path / "run", cpu(), max_seconds=0.0, start=tmp_path / "old") is None
    assert "initialized randomly" not in capsys.readouterr().err
