"""Settings by source."""

import pytest

from rdrface.data.sources import check_sources, value_of
from rdrface.errors import ConfigError


def test_the_longest_entry_that_a_source_begins_with_counts() -> None:
    table = {"300w": 1.0, "300w/helen": 2.0}
    assert value_of("300w/helen/trainset", table, 0.0) == 2.0
    assert value_of("300w/afw", table, 0.0) == 1.0
    assert value_of("300w_lp/AFW", table, 0.0) == 0.0


def test_an_entry_that_fits_no_source_is_named() -> None:
    check_sources(["300w/afw", "fgnet"], {"300w": 1, "fgnet": 2}, "share")
    with pytest.raises(ConfigError, match=r"share has an entry '300w/hellen'.*300w/helen/trainset"):
        check_sources(["300w/helen/trainset"], {"300w/hellen": 1}, "share")
    with pytest.raises(ConfigError, match=r"share has an entry 'merl-rav'"):
        check_sources(["merl_rav/left"], {"merl-rav": 1}, "share")


def test_entries_of_a_set_that_was_not_read_are_passed_over() -> None:
    check_sources(["300w/helen/trainset"], {"300w_lp": 1, "fgnet": 2, "300w": 3}, "share")
