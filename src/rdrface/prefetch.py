"""Calling a function on items in a few threads, ahead of the code that uses the results."""

import os
from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

MAX_THREADS = 4
"""Maximum number of threads that decode images. Four decode photos of 12 megapixels faster than faces are found."""


def prefetch(
    function: Callable[[Item], Result],
    items: Iterable[Item],
    runs_ahead: Callable[[Item], bool],
    size: Callable[[Result], int],
    max_bytes: int,
) -> Generator[tuple[Item, Future[Result]], None, None]:
    """Call a function on each item, in threads that run a few items ahead.

    Close the iterator when it is not used to its end, so that its threads stop.

    Args:
        function: called once per item. Several threads call it at the same time.
        items: taken one by one by the thread that uses the iterator, at most ``2 * MAX_THREADS`` items ahead.
        runs_ahead: whether the function may be called in another thread. For other items it is called when their turn
            comes, in the thread that uses the iterator, and no further item is taken before.
        size: memory of a result, bytes.
        max_bytes: no further item is taken while finished results that wait for their turn need more memory. Each
            thread can exceed this by one result.

    Yields:
        Each item with its finished `Future`, in the order of `items`. An error of the function is raised by the
        future's `result`.
    """
    num_threads = min(MAX_THREADS, os.cpu_count() or 1)
    remaining = iter(items)
    waiting: deque[tuple[Item, Future[Result] | None]] = deque()
    with ThreadPoolExecutor(num_threads, thread_name_prefix="rdrface-prefetch") as executor:
        try:
            is_exhausted = False
            while waiting or not is_exhausted:
                while not is_exhausted and _has_room(waiting, size, max_bytes, 2 * num_threads):
                    try:
                        item = next(remaining)
                    except StopIteration:
                        is_exhausted = True
                    else:
                        waiting.append((item, executor.submit(function, item) if runs_ahead(item) else None))
                if waiting:
                    item, future = waiting.popleft()
                    yield item, _called(function, item) if future is None else _finished(future)
                    # Otherwise this frame would keep the last result in memory while the next ones are awaited.
                    del item, future
        finally:
            for _, future in waiting:
                if future is not None:
                    future.cancel()


def _has_room(
    waiting: deque[tuple[Item, Future[Result] | None]], size: Callable[[Result], int], max_bytes: int, max_items: int
) -> bool:
    futures = [future for _, future in waiting]
    if len(futures) >= max_items or None in futures:
        return False
    done = [future for future in futures if future is not None and future.done() and future.exception() is None]
    return sum(size(future.result()) for future in done) <= max_bytes


def _finished(future: Future[Result]) -> Future[Result]:
    future.exception()  # waits
    return future


def _called(function: Callable[[Item], Result], item: Item) -> Future[Result]:
    future: Future[Result] = Future()
    try:
        future.set_result(function(item))
    except Exception as error:
        future.set_exception(error)
    return future
