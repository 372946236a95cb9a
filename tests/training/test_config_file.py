"""Configuration files: the packaged ones are valid, and errors name the invalid entry."""

from pathlib import Path

import pytest

from rdrface.errors import ConfigError
from rdrface.training.config import StageConfig, TrainingConfig
from rdrface.training.config_file import load_config, shipped_configs
from rdrface.training.losses.weights import LossWeights
from rdrface.training.renamed import LOSSES, RUN_KEYS, STAGE_KEYS

STAGE = '[[stage]]\ntrain = "joint"\nsteps = 3\n'


def written(folder: Path, text: str) -> Path:
    path = folder / "run.toml"
    path.write_text(text)
    return path


@pytest.mark.parametrize("name", sorted(shipped_configs()))
def test_packaged_configurations_are_valid(name: str) -> None:
    config = load_config(name)
    last = {"refine": "refinement", "sizes": "features"}.get(name, "joint")
    assert [stage.train for stage in config.stage][-1] == last


def test_values_are_read_and_others_have_defaults(tmp_path: Path) -> None:
    config = load_config(written(tmp_path, "seed = 7\nema_decay = 1\n" + STAGE))
    assert (config.seed, config.ema_decay, config.iterations) == (7, 1.0, 3)
    assert config.stage[0].steps == 3
    config = load_config(written(tmp_path, STAGE + '[annotation_offset]\n"300w/helen" = [0.4, 1]\n'))
    assert config.annotation_offset == {"300w/helen": [0.4, 1]}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("sead = 7\n" + STAGE, "unknown key 'sead'"),
        (STAGE + "sise = 4\n", "unknown key 'sise'"),
        ("seed = 1.5\n" + STAGE, "seed must be int; got 1.5"),
        ("compile = 1\n" + STAGE, "compile must be bool"),
        ('[[stage]]\ntrain = "joint"\n', "'steps' is missing"),
        ('[[stage]]\ntrain = "everything"\nsteps = 1\n', "must be one of initialization, refinement, joint"),
        (STAGE + "crop_sizes = [128, 100]\n", "stage.crop_sizes must be positive multiples of 32; got 100"),
        (STAGE + "crop_sizes = 128\n", "crop_sizes must be list; got 128"),
        (STAGE + 'crop_sizes = ["128"]\n', "multiples of 32; got '128'"),
        (STAGE + "crop_sizes = []\n", "at least one size"),
        (STAGE + "crop_sizes = [64, 64]\n", "must be different sizes; got \\[64, 64\\]"),
        (STAGE + "crop_sizes = [64, 96]\ncrop_size_draws = [1]\n", "one number for each of \\[64, 96\\]"),
        (STAGE + "crop_sizes = [64, 96]\ncrop_size_draws = [0, 0]\n", "not all 0"),
        (STAGE + "crop_sizes = [64, 96]\ncrop_size_draws = [1, -1]\n", "crop_size_draws.*0 or more; got -1"),
        ("export_sizes = [128, 130]\n" + STAGE, "export_sizes must be positive multiples of 32; got 130"),
        (STAGE + "batch_size = 0\n", "batch_size must be 1 or more"),
        ("seed = 1\n", "no \\[\\[stage\\]\\]"),
        ('[stage]\ntrain = "joint"\n', "double brackets"),
        ("seed = \n", "is not a valid TOML file"),
        ("closed_eye_draws = -1\n" + STAGE, "closed_eye_draws must be a number of draws per epoch, 0 or more; got -1"),
        ('source_draws = {"300w" = "twice"}\n' + STAGE, "source_draws.*300w.* must be a number of draws per epoch"),
        ("[annotation_offset]\n300w = 0.8\n" + STAGE, "offset of '300w' must be two numbers.*got 0.8"),
        ("annotation_offset = [1, 2]\n" + STAGE, "annotation_offset must be dict"),
        ("validation_fraction = 1.0\n" + STAGE, "in \\[0, 1\\)"),
        ('label_weight = {"300w" = "x"}\n' + STAGE, "label_weight.*300w.* must be a number"),
        ("closed_eye_copies = -3\n" + STAGE, "closed_eye_copies must be 0 or more; got -3"),
        ("log_every = 0\n" + STAGE, "log_every must be 1 or more"),
        ("ema_decay = 2.0\n" + STAGE, "ema_decay must be in"),
        ("seed = -1\n" + STAGE, "seed must be a whole number from 0"),
        ("seed = 1700000000\n" + STAGE, "seed must be a whole number from 0 to 2"),
        ("checkpoint_every = nan\n" + STAGE, "checkpoint_every must be a number of seconds, 0 or more; got nan"),
        (STAGE + "learning_rate = nan\n", "stage.learning_rate must be a number above 0; got nan"),
        (STAGE + "weight_decay = -1\n", "stage.weight_decay must be a number, 0 or more; got -1"),
        (STAGE + "final_fraction = 5\n", "stage.final_fraction must be in \\[0, 1\\]; got 5"),
        (STAGE + "no_face = 2\n", "stage.no_face must be in \\[0, 1\\]; got 2"),
        (STAGE + "geometry_strength = -0.5\n", "stage.geometry_strength must be in \\[0, 1\\]; got -0.5"),
        ("imitation = -1\n" + STAGE, "imitation must be a weight, 0 or more; got -1"),
        ("imitated_size = 100\n" + STAGE, "imitated_size must be positive multiples of 32; got 100"),
        ("imitation = 1\nimitated_size = 256\n" + STAGE, "at most the size of the crops, 128 pixels; got 256"),
        ("[loss]\njawbone = 1.0\n" + STAGE, "unknown entry 'jawbone'; the losses are landmarks"),
        ('[loss]\nwpdc = "much"\n' + STAGE, "loss.wpdc must be a number; got 'much'"),
    ],
)
def test_invalid_entries_are_named(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        load_config(written(tmp_path, text))


def test_the_error_for_an_unknown_configuration_lists_the_packaged_ones() -> None:
    with pytest.raises(ConfigError, match="tiny"):
        load_config("no-such-configuration")


@pytest.mark.parametrize(
    ("text", "old", "new"),
    [
        *((f"{old} = 1\n" + STAGE, old, new) for old, new in RUN_KEYS.items()),
        *((STAGE + f"{old} = 1\n", old, new) for old, new in STAGE_KEYS.items()),
        *((f"[loss]\n{old} = 1\n" + STAGE, old, new) for old, new in LOSSES.items()),
        (STAGE.replace("joint", "initialisation"), "initialisation", "initialization"),
    ],
)
def test_the_error_for_a_key_of_release_0_1_gives_its_new_name(tmp_path: Path, text: str, old: str, new: str) -> None:
    with pytest.raises(ConfigError, match=f"replace them by the new ones: {old!r} -> {new!r}"):
        load_config(written(tmp_path, text))


def test_the_error_for_a_single_crop_size_has_an_example_of_a_list(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"'crop_size' -> 'crop_sizes' \(crop_sizes is a list, for example \[128\]\)"):
        load_config(written(tmp_path, STAGE + "crop_size = 128\n"))


def test_the_new_names_are_keys_of_a_configuration() -> None:
    assert set(RUN_KEYS.values()) <= set(TrainingConfig.__dataclass_fields__)
    assert set(STAGE_KEYS.values()) <= set(StageConfig.__dataclass_fields__)
    assert set(LOSSES.values()) <= set(LossWeights.__dataclass_fields__)
    assert not set(RUN_KEYS) & set(TrainingConfig.__dataclass_fields__)
