"""The budget of bytes: order, large tasks and cancellation."""

import asyncio

import pytest

pytest.importorskip("fastapi")

from rdrface.serving.memory_budget import MemoryBudget


def test_tasks_wait_in_order_and_large_ones_run_alone():
    async def run() -> list[str]:
        budget, events, used = MemoryBudget(10), [], 0

        async def task(name: str, size: int) -> None:
            nonlocal used
            async with budget.reserved(size):
                used += min(size, 10)
                assert used <= 10
                events.append(name)
                await asyncio.sleep(0.01)
                used -= min(size, 10)

        async with asyncio.TaskGroup() as group:
            for name, size in (("a", 6), ("b", 6), ("c", 4), ("large", 99), ("d", 1)):
                group.create_task(task(name, size))
        return events

    assert asyncio.run(run()) == ["a", "b", "c", "large", "d"]


@pytest.mark.parametrize("is_woken_first", [False, True])
def test_a_cancelled_task_gives_its_place_and_its_bytes_to_the_next(is_woken_first):
    async def run() -> None:
        budget = MemoryBudget(10)
        first = budget.reserved(10)
        await first.__aenter__()
        waiting = asyncio.create_task(budget.reserved(10).__aenter__())
        last = asyncio.create_task(budget.reserved(10).__aenter__())
        await asyncio.sleep(0)
        if is_woken_first:
            await first.__aexit__(None, None, None)
            waiting.cancel()
        else:
            waiting.cancel()
            await asyncio.sleep(0)
            await first.__aexit__(None, None, None)
        async with asyncio.timeout(1):
            await last

    asyncio.run(run())
