"""Calling a function ahead in threads: order, errors, memory, and items that must not be taken ahead."""

import threading
import time
from contextlib import closing

import pytest

from rdrface.prefetch import MAX_THREADS, prefetch


def prefetched(function, items, runs_ahead=lambda item: True, max_bytes=10**9):
    return prefetch(function, items, runs_ahead, lambda result: 1, max_bytes)


def test_results_have_the_order_of_the_items():
    def slow_if_even(item):
        time.sleep(0.02 * (item % 2 == 0))
        return 10 * item

    assert [(item, future.result()) for item, future in prefetched(slow_if_even, range(12))] == [
        (item, 10 * item) for item in range(12)
    ]
    assert list(prefetched(slow_if_even, [])) == []


def test_an_error_belongs_to_its_item():
    def divide(item):
        return 6 // item

    for runs_ahead in (True, False):
        futures = dict(prefetched(divide, [3, 0, 2], lambda item, value=runs_ahead: value))
        assert (futures[3].result(), futures[2].result()) == (2, 3)
        with pytest.raises(ZeroDivisionError):
            futures[0].result()


def test_few_items_are_taken_ahead():
    taken = []
    with closing(prefetched(lambda item: item, (taken.append(i) or i for i in range(1000)))) as results:
        for i, _ in results:
            assert len(taken) <= i + 2 * MAX_THREADS
            if i == 50:
                break


def test_no_item_is_taken_while_the_waiting_results_fill_the_memory():
    taken = []
    results = prefetched(lambda item: item, (taken.append(i) or i for i in range(100)), max_bytes=0)
    with closing(results):
        for i, _ in results:
            time.sleep(0.01)
            assert len(taken) <= i + 1 + 2 * MAX_THREADS
        assert len(taken) == 100


def test_some_items_are_processed_by_the_calling_thread_when_their_turn_comes():
    taken, threads = [], []

    def function(item):
        threads.append(threading.current_thread() is threading.main_thread())
        return item

    for i, _ in prefetched(function, (taken.append(i) or i for i in range(9)), lambda item: False):
        assert len(taken) == i + 1
    assert threads == [True] * 9


def test_closing_ends_the_threads():
    results = prefetched(lambda item: time.sleep(0.01), range(100))
    next(results)
    results.close()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("rdrface-prefetch")]
