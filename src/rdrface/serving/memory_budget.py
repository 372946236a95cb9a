"""A budget of bytes that tasks reserve and wait for, in order."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class MemoryBudget:
    """Bytes that the tasks of one event loop share. A task waits until its bytes are free, first come, first served.

    Args:
        num_bytes: the budget. A task that needs more waits until it is the only one.
    """

    def __init__(self, num_bytes: int) -> None:
        self._num_bytes = num_bytes
        self._used = 0
        self._waiting: deque[tuple[int, asyncio.Future[None]]] = deque()

    @asynccontextmanager
    async def reserved(self, num_bytes: int) -> AsyncIterator[None]:
        """Wait for some bytes of the budget and keep them during the block."""
        needed = min(num_bytes, self._num_bytes)
        await self._acquire(needed)
        try:
            yield
        finally:
            self._used -= needed
            self._wake()

    async def _acquire(self, needed: int) -> None:
        if not self._waiting and self._used + needed <= self._num_bytes:
            self._used += needed
            return
        entry = (needed, asyncio.get_running_loop().create_future())
        self._waiting.append(entry)
        try:
            await entry[1]
        except asyncio.CancelledError:
            if entry in self._waiting:
                self._waiting.remove(entry)
            elif not entry[1].cancelled():  # cancelled after `_wake` had given it its bytes
                self._used -= needed
            self._wake()
            raise

    def _wake(self) -> None:
        while self._waiting:
            needed, future = self._waiting[0]
            if not future.cancelled():
                if self._used + needed > self._num_bytes:
                    return
                self._used += needed
                future.set_result(None)
            self._waiting.popleft()
