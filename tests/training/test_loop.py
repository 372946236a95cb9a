"""The training loop: it reduces the error, and it resumes with bit-identical results."""

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from lightning_fabric import Fabric

from rdrface.datasets.crops import PackedCrops
from rdrface.datasets.packing import pack
from rdrface.datasets.synthetic import draw_faces
from rdrface.errors import ConfigError, TrainingError
from rdrface.network.rdr import RDR
from rdrface.network.regression_features import LandmarkResponse
from rdrface.training.config import StageConfig, TrainingConfig
from rdrface.training.config_file import load_config
from rdrface.training.loop import train


@pytest.fixture(scope="module")
def faces(tmp_path_factory: pytest.TempPathFactory) -> PackedCrops:
    return pack(draw_faces(tmp_path_factory.mktemp("faces"), 24), 96)


def cpu(precision: str = "32-true") -> Fabric:
    fabric = Fabric(accelerator="cpu", devices=1, precision=precision)  # type: ignore[arg-type]
    fabric.launch()
    return fabric


def small(steps: int = 2) -> TrainingConfig:
    stages = (
        StageConfig("initialization", steps, crop_sizes=[32], batch_size=4),
        StageConfig("refinement", steps, crop_sizes=[32], batch_size=4),
        StageConfig("joint", steps, crop_sizes=[32], batch_size=4),
    )
    # The light network: the loop does not depend on the sizes of the layers, and its checkpoints are much smaller.
    return TrainingConfig(stages, network="lite", iterations=2, validation_every=100, checkpoint_every=1e9, log_every=2)


def same(a: RDR, b: RDR) -> bool:
    first, second = a.state_dict(), b.state_dict()
    return first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)


def mixed_sizes(config: TrainingConfig) -> TrainingConfig:
    return replace(config, stage=tuple(replace(stage, crop_sizes=[32, 64]) for stage in config.stage))


@pytest.mark.parametrize(("config", "stop_at"), [(small(), 1), (small(), 4), (mixed_sizes(small()), 3)])
def test_a_killed_and_resumed_training_gives_the_same_weights(
    faces: PackedCrops, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, config: TrainingConfig, stop_at: int
) -> None:
    whole = train(config, faces, None, tmp_path / "whole", cpu())
    assert whole is not None

    from rdrface.training import loop

    calls = 0
    real = loop.augment

    def killed_before_step(*args, **kwargs):  # type: ignore[no-untyped-def]
        nonlocal calls
        calls += 1
        if calls > stop_at:
            raise KeyboardInterrupt
        return real(*args, **kwargs)

    monkeypatch.setattr(loop, "augment", killed_before_step)
    with pytest.raises(KeyboardInterrupt):
        # A checkpoint is written after every step; the training is killed between two checkpoints.
        train(replace(config, checkpoint_every=0.0), faces, None, tmp_path / "broken", cpu())
    monkeypatch.setattr(loop, "augment", real)
    resumed = train(replace(config, checkpoint_every=0.0), faces, None, tmp_path / "broken", cpu())
    assert resumed is not None
    assert same(whole, resumed)


def test_without_its_loss_conv6_is_neither_computed_nor_trained(
    faces: PackedCrops, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    computed = []
    monkeypatch.setattr(LandmarkResponse, "forward", lambda _, deconv5: computed.append(deconv5))
    config = replace(small(), stage=small().stage[-1:], loss={"response": 0.0})
    network = train(config, faces, None, tmp_path, cpu())
    assert network is not None
    assert not computed
    torch.manual_seed(config.seed)
    untrained = RDR(config.iterations, sizes=network.sizes)
    assert torch.equal(network.response.conv6.weight, untrained.response.conv6.weight)
    assert not torch.equal(network.backbone.res2[0].conv_a.weight, untrained.backbone.res2[0].conv_a.weight)
    with (tmp_path / "log.csv").open(newline="") as file:
        assert "response" not in next(csv.reader(file))


def test_a_run_that_reaches_its_time_limit_writes_a_checkpoint_and_can_be_resumed(
    faces: PackedCrops, tmp_path: Path
) -> None:
    assert train(small(), faces, None, tmp_path, cpu(), max_seconds=0.0) is None
    assert (tmp_path / "checkpoint.pt").is_file()
    assert train(small(), faces, None, tmp_path, cpu()) is not None


def test_a_diverged_training_stops_before_it_writes_a_checkpoint(faces: PackedCrops, tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="lower learning_rate"):
        train(replace(small(), loss={"landmarks": float("inf")}), faces, None, tmp_path, cpu())
    assert not (tmp_path / "checkpoint.pt").exists()


def test_a_run_is_not_resumed_with_another_configuration(faces: PackedCrops, tmp_path: Path) -> None:
    train(small(), faces, None, tmp_path, cpu(), max_seconds=0.0)
    with pytest.raises(ConfigError, match="differs in seed"):
        train(replace(small(), seed=1), faces, None, tmp_path, cpu())


def test_a_damaged_checkpoint_is_named(faces: PackedCrops, tmp_path: Path) -> None:
    (tmp_path / "checkpoint.pt").write_bytes(b"no checkpoint")
    with pytest.raises(ConfigError, match=r"checkpoint\.pt is not a checkpoint .* damaged"):
        train(small(), faces, None, tmp_path, cpu())


def test_a_few_faces_can_be_overfitted(faces: PackedCrops, tmp_path: Path) -> None:
    few = faces.select(np.arange(6))
    stage = StageConfig("joint", 120, crop_sizes=[64], batch_size=6, learning_rate=2e-3, augment=False)
    config = TrainingConfig(
        (stage,), network="lite", iterations=2, validation_every=1000, checkpoint_every=1e9, ema_decay=0.9
    )
    train(config, few, few, tmp_path, cpu())
    lines = (tmp_path / "validation.csv").read_text().splitlines()
    scores = dict(zip(lines[0].split(","), map(float, lines[-1].split(",")), strict=True))
    assert scores["nme_2"] < 6.0, "S_K must fit six faces after 120 steps"
    assert scores["projection"] < 8.0, "S_p must fit them too"
    assert (tmp_path / "sample_0_000120.jpg").stat().st_size > 1000


def test_every_crop_size_is_used_and_validated(
    faces: PackedCrops, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from rdrface.training import loop

    used = []
    real = loop.augment

    def recorded(batch, size, *args):  # type: ignore[no-untyped-def]
        used.append(size)
        return real(batch, size, *args)

    monkeypatch.setattr(loop, "augment", recorded)
    stages = (
        StageConfig("initialization", 1, crop_sizes=[32], batch_size=2),
        StageConfig("joint", 8, crop_sizes=[32, 64], batch_size=2),
    )
    config = TrainingConfig(stages, network="lite", iterations=1, validation_every=8, checkpoint_every=1e9)
    few = faces.select(np.arange(4))
    train(config, few, few, tmp_path, cpu())
    assert used[0] == 32 and set(used) == {32, 64}
    with (tmp_path / "validation.csv").open(newline="") as file:
        rows = [(row["stage"], row["step"], row["crop_size"]) for row in csv.DictReader(file)]
    assert rows == [("0", "1", "32"), ("1", "8", "32"), ("1", "8", "64")]
    samples = sorted(path.name for path in tmp_path.glob("sample_*.jpg"))
    assert samples == ["sample_0_000001.jpg", "sample_1_000008_32.jpg", "sample_1_000008_64.jpg"]


def test_the_tiny_configuration_is_tiny() -> None:
    assert sum(stage.steps * stage.batch_size for stage in load_config("tiny").stage) < 1000
