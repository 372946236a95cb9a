"""A limit of time for the work of a request."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from rdrface.serving.request_errors import timed_out

Result = TypeVar("Result")


async def within(seconds: float, work: Coroutine[Any, Any, Result]) -> Result:
    """Result of `work`, which is cancelled after some seconds.

    Raises:
        RequestError: the work was not finished in time.
    """
    try:
        async with asyncio.timeout(seconds):
            return await work
    except TimeoutError as error:
        raise timed_out(seconds) from error
