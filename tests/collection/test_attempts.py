"""Photos that end the process are found and left out; kills of a whole run are no reason."""

import pytest

from rdrface.collection import attempts
from rdrface.collection.attempts import Attempts
from rdrface.errors import DataError


def start(path, *photos: int, run: str = "run") -> Attempts:
    """A process that ends after these photos."""
    one = Attempts(path, run)
    for photo in photos:
        one.at(photo)
    return one


def test_a_photo_at_which_two_processes_end_is_left_out(tmp_path):
    path = tmp_path / "a"
    start(path, 0, 1, 2)  # not noted: nearly all chunks are started once
    assert path.read_text() == "run\nstart\n"
    start(path, 0, 1, 2)
    assert start(path, 0, 1, 2).excluded == set()
    assert start(path, 0, 1, 2, 3, 4).excluded == {2}
    assert start(path, 0, 1, 2, 3, 4).excluded == {2}
    last = start(path, 0, 1, 2, 3, 4, 5)
    assert last.excluded == {2, 4}
    last.finish()
    assert not path.exists()


def test_ends_at_different_photos_are_a_coincidence(tmp_path):
    for photo in range(10):
        assert start(tmp_path / "a", *range(photo + 1)).excluded == set()


def test_kills_of_whole_runs_do_not_count(tmp_path):
    for run in "abcdefg":
        assert start(tmp_path / "a", 0, 1, run=run).excluded == set()


def test_a_chunk_is_not_started_forever(tmp_path, monkeypatch):
    monkeypatch.setattr(attempts, "_MAX_STARTS", 5)
    for photo in range(5):
        start(tmp_path / "a", photo)
    with pytest.raises(DataError, match=r"5 processes ended .* smaller number of --workers"):
        start(tmp_path / "a")
