"""The option `network`: runs of the light network, and weights of the other network."""

from pathlib import Path

import pytest
import torch
from lightning_fabric import Fabric

from exported import SIZE
from rdrface.datasets.crops import PackedCrops
from rdrface.datasets.packing import pack
from rdrface.datasets.synthetic import draw_faces
from rdrface.errors import ConfigError, WeightsError
from rdrface.finetuning.weights import load_network
from rdrface.loading import PACKAGED_WEIGHTS
from rdrface.morphable.model import FaceModel, SurfacePoints
from rdrface.network.custom_landmarks import CustomLandmarks, extract_features
from rdrface.network.rdr import RDR
from rdrface.network.sizes import LITE
from rdrface.training import checkpoint, restore, warm_start
from rdrface.training.config import StageConfig, TrainingConfig
from rdrface.training.config_file import load_config
from rdrface.training.loop import train
from rdrface.training.validation import validate
from rdrface.training.warm_start import check_start, start_network


def cpu() -> Fabric:
    fabric = Fabric(accelerator="cpu", devices=1, precision="32-true")
    fabric.launch()
    return fabric


def config(network: str = "lite") -> TrainingConfig:
    stage = StageConfig("joint", 2, crop_sizes=[SIZE], batch_size=4)
    return TrainingConfig((stage,), network=network, iterations=2, validation_every=100, checkpoint_every=1e9)


@pytest.fixture(scope="module")
def faces(tmp_path_factory: pytest.TempPathFactory) -> PackedCrops:
    return pack(draw_faces(tmp_path_factory.mktemp("faces"), 24), 176)


@pytest.fixture(scope="module")
def lite_run(tmp_path_factory: pytest.TempPathFactory, faces: PackedCrops) -> Path:
    folder = tmp_path_factory.mktemp("run")
    train(config(), faces, None, folder, cpu())
    return folder


def test_a_run_of_the_light_network_can_be_read_resumed_and_finetuned(lite_run: Path, faces: PackedCrops) -> None:
    assert checkpoint.read_network(lite_run)[0].sizes == LITE
    assert train(config(), faces, None, lite_run, cpu()) is not None
    network, size, _ = load_network(lite_run)
    model = FaceModel.load()
    points = SurfacePoints(model.points["ibug68"].triangle[:3], model.points["ibug68"].barycentric[:3])
    readout = CustomLandmarks(model.reduced(points), network.sizes)
    with torch.no_grad():
        assert readout(extract_features(network, torch.zeros(1, 3, size, size))).shape == (1, 3, 2)


@pytest.mark.parametrize("form", ["checkpoint", "weights file"])
def test_a_run_starts_from_weights_of_the_same_network(
    lite_run: Path, two_size_weights: Path, faces: PackedCrops, monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    monkeypatch.setattr(warm_start, "CROPS", 48)
    monkeypatch.setattr(warm_start, "BATCH_SIZE", 24)
    path = two_size_weights if form == "weights file" else lite_run / checkpoint.NAME
    check_start(path, config())
    network = RDR(2, sizes=LITE)
    start_network(network, path, config(), faces)
    trained = (restore.restore(path) if form == "weights file" else checkpoint.read_network(lite_run))[0].eval()
    trained.iterations = network.iterations
    crops = torch.full((1, 3, SIZE, SIZE), 99.0)
    with torch.no_grad():
        ours, theirs = network.eval()(crops).steps[-1].landmarks, trained(crops).steps[-1].landmarks
    assert (ours - theirs).abs().max() < 5e-3


def test_weights_of_the_light_network_do_not_fit_the_full_one(lite_run: Path, two_size_weights: Path) -> None:
    for path in (two_size_weights, lite_run / checkpoint.NAME):
        with pytest.raises(ConfigError, match='contains the network "lite", the configuration has network = "full"'):
            check_start(path, config("full"))


def test_a_checkpoint_of_the_full_network_does_not_fit_the_light_one(tmp_path: Path, faces: PackedCrops) -> None:
    stage = StageConfig("initialization", 1, crop_sizes=[32], batch_size=2)
    train(TrainingConfig((stage,), iterations=1), faces, None, tmp_path, cpu())
    with pytest.raises(ConfigError, match='contains the network "full", the configuration has network = "lite"'):
        check_start(tmp_path / checkpoint.NAME, config())


def test_weights_with_an_unknown_network_are_refused(two_size_weights: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(restore, "NETWORKS", ("full",))
    with pytest.raises(WeightsError, match="contains the network 'lite', but this version of rdrface has full"):
        restore.restore(two_size_weights)


def test_unknown_networks_are_refused() -> None:
    with pytest.raises(ConfigError, match="network must be one of full, lite; got 'tiny'"):
        config("tiny")


def test_the_packaged_configuration_trains_the_light_network_with_a_teacher() -> None:
    packaged = load_config("lite")
    assert (packaged.network, packaged.iterations, packaged.teacher) == ("lite", 2, "packaged")


def test_the_light_network_starts_from_the_packaged_full_weights(
    faces: PackedCrops, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Even a few crops give a network that predicts the drawn faces better than an untrained one."""
    monkeypatch.setattr(warm_start, "REDUCTION_CROPS", 96)
    monkeypatch.setattr(warm_start, "BATCH_SIZE", 24)
    check_start(PACKAGED_WEIGHTS, config())
    torch.manual_seed(0)
    network, untrained = RDR(2, sizes=LITE), RDR(2, sizes=LITE)
    start_network(network, PACKAGED_WEIGHTS, config(), faces)
    assert "initializing the network 'lite'" in capsys.readouterr().err
    cpu_device = torch.device("cpu")
    reduced, random = (
        validate(each.eval(), faces, SIZE, 2, cpu_device, tmp_path / "sheet.jpg")["nme_2"]
        for each in (network, untrained)
    )
    assert reduced < 0.7 * random
