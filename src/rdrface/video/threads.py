"""Work in threads before and after the tracking: reading frames ahead, and writing results behind."""

import queue
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from typing import Generic, TypeVar

Item = TypeVar("Item")

_DEPTH = 3
"""Items that wait in a queue. More does not help: the slower side determines the speed."""

_PATIENCE = 0.1
"""Seconds after which a waiting thread checks whether it has to stop."""

_JOIN = 10.0
"""Seconds to wait for a thread that reads, which can hang in a network file system."""


class _End:
    """Marks the end of the items."""


class ReadAhead(Generic[Item]):
    """Iterates over items that a thread produces. It must be closed, also when it was read to the end.

    Args:
        items: produced in the thread; an error is raised in the caller.
        depth: number of items that are produced in advance.
    """

    def __init__(self, items: Iterable[Item], depth: int = _DEPTH) -> None:
        self._items = items
        self._waiting: queue.Queue[Item | BaseException | type[_End]] = queue.Queue(depth)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._produce, name="rdrface-read-ahead", daemon=True)
        self._thread.start()

    def __iter__(self) -> Iterator[Item]:
        while True:
            item = self._waiting.get()
            if item is _End:
                return
            if isinstance(item, BaseException):
                raise item
            yield item  # type: ignore[misc]

    def close(self) -> bool:
        """End the thread.

        Returns:
            Whether it ended; it does not if reading the file hangs.
        """
        self._stop.set()
        self._thread.join(_JOIN)
        return not self._thread.is_alive()

    def _produce(self) -> None:
        try:
            for item in self._items:
                self._put(item)
                if self._stop.is_set():
                    return
            self._put(_End)
        except BaseException as error:
            self._put(error)

    def _put(self, item: Item | BaseException | type[_End]) -> None:
        while not self._stop.is_set():
            with suppress(queue.Full):
                self._waiting.put(item, timeout=_PATIENCE)
                return


class WriteBehind(Generic[Item]):
    """Passes items to a function in a thread, in order. An error of the function is raised by the next `put`.

    Args:
        function: takes one item.
        depth: number of items that wait; then `put` waits.
    """

    def __init__(self, function: Callable[[Item], None], depth: int = _DEPTH) -> None:
        self._function = function
        self._waiting: queue.Queue[Item | type[_End]] = queue.Queue(depth)
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._consume, name="rdrface-write-behind", daemon=True)
        self._thread.start()

    def put(self, item: Item) -> None:
        """Add an item.

        Raises:
            BaseException: the error of the function for an earlier item.
        """
        self._raise_error()
        self._waiting.put(item)

    def close(self) -> None:
        """Wait until all items are done.

        Raises:
            BaseException: the error of the function.
        """
        if self._thread.is_alive():
            self._waiting.put(_End)
            self._thread.join()
        self._raise_error()

    def _raise_error(self) -> None:
        error, self._error = self._error, None
        if error is not None:
            raise error

    def _consume(self) -> None:
        is_failed = False
        while (item := self._waiting.get()) is not _End:
            # After an error, items are only taken out, so that `put` does not wait forever.
            if is_failed:
                continue
            try:
                self._function(item)  # type: ignore[arg-type]
            except BaseException as error:
                self._error, is_failed = error, True
            del item
