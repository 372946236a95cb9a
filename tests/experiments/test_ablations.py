"""The ablations run on drawn faces and print their tables."""

import json
import sys
from pathlib import Path

import pytest

from short_run import packed_synthetic_faces, short_run

EXPERIMENTS = Path(__file__).resolve().parents[2] / "experiments"


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a short training."""
    folder = tmp_path_factory.mktemp("run")
    faces = packed_synthetic_faces(tmp_path_factory.mktemp("faces"), 24)
    faces.save(folder / "train.safetensors")
    faces.save(folder / "val.safetensors")
    short_run(faces, folder)
    return folder


@pytest.fixture(autouse=True)
def import_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(EXPERIMENTS))


def first_columns(text: str) -> list[str]:
    return [line.split("|")[1].strip() for line in text.splitlines() if line.startswith("|")][2:]


def test_recurrence_variants_are_trained_once(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import recurrence

    file = tmp_path / "results.jsonl"
    arguments = ["recurrence.py", run, "--only", "K1", "contour", "heads-wpdc", "--steps", "2", "--threads", "1"]
    arguments += ["--json", file]
    monkeypatch.setattr(sys, "argv", [str(argument) for argument in arguments])
    recurrence.main()
    meanings = ["trained network, all parts together", "K = 1", "contour by extreme x", "range of 2 seeds", "WPDC"]
    assert first_columns(capsys.readouterr().out) == meanings
    content = file.read_text()
    rows = [json.loads(line) for line in content.splitlines()]
    assert [row["variant"] for row in rows] == ["as-trained", "K1", "contour", "contour", "heads-wpdc"]
    assert rows[1]["scores"]["nme_0"] == rows[0]["scores"]["nme_0"]
    assert rows[1]["scores"]["nme_1"] != rows[0]["scores"]["nme_1"]
    recurrence.main()
    assert file.read_text() == content


def test_every_variant_has_known_options_and_losses() -> None:
    from rdrface.network.rdr import RDR
    from rdrface.training.losses.weights import LossWeights
    from variants import FROM_RELEASED, LATER_LOSSES, RECURRENCE, WHOLE_NETWORK

    for variant in (*RECURRENCE.values(), *WHOLE_NETWORK.values(), *FROM_RELEASED.values()):
        RDR(variant.iterations, variant.features, variant.contour)
        LossWeights(**{**LATER_LOSSES, **variant.loss})


def test_only_the_parts_that_are_not_retrained_keep_their_weights(run: Path) -> None:
    from cached_features import cache, mild_augmentation
    from rdrface.datasets.crops import PackedCrops
    from rdrface.training.checkpoint import read_network
    from recurrence import RETRAINED, train_variant
    from variants import RECURRENCE

    trained, size = read_network(run)
    faces = cache(trained.eval(), PackedCrops.load(run / "train.safetensors"), size, mild_augmentation())
    network = train_variant(RECURRENCE["base"], trained, faces, {}, 1, 0)
    before, after = dict(trained.named_parameters()), dict(network.named_parameters())
    changed = {name for name, value in after.items() if not value.equal(before[name])}
    assert all(name.startswith(RETRAINED) for name in changed)
    assert {name.split(".")[0] + "." for name in changed} == set(RETRAINED)


def test_whole_network_variants_are_trained(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import whole_network

    arguments = ["whole_network.py", run, "-o", tmp_path, "--only", "full-no-conv6", "--steps", "1"]
    arguments += ["--threads", "1"]
    monkeypatch.setattr(sys, "argv", [str(argument) for argument in arguments])
    whole_network.main()
    assert first_columns(capsys.readouterr().out) == ["without the loss of conv6"]
    assert [path.name for path in tmp_path.iterdir()] == ["whole_network.jsonl"]


def test_training_from_released_weights_stops_at_the_time_limit_and_is_continued(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import from_released_weights

    arguments = ["from_released_weights.py", run, "-o", tmp_path, "--weights", "lite", "--size", "32", "--steps", "1"]
    arguments += ["--batch-size", "4", "--threads", "1", "--accelerator", "cpu", "--variants", "no-conv6", "any-angle"]
    monkeypatch.setattr(sys, "argv", [*map(str, arguments), "--minutes", "0"])
    assert from_released_weights.main() == 1
    assert first_columns(capsys.readouterr().out)[:1] == ["released weights"]
    monkeypatch.setattr(sys, "argv", [str(argument) for argument in arguments])
    assert from_released_weights.main() == 0
    rows = ["released weights", "without the loss of conv6", "without upright crops: trained on faces at any angle"]
    printed = capsys.readouterr().out
    assert first_columns(printed)[:3] == rows and "projection_3" in printed and "any_angle" in printed
    file = tmp_path / "from_released_weights.jsonl"
    content = file.read_text()
    assert [json.loads(line)["variant"] for line in content.splitlines()] == ["released", "no-conv6", "any-angle"]
    assert from_released_weights.main() == 0
    assert file.read_text() == content
    assert list(tmp_path.iterdir()) == [file]


def test_a_variant_changes_one_thing_of_the_configuration() -> None:
    from from_released_weights import configuration
    from rdrface.training.config_file import load_config
    from variants import FROM_RELEASED

    base = configuration(FROM_RELEASED["base"], "full", 128, 1000, 64, 0)
    packaged = load_config("continue")
    assert base.stage[0].learning_rate == packaged.stage[0].learning_rate / 4
    assert base.stage[0].final_fraction == 0
    assert base.loss == load_config("rdr").loss
    assert base.source_draws == packaged.source_draws
    expected = {"no-wpdc": {"loss"}, "no-conv6": {"loss"}, "K1": {"iterations"}, "no-300w-lp": set()}
    for name, changed in expected.items():
        config = configuration(FROM_RELEASED[name], "full", 128, 1000, 64, 0)
        assert {key for key, value in vars(config).items() if value != vars(base)[key]} == changed


def test_faces_are_left_out_by_their_source(run: Path) -> None:
    from dataclasses import replace

    import numpy as np

    from from_released_weights import without
    from rdrface.datasets.crops import PackedCrops
    from variants import FROM_RELEASED

    faces = PackedCrops.load(run / "train.safetensors")
    names = ("300w/afw", "300w_lp/AFW", "300w/afw/turned", "300w_lp/AFW/turned")
    faces = replace(faces, source=np.arange(24, dtype=np.int32) % 4, source_names=names)
    assert np.unique(without(faces, FROM_RELEASED["no-300w-lp"].without).source).tolist() == [0, 2]
    assert np.unique(without(faces, FROM_RELEASED["no-profiled"].without).source).tolist() == [0, 1]
    assert len(without(faces, "")) == 24
