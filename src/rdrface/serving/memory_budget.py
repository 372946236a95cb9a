"""A budget of bytes that tasks reserve and wait for, in order."""

import asyncio
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from typing import TypeVar

Result = TypeVar("Result")


class MemoryBudget:
    """Bytes that the tasks of one event loop share. A task waits until its bytes are free, first come, first served.

    Args:
        num_bytes: the budget. A task that needs more waits until it is the only one.
    """

    def __init__(self, num_bytes: int) -> None:
        self._num_bytes = num_bytes
        self._used = 0
        self._waiting: deque[tuple[int, asyncio.Future[None]]] = deque()

    async def run(self, num_bytes: int, start: Callable[[], Future[Result]]) -> Result:
        """Wait for some bytes of the budget, start work in another thread, and wait for it.

        The bytes are kept until the work has ended, even if this call is cancelled: a thread that has started uses its
        memory to the end.

        Args:
            num_bytes: bytes that the work needs.
            start: starts the work.
        """
        needed = min(num_bytes, self._num_bytes)
        await self._acquire(needed)
        try:
            work = start()
        except BaseException:
            self.release(needed)
            raise
        loop = asyncio.get_running_loop()

        def release(_: Future[Result]) -> None:
            with suppress(RuntimeError):  # the server has stopped
                loop.call_soon_threadsafe(self.release, needed)

        work.add_done_callback(release)
        return await asyncio.wrap_future(work)

    def release(self, num_bytes: int) -> None:
        """Give bytes back to the tasks that wait."""
        self._used -= num_bytes
        while self._waiting:
            needed, future = self._waiting[0]
            if not future.cancelled():
                if self._used + needed > self._num_bytes:
                    return
                self._used += needed
                future.set_result(None)
            self._waiting.popleft()

    async def _acquire(self, needed: int) -> None:
        if not self._waiting and self._used + needed <= self._num_bytes:
            self._used += needed
            return
        entry = (needed, asyncio.get_running_loop().create_future())
        self._waiting.append(entry)
        try:
            await entry[1]
        except asyncio.CancelledError:
            was_given = entry not in self._waiting and not entry[1].cancelled()
            if entry in self._waiting:
                self._waiting.remove(entry)
            self.release(needed if was_given else 0)
            raise
