"""Configurations: the shipped ones are valid, mistakes are named."""

from pathlib import Path

import pytest

from rdrface.errors import ConfigError
from rdrface.training.config import load_config, shipped_configs

STAGE = '[[stage]]\ntrain = "joint"\nsteps = 3\n'


def written(folder: Path, text: str) -> Path:
    path = folder / "run.toml"
    path.write_text(text)
    return path


@pytest.mark.parametrize("name", sorted(shipped_configs()))
def test_shipped_configurations_load(name: str) -> None:
    config = load_config(name)
    assert [stage.train for stage in config.stage][-1] == "joint"


def test_values_and_defaults(tmp_path: Path) -> None:
    config = load_config(written(tmp_path, "seed = 7\naverage = 1\n" + STAGE))
    assert (config.seed, config.average, config.iterations) == (7, 1.0, 3)
    assert config.stage[0].steps == 3
    config = load_config(written(tmp_path, STAGE + '[offset]\n"300w/helen" = [0.4, 1]\n'))
    assert config.offset == {"300w/helen": [0.4, 1]}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("sead = 7\n" + STAGE, "unknown key 'sead'"),
        (STAGE + "sise = 4\n", "unknown key 'sise'"),
        ("seed = 1.5\n" + STAGE, "seed must be int; got 1.5"),
        ("compile = 1\n" + STAGE, "compile must be bool"),
        ('[[stage]]\ntrain = "joint"\n', "'steps' is missing"),
        ('[[stage]]\ntrain = "everything"\nsteps = 1\n', "must be one of initialization, refinement, joint"),
        (STAGE + "size = 100\n", "multiple of 32; got 100"),
        (STAGE + "batch = 0\n", "batch must be 1 or more"),
        ("seed = 1\n", "no \\[\\[stage\\]\\]"),
        ('[stage]\ntrain = "joint"\n', "double brackets"),
        ("seed = \n", "is not TOML"),
        ("closed_eyes = -1\n" + STAGE, "closed_eyes must be a number of draws per epoch, 0 or more; got -1"),
        ('share = {"300w" = "twice"}\n' + STAGE, "share.*300w.* must be a number of draws per epoch"),
        ("[offset]\n300w = 0.8\n" + STAGE, "offset of '300w' must be two numbers.*got 0.8"),
        ("offset = [1, 2]\n" + STAGE, "offset must be dict"),
        ("validation_share = 1.0\n" + STAGE, "in \\[0, 1\\)"),
        ('label_weight = {"300w" = "x"}\n' + STAGE, "label_weight.*300w.* must be a number"),
        ("closed = -3\n" + STAGE, "closed must be 0 or more; got -3"),
        ("log_every = 0\n" + STAGE, "log_every must be 1 or more"),
        ("average = 2.0\n" + STAGE, "average must be in"),
    ],
)
def test_mistakes_are_named(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        load_config(written(tmp_path, text))


def test_an_unknown_name_lists_the_shipped_ones() -> None:
    with pytest.raises(ConfigError, match="tiny"):
        load_config("no-such-configuration")
