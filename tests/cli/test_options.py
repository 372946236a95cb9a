"""Options that several commands share."""

import argparse
from pathlib import Path

import pytest

from rdrface.cli.options import create_folder, positive
from rdrface.errors import ConfigError


def test_whole_numbers_of_at_least_one():
    assert positive("12") == 12
    for text in ("0", "-1", "1.5", "abc", "nan", ""):
        with pytest.raises(argparse.ArgumentTypeError, match="whole number of at least 1; got"):
            positive(text)


def test_a_folder_that_cannot_be_created(tmp_path):
    create_folder(tmp_path / "a" / "b", "no advice")
    create_folder(tmp_path / "a" / "b", "no advice")
    assert (tmp_path / "a" / "b").is_dir()
    (tmp_path / "f").write_text("x")
    with pytest.raises(ConfigError, match=r"folder .*f cannot be created \(.*\); choose another"):
        create_folder(tmp_path / "f", "choose another")
    with pytest.raises(ConfigError, match=r"cannot write x\.json: its folder .*f.c cannot be created"):
        create_folder(tmp_path / "f" / "c", "choose another", Path("x.json"))
