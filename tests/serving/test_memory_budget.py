"""The budget of bytes: order, large tasks and cancellation."""

import asyncio
import time
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Lock

import pytest

pytest.importorskip("fastapi")

from rdrface.serving.memory_budget import MemoryBudget


def test_tasks_wait_in_order_and_large_ones_run_alone():
    async def run() -> list[str]:
        budget, events, used, lock = MemoryBudget(10), [], 0, Lock()

        def work(name: str, size: int) -> None:
            nonlocal used
            with lock:
                used += min(size, 10)
                assert used <= 10
                events.append(name)
            time.sleep(0.01)
            with lock:
                used -= min(size, 10)

        with ThreadPoolExecutor(8) as pool:
            async with asyncio.TaskGroup() as group:
                for name, size in (("a", 6), ("b", 6), ("c", 4), ("large", 99), ("d", 1)):
                    group.create_task(budget.run(size, lambda name=name, size=size: pool.submit(work, name, size)))
        return events

    events = asyncio.run(run())
    assert events[0] == "a" and sorted(events[1:3]) == ["b", "c"] and events[3:] == ["large", "d"]


@pytest.mark.parametrize("is_woken_first", [False, True])
def test_a_cancelled_task_gives_its_place_and_its_bytes_to_the_next(is_woken_first):
    async def run() -> None:
        budget = MemoryBudget(10)
        works: list[Future[int]] = [Future(), Future(), Future()]
        first, waiting, last = (asyncio.create_task(budget.run(10, lambda work=work: work)) for work in works)
        await asyncio.sleep(0)
        if is_woken_first:
            works[0].set_result(0)
            await first
            waiting.cancel()
        else:
            waiting.cancel()
            await asyncio.sleep(0)
            works[0].set_result(0)
        works[2].set_result(2)
        async with asyncio.timeout(1):
            assert await last == 2

    asyncio.run(run())


def test_the_bytes_of_cancelled_work_are_kept_until_its_thread_has_ended():
    async def run() -> None:
        budget, started = MemoryBudget(10), []
        running: Future[None] = Future()
        running.set_running_or_notify_cancel()
        cancelled = asyncio.create_task(budget.run(10, lambda: running))
        await asyncio.sleep(0)
        cancelled.cancel()

        def start() -> Future[None]:
            started.append(True)
            work: Future[None] = Future()
            work.set_result(None)
            return work

        following = asyncio.create_task(budget.run(1, start))
        await asyncio.sleep(0.05)
        assert cancelled.cancelled() and not started
        running.set_result(None)
        async with asyncio.timeout(1):
            await following
        assert started

    asyncio.run(run())


def test_the_bytes_are_free_if_the_work_cannot_be_started():
    async def run() -> None:
        budget = MemoryBudget(10)
        with pytest.raises(ZeroDivisionError):
            await budget.run(10, lambda: 1 / 0)
        work: Future[int] = Future()
        work.set_result(3)
        async with asyncio.timeout(1):
            assert await budget.run(10, lambda: work) == 3

    asyncio.run(run())
