"""The options of a network are copied from a checkpoint to the weights file."""

from dataclasses import asdict
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

from rdrface.network.rdr import RDR  # noqa: E402
from rdrface.training.checkpoint import read_export_sizes, read_network  # noqa: E402
from rdrface.training.config import StageConfig, TrainingConfig  # noqa: E402
from rdrface.training.export import describe  # noqa: E402


def test_the_options_of_a_checkpoint_are_exported(tmp_path: Path) -> None:
    config = TrainingConfig((StageConfig("joint", 1),), iterations=2, features="projection", contour="extreme")
    network = RDR(2, config.features, config.contour)
    torch.save({"average": network.state_dict(), "config": asdict(config)}, tmp_path / "checkpoint.pt")
    read, size = read_network(tmp_path / "checkpoint.pt")
    assert (read.iterations, read.features, read.contour, size) == (2, "projection", "extreme", 128)
    assert describe(read, size).config == {"network": "full", "features": "projection", "contour": "extreme"}


def test_a_checkpoint_without_the_options_can_be_read(tmp_path: Path) -> None:
    config = asdict(TrainingConfig((StageConfig("joint", 1),), iterations=1))
    del config["features"], config["contour"]
    torch.save({"average": RDR(1).state_dict(), "config": config}, tmp_path / "checkpoint.pt")
    read, _ = read_network(tmp_path / "checkpoint.pt")
    assert (read.features, read.contour) == ("previous", "line")


def test_the_first_export_size_is_the_default(tmp_path: Path) -> None:
    for export_sizes, expected in (([], (96,)), ([64, 128], (64, 128))):
        stages = (StageConfig("joint", 1), StageConfig("joint", 1, crop_sizes=[96, 64]))
        config = TrainingConfig(stages, iterations=0, export_sizes=export_sizes)
        torch.save({"average": RDR(0).state_dict(), "config": asdict(config)}, tmp_path / "checkpoint.pt")
        assert read_export_sizes(tmp_path) == expected
        assert read_network(tmp_path)[1] == expected[0]
