"""Training: it learns, it resumes bit for bit, and its order of faces is a function of the step."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from lightning_fabric import Fabric

from rdrface.datasets.crops import PackedCrops, pack
from rdrface.datasets.synthetic import draw_faces
from rdrface.errors import ConfigError, TrainingError
from rdrface.network.rdr import RDR
from rdrface.training.batches import batches, held_out
from rdrface.training.config import StageConfig, TrainingConfig, load_config
from rdrface.training.device_crops import DeviceCrops
from rdrface.training.loop import learning_rate, train


@pytest.fixture(scope="module")
def faces(tmp_path_factory: pytest.TempPathFactory) -> PackedCrops:
    return pack(draw_faces(tmp_path_factory.mktemp("faces"), 24), 96)


def cpu(precision: str = "32-true") -> Fabric:
    fabric = Fabric(accelerator="cpu", devices=1, precision=precision)  # type: ignore[arg-type]
    fabric.launch()
    return fabric


def small(steps: int = 2) -> TrainingConfig:
    stages = (
        StageConfig("initialization", steps, size=32, batch=4),
        StageConfig("refinement", steps, size=32, batch=4),
        StageConfig("joint", steps, size=32, batch=4),
    )
    return TrainingConfig(stages, iterations=2, validation_every=100, checkpoint_every=1e9, log_every=2)


def same(a: RDR, b: RDR) -> bool:
    mine, theirs = a.state_dict(), b.state_dict()
    return mine.keys() == theirs.keys() and all(torch.equal(mine[name], theirs[name]) for name in mine)


@pytest.mark.parametrize("stop_at", [1, 4])
def test_a_killed_training_ends_with_the_same_weights(
    faces: PackedCrops, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stop_at: int
) -> None:
    config = small()
    whole = train(config, faces, None, tmp_path / "whole", cpu())
    assert whole is not None

    from rdrface.training import loop

    seen = 0
    real = loop.augment

    def killed_before_step(*args, **kwargs):  # type: ignore[no-untyped-def]
        nonlocal seen
        seen += 1
        if seen > stop_at:
            raise KeyboardInterrupt
        return real(*args, **kwargs)

    monkeypatch.setattr(loop, "augment", killed_before_step)
    with pytest.raises(KeyboardInterrupt):
        # A checkpoint after every step: the kill comes between two.
        train(replace(config, checkpoint_every=0.0), faces, None, tmp_path / "broken", cpu())
    monkeypatch.setattr(loop, "augment", real)
    resumed = train(replace(config, checkpoint_every=0.0), faces, None, tmp_path / "broken", cpu())
    assert resumed is not None
    assert same(whole, resumed)


def test_a_run_whose_time_is_up_says_so_and_goes_on(faces: PackedCrops, tmp_path: Path) -> None:
    assert train(small(), faces, None, tmp_path, cpu(), max_seconds=0.0) is None
    assert (tmp_path / "checkpoint.pt").is_file()
    assert train(small(), faces, None, tmp_path, cpu()) is not None


def test_a_training_that_diverges_stops_before_it_writes_a_checkpoint(faces: PackedCrops, tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="lower learning_rate"):
        train(replace(small(), loss={"landmarks": float("inf")}), faces, None, tmp_path, cpu())
    assert not (tmp_path / "checkpoint.pt").exists()


def test_a_batch_of_resident_faces_is_that_of_the_pack(faces: PackedCrops) -> None:
    index = np.array([5, 0, 5])
    weights = np.linspace(0, 1, len(faces), dtype=np.float32)
    resident = DeviceCrops(faces, weights, torch.device("cpu"))
    batch, residual, worth = resident.batch(index)
    assert len(resident) == len(faces)
    for name in ("images", "valid", "points", "state", "jawline_convention", "outline", "jawline", "Q"):
        np.testing.assert_array_equal(getattr(batch, name).numpy(), getattr(faces, name)[index])
    np.testing.assert_array_equal(residual.numpy(), faces.residual[index])
    np.testing.assert_array_equal(worth.numpy(), weights[index])


def test_another_configuration_does_not_continue_the_run(faces: PackedCrops, tmp_path: Path) -> None:
    train(small(), faces, None, tmp_path, cpu(), max_seconds=0.0)
    with pytest.raises(ConfigError, match="differs in seed"):
        train(replace(small(), seed=1), faces, None, tmp_path, cpu())


def test_a_damaged_checkpoint_is_named(faces: PackedCrops, tmp_path: Path) -> None:
    (tmp_path / "checkpoint.pt").write_bytes(b"no checkpoint")
    with pytest.raises(ConfigError, match=r"checkpoint\.pt is not a checkpoint .* damaged"):
        train(small(), faces, None, tmp_path, cpu())


def test_a_handful_of_faces_is_learned_by_heart(faces: PackedCrops, tmp_path: Path) -> None:
    handful = faces.select(np.arange(6))
    stage = StageConfig("joint", 120, size=64, batch=6, learning_rate=2e-3, augment=False)
    config = TrainingConfig((stage,), iterations=2, validation_every=1000, checkpoint_every=1e9, average=0.9)
    train(config, handful, handful, tmp_path, cpu())
    lines = (tmp_path / "validation.csv").read_text().splitlines()
    scores = dict(zip(lines[0].split(","), map(float, lines[-1].split(",")), strict=True))
    assert scores["nme_2"] < 6.0, "S_K must come close to six faces seen 120 times"
    assert scores["projection"] < 8.0, "so must the projection"
    assert (tmp_path / "sample_0_000120.jpg").stat().st_size > 1000


def test_every_face_comes_once_per_epoch_and_any_start_continues_the_order() -> None:
    whole = batches(10, 4, seed=3)
    first = [next(whole) for _ in range(10)]
    flat = np.concatenate(first)
    assert sorted(flat[:10]) == sorted(flat[10:20]) == list(range(10))
    assert list(flat[:10]) != list(flat[10:20])
    later = batches(10, 4, seed=3, start=7)
    assert all(np.array_equal(a, next(later)) for a in first[7:])


def test_ranks_share_a_batch_without_overlap() -> None:
    ranks = [next(batches(100, 8, seed=0, rank=rank, world=2)) for rank in (0, 1)]
    assert [len(part) for part in ranks] == [4, 4]
    assert sorted(np.concatenate(ranks)) == sorted(next(batches(100, 8, seed=0)))


def test_held_out_faces_depend_on_the_name_alone() -> None:
    names = np.array([f"photo_{i}.jpg" for i in range(4000)])
    kept = held_out(names, 0.1)
    assert 300 < kept.sum() < 500
    assert np.array_equal(held_out(names[::-1], 0.1), kept[::-1])
    assert not held_out(names, 0.0).any()


def test_learning_rate_rises_and_falls() -> None:
    stage = StageConfig("joint", 100, learning_rate=1.0, warmup=0.1, final=0.05)
    rates = [learning_rate(stage, step) for step in range(100)]
    assert rates[0] == pytest.approx(0.1)
    assert max(rates) == pytest.approx(1.0)
    assert rates[-1] == pytest.approx(0.05, abs=0.01)


def test_the_tiny_configuration_is_tiny() -> None:
    assert sum(stage.steps * stage.batch for stage in load_config("tiny").stage) < 1000
