"""Work for a client, which ends when the client closes the connection."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from starlette.requests import ClientDisconnect, Request

Result = TypeVar("Result")


async def while_connected(request: Request, work: Coroutine[Any, Any, Result]) -> Result:
    """Result of `work`, which is cancelled when the client closes the connection: nobody would read the result.

    Args:
        request: its body has been read.
        work: the work.

    Raises:
        ClientDisconnect: the client closed the connection.
    """
    working = asyncio.ensure_future(work)
    waiting = asyncio.ensure_future(_disconnection(request))
    try:
        await asyncio.wait({working, waiting}, return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            raise ClientDisconnect
        return working.result()
    finally:
        for task in (working, waiting):
            task.cancel()


async def _disconnection(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
