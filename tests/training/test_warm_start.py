"""Training that begins with an exported file: the same network in evaluation, and one that can be trained."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from lightning_fabric import Fabric

from exported import SIZE, some_crops, weights_file
from rdrface.datasets.crops import PackedCrops, pack
from rdrface.datasets.synthetic import draw_faces
from rdrface.errors import ConfigError, WeightsError
from rdrface.network.rdr import RDR
from rdrface.runtime.session import open_session
from rdrface.runtime.weights import read_info
from rdrface.training import loop
from rdrface.training import restore as restore_module
from rdrface.training.config import StageConfig, TrainingConfig
from rdrface.training.loop import train
from rdrface.training.restore import normalized_convolutions, restore
from rdrface.training.warm_start import start_from_released

FACE_SIZE = 1.25
"""Root of the landmark box's area in the crop frame."""


@pytest.fixture(scope="module")
def faces(tmp_path_factory: pytest.TempPathFactory) -> PackedCrops:
    return pack(draw_faces(tmp_path_factory.mktemp("faces"), 24), 192)


@pytest.fixture(autouse=True)
def few_crops(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "CROPS", 48)
    monkeypatch.setattr(loop, "RELEASED_BATCH", 24)


def run(steps: int = 1) -> TrainingConfig:
    stage = StageConfig("joint", steps, size=SIZE, batch=8, learning_rate=7e-4, warmup=0.0)
    return TrainingConfig((stage,), validation_every=100, checkpoint_every=1e9, log_every=1, average=0.5)


def cpu() -> Fabric:
    fabric = Fabric(accelerator="cpu", devices=1, precision="32-true")
    fabric.launch()
    return fabric


def drawn_crops(faces: PackedCrops) -> np.ndarray:
    from rdrface.training.augmentation.augment import CropBatch, augment, no_augmentation

    batch = CropBatch.of(faces, np.arange(8))
    return augment(batch, SIZE, no_augmentation(), torch.Generator().manual_seed(0)).crops.numpy()


def continued(faces: PackedCrops) -> RDR:
    torch.manual_seed(0)
    network = RDR(3)
    loop._start(network, weights_file(), run(), faces)
    return network


def test_the_network_computes_what_the_graph_computes(faces: PackedCrops, capsys: pytest.CaptureFixture[str]) -> None:
    network = continued(faces).eval()
    assert "these parts start fresh: response" in capsys.readouterr().err
    session, info = open_session(weights_file())
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
        # z is in the same unit.
        difference = np.abs(value.numpy() - expected[name])
        # A point of the contour may change its place on the 3D face at the least difference of two lines.
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
        # Adam's steps suit filters as long as those of a new network, whatever the file's folded ones were.
        assert ((filters / target - 1).abs() < 0.1).all()
    # Batch statistics in place of the running ones change little on the crops that training sees.
    stage = run().stage[0]
    batch = loop.CropBatch.of(faces, np.arange(24).repeat(2))
    crops = loop.augment(
        batch, SIZE, loop.recipe(stage), torch.Generator().manual_seed(5), loop.coefficient_mirror(torch.device("cpu"))
    ).crops
    with torch.no_grad():
        running = network.eval()(crops).steps[-1].landmarks
        batched = network.train()(crops).steps[-1].landmarks
    assert float((running - batched).norm(dim=-1).mean()) < 0.03 * FACE_SIZE


def test_some_steps_do_not_destroy_what_was_learned(faces: PackedCrops, tmp_path: Path) -> None:
    network = train(run(steps=3), faces, faces, tmp_path, cpu(), start=weights_file())
    assert network is not None
    lines = (tmp_path / "validation.csv").read_text().splitlines()
    before, after = (dict(zip(lines[0].split(","), line.split(","), strict=True)) for line in lines[1:])
    assert (before["stage"], before["step"], after["step"]) == ("0", "0", "3")
    losses = [float(line.split(",")[4]) for line in (tmp_path / "log.csv").read_text().splitlines()[1:]]
    assert np.isfinite(losses).all()
    if weights_file().name == "rdr.safetensors" and read_info(weights_file())[0].training_data != ("no data",):
        assert float(after["nme_3"]) < 1.3 * float(before["nme_3"])


def test_the_same_start_gives_the_same_network_and_a_resumed_run_does_not_want_it(
    faces: PackedCrops, tmp_path: Path
) -> None:
    mine, again = continued(faces).state_dict(), continued(faces).state_dict()
    assert all(torch.equal(mine[name], again[name]) for name in mine)
    small = TrainingConfig((StageConfig("joint", 2, size=32, batch=2),), checkpoint_every=1e9)
    assert train(small, faces, None, tmp_path, cpu(), max_seconds=0.0, start=weights_file()) is None
    assert train(small, faces, None, tmp_path, cpu(), start=tmp_path / "moved away.safetensors") is not None


def test_weights_that_do_not_fit_are_named(faces: PackedCrops, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    crops = [torch.from_numpy(some_crops(2, SIZE))]
    with pytest.raises(ConfigError, match='trained with contour = "line", the configuration has "extreme"'):
        start_from_released(RDR(3, contour="extreme"), weights_file(), crops)
    with pytest.raises(ConfigError, match=r"gone\.safetensors.*weights file NAME"):
        train(run(), faces, None, tmp_path / "run", cpu(), start=tmp_path / "gone.safetensors")
    original = restore_module.read_tensors

    def other(name: str, change: float):  # type: ignore[no-untyped-def]
        return lambda path: {n: v + np.float32(change) if n == name else v for n, v in original(path).items()}

    monkeypatch.setattr(restore_module, "read_tensors", other("projection.mean", 5.0))
    with pytest.raises(WeightsError, match="another face model"):
        restore(weights_file())
    monkeypatch.setattr(
        restore_module, "read_tensors", lambda path: {n: v for n, v in original(path).items() if "pe_lstm" not in n}
    )
    with pytest.raises(WeightsError, match=r"another network: .* the first is pe_lstm"):
        restore(weights_file())


def test_a_checkpoint_may_be_named_itself(faces: PackedCrops, tmp_path: Path) -> None:
    config = TrainingConfig((StageConfig("joint", 1, size=32, batch=2),), iterations=1, checkpoint_every=1e9)
    first = train(config, faces, None, tmp_path / "first", cpu())
    assert first is not None
    train(replace(config, seed=1), faces, faces, tmp_path / "second", cpu(), start=tmp_path / "first" / "checkpoint.pt")
    assert len((tmp_path / "second" / "validation.csv").read_text().splitlines()) == 3
