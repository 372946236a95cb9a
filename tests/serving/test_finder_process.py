"""Finders that are processes: results, errors, and processes that end."""

import os
import signal
from dataclasses import replace
from functools import partial

import pytest

pytest.importorskip("fastapi")

from rdrface.errors import ConfigError, DataError
from rdrface.serving.decoding import check_image
from rdrface.serving.face_finder import Failed, FoundFaces
from rdrface.serving.finder_process import FinderProcess
from rdrface.serving.request_errors import ImageRefused
from served_aligner import DYING, FAILING, ServedAligner, png


def images(*reds: int) -> list:
    return [check_image(png(red), 1_000_000) for red in reds]


def fail_to_open() -> None:
    raise ConfigError("no such weights")


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


@pytest.fixture(scope="module")
def finder():
    finder = FinderProcess(ServedAligner, max_faces=5)
    yield finder
    finder.stop()


def test_outcomes_are_those_of_the_images(finder):
    truncated = check_image(png(1, (200, 200)), 1_000_000)
    truncated = replace(truncated, content=truncated.content[:60])
    two, none, many, damaged, failed = finder.find([*images(2, 0, 9), truncated, *images(FAILING)])
    assert isinstance(two, FoundFaces) and len(two.faces) == 2 and (two.width, two.height) == (32, 24)
    assert isinstance(none, FoundFaces) and none.faces == []
    assert isinstance(many, ImageRefused) and many.code == "too_many_faces" and "more than 5 faces" in many.message
    assert isinstance(damaged, ImageRefused) and damaged.code == "damaged_image"
    assert isinstance(failed, Failed) and "secret of the machine" in failed.reason
    assert finder.ready().crop_size == ServedAligner.crop_size


@pytest.mark.skipif(os.name == "nt", reason="kills processes with signals")
def test_a_process_that_ends_is_replaced_and_only_its_image_fails(finder, caplog):
    one, dying, two = finder.find(images(1, DYING, 2))
    assert isinstance(one, FoundFaces) and isinstance(two, FoundFaces) and len(two.faces) == 2
    assert isinstance(dying, Failed) and "two processes ended" in dying.reason
    assert "a worker process ended (signal 9) and is replaced" in caplog.text
    assert len(finder.find(images(3))[0].faces) == 3


def test_errors_of_the_start_are_raised():
    for opener, error, text in (
        (fail_to_open, ConfigError, "no such weights"),
        (die, DataError, r"3 worker processes ended \(signal 9\) before the network was open"),
    ):
        finder = FinderProcess(partial(opener), max_faces=5)
        with pytest.raises(error, match=text):
            finder.ready()
        finder.stop()
