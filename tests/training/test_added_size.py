"""Convolutions for a further crop size: their training by imitation, and the weights file that gets them."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from exported import some_crops, untrained_network
from rdrface.cli.main import main
from rdrface.errors import ConfigError
from rdrface.runtime.crop_size import tensors_of_size
from rdrface.runtime.weights import read_info, read_tensors
from rdrface.runtime.weights_session import open_session
from untraced import untraced

torch = pytest.importorskip("torch")
fabric_module = pytest.importorskip("lightning_fabric")

from rdrface.cli import export as export_command  # noqa: E402
from rdrface.cli.export import extended  # noqa: E402
from rdrface.datasets.crops import PackedCrops  # noqa: E402
from rdrface.finetuning.weights import load_network  # noqa: E402
from rdrface.network.rdr import RDR  # noqa: E402
from rdrface.network.sizes import network_sizes  # noqa: E402
from rdrface.training import warm_start  # noqa: E402
from rdrface.training.config import StageConfig, TrainingConfig  # noqa: E402
from rdrface.training.export import describe, export  # noqa: E402
from rdrface.training.loop import train  # noqa: E402
from rdrface.training.losses.imitation import NAME, Imitation, load_imitated  # noqa: E402
from rdrface.training.restore import restore  # noqa: E402
from short_run import packed_synthetic_faces  # noqa: E402

SMALL, LARGE = 32, 64
FEATURES = ("backbone.", "regression_features.", "initialization.reduce.")
"""The trained parts, and the convolution before pool5: its normalization, which is folded in a file, is unfolded."""


def configuration(steps: int) -> TrainingConfig:
    stage = StageConfig("features", steps, crop_sizes=[LARGE], batch_size=4, learning_rate=1e-3, warmup_fraction=0.0)
    return TrainingConfig(
        (stage,), network="lite", iterations=1, imitation=0.1, imitated_size=SMALL, log_every=1, ema_decay=0.5
    )


def run(faces: PackedCrops, base: Path, folder: Path, steps: int = 2, max_seconds: float = 1e9) -> RDR | None:
    fabric = fabric_module.Fabric(accelerator="cpu", devices=1)
    fabric.launch()
    return train(configuration(steps), faces, None, folder, fabric, max_seconds, base)


@pytest.fixture(scope="module")
def faces(tmp_path_factory: pytest.TempPathFactory) -> PackedCrops:
    return packed_synthetic_faces(tmp_path_factory.mktemp("faces"), 8)


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Weights for small crops."""
    network = untrained_network("lite", SMALL)
    network.iterations = 1
    path = tmp_path_factory.mktemp("base") / "base.safetensors"
    with untraced():
        export(network, path, describe(network, SMALL, ("drawn",), {"nothing": 1.0}))
    return path


@pytest.fixture(scope="module")
def trained(faces: PackedCrops, base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a run that trains features for large crops."""
    folder = tmp_path_factory.mktemp("run")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(warm_start, "CROPS", 8)
        patch.setattr(warm_start, "BATCH_SIZE", 8)
        run(faces, base, folder)
    faces.save(folder / "train.safetensors")
    return folder


@pytest.fixture(scope="module")
def both(base: Path, trained: Path) -> Path:
    """The weights with both sizes."""
    path = trained / "both.safetensors"
    with untraced():
        assert main(["export", str(trained), "-o", str(path), "--add-to", str(base)]) == 0
    return path


def test_only_the_features_are_trained(base: Path, trained: Path) -> None:
    before = restore(base)[0].state_dict()
    after = load_network(trained)[0].state_dict()
    # A network with one iteration does not use the matrix of the previous state, so a file does not have it.
    names = [name for name in after if not name.endswith("cell.weight_hh")]
    changed = {name for name in names if not torch.equal(after[name], before[name])}
    assert changed
    assert all(name.startswith((*FEATURES, "response.")) for name in changed)
    assert "imitation" in (trained / "log.csv").read_text().splitlines()[0].split(",")


def test_a_resumed_run_imitates_the_same_network(
    faces: PackedCrops, base: Path, trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(warm_start, "CROPS", 8)
    monkeypatch.setattr(warm_start, "BATCH_SIZE", 8)
    assert run(faces, base, tmp_path, max_seconds=0.0) is None
    assert (tmp_path / NAME).is_file()
    run(faces, base, tmp_path)
    expected = load_network(trained)[0].state_dict()
    for name, value in load_network(tmp_path)[0].state_dict().items():
        assert torch.equal(value, expected[name]), name


def test_the_loss_of_equal_features_is_zero() -> None:
    torch.manual_seed(0)
    network = RDR(iterations=0, sizes=network_sizes("lite")).eval()
    crops = torch.from_numpy(some_crops(2, SMALL))
    imitation = Imitation(network, SMALL)
    assert imitation(network.extract(crops), crops) == 0
    other = RDR(iterations=0, sizes=network_sizes("lite")).eval()
    loss = imitation(other.extract(crops), crops)
    loss.backward()
    assert loss > 0.1
    assert all(parameter.grad is None for parameter in network.parameters())


def test_the_default_size_keeps_its_tensors(base: Path, both: Path) -> None:
    info, expected = read_info(base)[0], read_tensors(base)
    joined, tensors = read_info(both)[0], read_tensors(both)
    assert (joined.sizes, joined.training_data, joined.metrics) == ((SMALL, LARGE), info.training_data, info.metrics)
    small = tensors_of_size(tensors, joined, SMALL)
    assert small.keys() == expected.keys()
    for name, value in expected.items():
        np.testing.assert_array_equal(small[name], value, err_msg=name)
    own = {name.partition("/")[2] for name in tensors if name.startswith(f"{LARGE}/")}
    assert own and all(name.startswith(FEATURES) for name in own)


@pytest.mark.parametrize("size", [SMALL, LARGE])
def test_each_size_gives_the_outputs_of_its_network(both: Path, size: int) -> None:
    network, _ = restore(both, size)
    crops = some_crops(2, size)
    with torch.no_grad():
        expected = network(torch.from_numpy(crops)).steps[-1].landmarks.numpy()
        others = restore(both, SMALL + LARGE - size)[0](torch.from_numpy(crops)).steps[-1].landmarks.numpy()
    assert np.abs(others - expected).max() > 1e-3
    for backend in ("openvino", "onnxruntime"):
        session, _ = open_session(both, backend, 1, size=size)
        assert np.abs(session.run(crops)["landmarks"] - expected).max() < 1e-3
    session, _ = open_session(both, threads=1, size=size, precision="int8")
    assert session.precision == "int8"


def test_a_run_replaces_a_further_size(base: Path, trained: Path, both: Path) -> None:
    """The networks that are written, without the export itself: those of `base` and the run, as in `both`."""
    run_network = load_network(trained)[0]
    info, _ = read_info(both)
    networks = extended(both, info, run_network, [LARGE])
    assert [*networks] == [SMALL, LARGE]
    assert networks[LARGE] is run_network
    kept = restore(base)[0].state_dict()
    # A file does not have conv6 and, with one iteration, not the matrix of the previous state.
    names = [name for name in kept if not name.startswith("response.") and not name.endswith("cell.weight_hh")]
    for name in names:
        assert torch.equal(networks[SMALL].state_dict()[name], kept[name]), name


def test_a_run_whose_imitated_network_is_lost_says_so(tmp_path: Path) -> None:
    network = RDR(iterations=0, sizes=network_sizes("lite"))
    with pytest.raises(ConfigError, match=NAME):
        load_imitated(network, tmp_path)
    (tmp_path / NAME).write_bytes(b"damaged")
    with pytest.raises(ConfigError, match="restore the file, or start a new run"):
        load_imitated(network, tmp_path)


def test_the_imitated_size_is_that_of_the_weights(base: Path) -> None:
    config = replace(configuration(1), imitated_size=LARGE)
    with pytest.raises(ConfigError, match=f"features for crops of {SMALL} pixels.*imitated_size = {LARGE}"):
        warm_start.check_start(base, config)


def test_errors_name_what_does_not_fit(
    base: Path, trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = str(tmp_path / "out.safetensors")
    assert main(["export", str(trained), "-o", out, "--size", "96", str(SMALL), "--add-to", str(base)]) == 2
    assert f"{SMALL} is its default size, which cannot be replaced" in capsys.readouterr().err
    assert main(["export", str(trained), "-o", out, "--iterations", "3", "--add-to", str(base)]) == 2
    assert "--iterations and --data cannot be used with --add-to" in capsys.readouterr().err
    full = Path(__file__).parents[2] / "src" / "rdrface" / "weights" / "rdr.safetensors"
    assert main(["export", str(trained), "-o", out, "--add-to", str(full)]) == 2
    assert 'its network is "full", that of the run is "lite"' in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_an_unfinished_run_is_reported(
    base: Path, trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its convolutions would replace good ones. The export itself is left out."""
    state = torch.load(trained / "checkpoint.pt", weights_only=True)
    torch.save(state | {"stage": 0, "step": 1}, tmp_path / "checkpoint.pt")
    monkeypatch.setattr(export_command, "export", lambda network, path, info, **_: info)
    out = str(tmp_path / "out.safetensors")
    for run_folder, expected in ((tmp_path, "has done 1 of its 2 steps"), (trained, "")):
        monkeypatch.setattr(export_command, "write_int8_graph", lambda *_: None)
        assert main(["export", str(run_folder), "-o", out, "--add-to", str(base)]) == 0
        printed = capsys.readouterr().err
        assert expected in printed
        assert ("warning" in printed) == bool(expected)
