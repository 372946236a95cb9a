"""A budget of bytes that tasks reserve and wait for, in order."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Reservation:
    """Reserved bytes of a `MemoryBudget`.

    Args:
        budget: the budget.
        num_bytes: the bytes.
    """

    def __init__(self, budget: "MemoryBudget", num_bytes: int) -> None:
        self._budget = budget
        self._num_bytes = num_bytes

    def shrink(self, num_bytes: int) -> None:
        """Give bytes back, so that at most `num_bytes` remain."""
        released = max(0, self._num_bytes - num_bytes)
        self._num_bytes -= released
        self._budget.release(released)


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
    async def reserved(self, num_bytes: int) -> AsyncIterator[Reservation]:
        """Wait for some bytes of the budget and keep them during the block."""
        needed = min(num_bytes, self._num_bytes)
        await self._acquire(needed)
        reservation = Reservation(self, needed)
        try:
            yield reservation
        finally:
            reservation.shrink(0)

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
