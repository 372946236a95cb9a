"""Start of a training from an exported file: the output does not change, and the network can be trained."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from lightning_fabric import Fabric

from exported import SIZE, some_crops
from linked import linked_layout  # noqa: F401
from rdrface.datasets.crops import PackedCrops
from rdrface.datasets.packing import pack
from rdrface.datasets.synthetic import draw_faces
from rdrface.errors import ConfigError, WeightsError
from rdrface.finetuning.weights import load_network
from rdrface.loading import PACKAGED_WEIGHTS
from rdrface.morphable.model import FaceModel
from rdrface.network.rdr import RDR
from rdrface.runtime.weights import read_info
from rdrface.runtime.weights_session import open_session
from rdrface.training import restore as restore_module
from rdrface.training import warm_start
from rdrface.training.augmentation.augment import augment
from rdrface.training.augmentation.config import no_augmentation, stage_augmentation
from rdrface.training.augmentation.crop_batch import CropBatch
from rdrface.training.augmentation.mirror import CoefficientMirror
from rdrface.training.checkpoint import start_file
from rdrface.training.config import StageConfig, TrainingConfig
from rdrface.training.loop import train
from rdrface.training.restore import normalized_convolutions, restore
from rdrface.training.warm_start import check_start, start_from_released, start_network

FACE_SIZE = 1.25
"""Root of the landmark box's area in the crop frame."""


@pytest.fixture(scope="module")
def faces(tmp_path_factory: pytest.TempPathFactory) -> PackedCrops:
    return pack(draw_faces(tmp_path_factory.mktemp("faces"), 24), 192)


@pytest.fixture(autouse=True)
def few_crops(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(warm_start, "CROPS", 48)
    monkeypatch.setattr(warm_start, "BATCH_SIZE", 24)


def run(steps: int = 1) -> TrainingConfig:
    stage = StageConfig("joint", steps, crop_sizes=[SIZE], batch_size=8, learning_rate=7e-4, warmup_fraction=0.0)
    return TrainingConfig((stage,), validation_every=100, checkpoint_every=1e9, log_every=1, ema_decay=0.5)


def cpu() -> Fabric:
    fabric = Fabric(accelerator="cpu", devices=1, precision="32-true")
    fabric.launch()
    return fabric


def drawn_crops(faces: PackedCrops) -> np.ndarray:
    batch = CropBatch.of(faces, np.arange(8))
    return augment(batch, SIZE, no_augmentation(), torch.Generator().manual_seed(0))[0].numpy()


def continued(faces: PackedCrops) -> RDR:
    torch.manual_seed(0)
    network = RDR(3)
    start_network(network, PACKAGED_WEIGHTS, run(), faces)
    return network


def test_the_network_gives_the_same_outputs_as_the_graph(
    faces: PackedCrops, capsys: pytest.CaptureFixture[str]
) -> None:
    network = continued(faces).eval()
    assert "initialized randomly: response" in capsys.readouterr().err
    session, info = open_session(PACKAGED_WEIGHTS)
    crops = drawn_crops(faces)
    expected = session.run(crops)
    with torch.no_grad():
        found = network(torch.from_numpy(crops), info.iterations)
    last = found.steps[-1]
    for name, value in (
        ("landmarks", last.landmarks),
        ("landmarks_jawline", last.landmarks_jawline),
        ("projection", last.projection),
    ):
        # z has the same unit.
        difference = np.abs(value.numpy() - expected[name])
        # A tiny difference can move a contour point to another position on its line.
        assert difference[:, 17:].max() < 1e-3 * FACE_SIZE, name
        assert (difference < 1e-3 * FACE_SIZE).mean() > 0.99, name
    np.testing.assert_allclose(
        torch.sigmoid(found.visibility_logits).numpy()[:, 17:], expected["visibility"][:, 17:], atol=2e-3
    )


def test_the_normalizations_have_the_statistics_of_training_crops(faces: PackedCrops) -> None:
    network = continued(faces)
    untrained = normalized_convolutions(RDR(0))
    for (convolution, _), (fresh, _) in zip(normalized_convolutions(network), untrained, strict=True):
        axis = 1 if isinstance(convolution, torch.nn.ConvTranspose2d) else 0
        filters = convolution.weight.transpose(0, axis).flatten(1).square().mean(1).sqrt()
        target = float(fresh.weight.detach().square().mean().sqrt())
        # Adam's steps are suitable for filters with the length of those in a new network.
        assert ((filters / target - 1).abs() < 0.1).all()
    # On crops of the training, batch statistics in place of the running ones change the output little.
    stage = run().stage[0]
    batch, mirror = CropBatch.of(faces, np.arange(24).repeat(2)), CoefficientMirror.of(FaceModel.load())
    crops, _ = augment(batch, SIZE, stage_augmentation(stage), torch.Generator().manual_seed(5), mirror)
    with torch.no_grad():
        running = network.eval()(crops).steps[-1].landmarks
        batched = network.train()(crops).steps[-1].landmarks
    assert float((running - batched).norm(dim=-1).mean()) < 0.03 * FACE_SIZE


def test_the_first_steps_keep_the_accuracy_of_the_weights(faces: PackedCrops, tmp_path: Path) -> None:
    network = train(run(steps=3), faces, faces, tmp_path, cpu(), start=PACKAGED_WEIGHTS)
    assert network is not None
    lines = (tmp_path / "validation.csv").read_text().splitlines()
    before, after = (dict(zip(lines[0].split(","), line.split(","), strict=True)) for line in lines[1:])
    assert (before["stage"], before["step"], after["step"]) == ("0", "0", "3")
    losses = [float(line.split(",")[4]) for line in (tmp_path / "log.csv").read_text().splitlines()[1:]]
    assert np.isfinite(losses).all()
    assert float(after["nme_3"]) < 1.3 * float(before["nme_3"])


def test_the_start_is_deterministic_and_is_not_read_by_a_resumed_run(faces: PackedCrops, tmp_path: Path) -> None:
    first, second = continued(faces).state_dict(), continued(faces).state_dict()
    assert all(torch.equal(first[name], second[name]) for name in first)
    small = TrainingConfig((StageConfig("joint", 2, crop_sizes=[32], batch_size=2),), checkpoint_every=1e9)
    assert train(small, faces, None, tmp_path, cpu(), max_seconds=0.0, start=PACKAGED_WEIGHTS) is None
    assert train(small, faces, None, tmp_path, cpu(), start=tmp_path / "missing.safetensors") is not None


def test_weights_that_do_not_match_are_refused(
    faces: PackedCrops, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    crops = [torch.from_numpy(some_crops(2, SIZE))]
    with pytest.raises(ConfigError, match='trained with contour = "line", the configuration has "extreme"'):
        start_from_released(RDR(3, contour="extreme"), PACKAGED_WEIGHTS, crops)
    with pytest.raises(ConfigError, match='trained with contour = "line", the configuration has "extreme"'):
        check_start(PACKAGED_WEIGHTS, replace(run(), contour="extreme"))
    with pytest.raises(ConfigError, match=r"missing\.safetensors.*weights file NAME"):
        train(run(), faces, None, tmp_path / "run", cpu(), start=tmp_path / "missing.safetensors")
    original = restore_module.read_tensors

    def other(name: str, change: float):  # type: ignore[no-untyped-def]
        return lambda path: {n: v + np.float32(change) if n == name else v for n, v in original(path).items()}

    monkeypatch.setattr(restore_module, "read_tensors", other("projection.mean", 5.0))
    with pytest.raises(WeightsError, match="another face model"):
        restore(PACKAGED_WEIGHTS)
    monkeypatch.setattr(
        restore_module, "read_tensors", lambda path: {n: v for n, v in original(path).items() if "pe_lstm" not in n}
    )
    with pytest.raises(WeightsError, match=r"another network: .* the first is pe_lstm"):
        restore(PACKAGED_WEIGHTS)


def test_the_start_can_be_a_checkpoint_file(faces: PackedCrops, tmp_path: Path) -> None:
    config = TrainingConfig(
        (StageConfig("joint", 1, crop_sizes=[32], batch_size=2),), iterations=1, checkpoint_every=1e9
    )
    first = train(config, faces, None, tmp_path / "first", cpu())
    assert first is not None
    train(replace(config, seed=1), faces, faces, tmp_path / "second", cpu(), start=tmp_path / "first" / "checkpoint.pt")
    assert len((tmp_path / "second" / "validation.csv").read_text().splitlines()) == 3
    check_start(tmp_path / "first" / "checkpoint.pt", config)
    for content in ({"config": {"stage": []}}, {"config": {"stage": []}, "average": {}}):
        torch.save(content, tmp_path / "checkpoint.pt")
        with pytest.raises(ConfigError, match=r"checkpoint\.pt is not a checkpoint .* no averaged weights"):
            check_start(tmp_path / "checkpoint.pt", config)
    for content in ({}, {"config": {}, "average": {"a": torch.zeros(1)}}, torch.zeros(1)):
        torch.save(content, tmp_path / "checkpoint.pt")
        with pytest.raises(ConfigError, match=r"checkpoint\.pt is not a checkpoint of `rdrface train`, or is damaged"):
            check_start(tmp_path / "checkpoint.pt", config)


def test_a_checkpoint_with_other_options_is_refused(faces: PackedCrops, tmp_path: Path) -> None:
    config = TrainingConfig((StageConfig("joint", 1, crop_sizes=[32], batch_size=2),), iterations=1)
    train(config, faces, None, tmp_path, cpu())
    path = tmp_path / "checkpoint.pt"
    with pytest.raises(ConfigError, match='trained with contour = "line", the configuration has "extreme"'):
        check_start(path, replace(config, contour="extreme"))
    with pytest.raises(ConfigError, match='trained with features = "previous", the configuration has "projection"'):
        check_start(path, replace(config, features="projection"))
    with pytest.raises(ConfigError, match='trained with contour = "line", the configuration has "extreme"'):
        train(replace(config, contour="extreme"), faces, None, tmp_path / "other", cpu(), start=path)
    larger = (replace(config.stage[0], crop_sizes=[64]),)
    with pytest.raises(ConfigError, match=r"features for crops of 32 pixels.*imitated_size = 64"):
        check_start(path, replace(config, stage=larger, imitation=0.1, imitated_size=64))
    check_start(path, replace(config, iterations=3))
    features = (replace(config.stage[0], train="features"),)
    check_start(path, replace(config, stage=features))
    with pytest.raises(
        ConfigError, match=r"with iterations = 1, the configuration has 3.*does not train the iterations"
    ):
        check_start(path, replace(config, iterations=3, stage=features))


def test_training_and_fine_tuning_start_from_linked_weights(linked_layout) -> None:  # noqa: F811
    path = linked_layout(PACKAGED_WEIGHTS)
    network, size, _ = load_network(path)
    assert size == read_info(path)[0].input_size
    expected = restore(PACKAGED_WEIGHTS)[0].state_dict()
    assert all(
        torch.equal(value, expected[name])
        for name, value in network.state_dict().items()
        if not name.startswith(restore_module.NOT_EXPORTED)
    )
    assert start_file(path) == path
    check_start(path, run())
