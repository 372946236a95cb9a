"""Threads that read ahead and write behind: order, errors, and their end."""

import threading

import pytest

from rdrface.video.threads import ReadAhead, WriteBehind


def test_items_arrive_in_order_and_an_error_after_the_items_before_it():
    def items():
        yield from range(10)
        raise KeyError("eleven")

    ahead = ReadAhead(items())
    found = []
    with pytest.raises(KeyError, match="eleven"):
        found.extend(iter(ahead))
        for item in ahead:
            found.append(item)
    assert ahead.close()


def test_a_reader_that_is_closed_early_ends():
    before = threading.active_count()
    ahead = ReadAhead(iter(range(1_000_000)))
    assert next(iter(ahead)) == 0
    assert ahead.close() and threading.active_count() == before


def test_writing_keeps_the_order_and_is_complete_after_close():
    written = []
    writing = WriteBehind(written.append)
    for i in range(100):
        writing.put(i)
    writing.close()
    writing.close()
    assert written == list(range(100))


def test_an_error_while_writing_reaches_the_caller_and_blocks_nothing():
    def fail(item):
        if item == 2:
            raise OSError("full")

    writing = WriteBehind(fail)
    with pytest.raises(OSError, match="full"):
        for i in range(1000):
            writing.put(i)
    writing.close()
    writing = WriteBehind(fail)
    writing.put(2)
    with pytest.raises(OSError, match="full"):
        writing.close()
