"""Settings per source."""

import pytest

from rdrface.datasets.sources import check_sources, value_of
from rdrface.errors import ConfigError


def test_the_longest_match_is_used() -> None:
    table = {"300w": 1.0, "300w/helen": 2.0}
    assert value_of("300w/helen/trainset", table, 0.0) == 2.0
    assert value_of("300w/afw", table, 0.0) == 1.0
    assert value_of("300w_lp/AFW", table, 0.0) == 0.0


def test_an_entry_without_a_match_is_refused() -> None:
    check_sources(["300w/afw", "fgnet"], {"300w": 1, "fgnet": 2}, "share")
    with pytest.raises(ConfigError, match=r"share has an entry 'merl-rav'.*merl_rav/left"):
        check_sources(["merl_rav/left"], {"merl-rav": 1}, "share")


def test_unused_entries_of_known_datasets_are_reported(capsys: pytest.CaptureFixture[str]) -> None:
    check_sources(["300w/helen/trainset"], {"300w": 3}, "share")
    assert capsys.readouterr().err == ""
    check_sources(["300w/mine"], {"300w_lp": 1, "300w/hellen": 2}, "share")
    assert capsys.readouterr().err.splitlines() == [
        "share: no faces are from '300w_lp'; this entry is not used",
        "share: no faces are from '300w/hellen'; this entry is not used",
    ]
