"""One request and its response: limits of the body, and the end of the connection after a refused body."""

import asyncio
from collections.abc import Callable
from time import monotonic

from starlette.types import Message, Receive, Scope, Send

from rdrface.serving.limits import Limits
from rdrface.serving.request_errors import CLIENT_CLOSED, body_timeout, body_too_large, memory_full
from rdrface.serving.security_headers import NO_STORE, SECURITY_HEADERS

LINGER_SECONDS = 2.0
"""Time for which the rest of a refused body is read and discarded. A client that writes its whole request before it
reads would get no response if the connection were closed at once."""


class MemoryShare:
    """Bytes of bodies that all requests together may keep in memory.

    Args:
        max_bytes: the maximum.
        changed: is called with the present number of bytes.
    """

    def __init__(self, max_bytes: int, changed: Callable[[int], None]) -> None:
        self._max_bytes = max_bytes
        self._changed = changed
        self._used = 0

    def add(self, num_bytes: int) -> bool:
        """Add bytes, or remove them if negative; False if they are too many, and then nothing is added."""
        if num_bytes > 0 and self._used + num_bytes > self._max_bytes:
            return False
        self._used += num_bytes
        self._changed(self._used)
        return True


class GuardedExchange:
    """The `receive` and `send` of a request, with limits.

    Args:
        scope, receive, send: of the ASGI application.
        limits: `max_bytes` and `body_timeout` are used.
        share: counts the bytes of the body.
        request_id: is sent in the header X-Request-ID.

    Attributes:
        status: of the response; `CLIENT_CLOSED` if it was not sent.
        num_bytes: received bytes of the body.
    """

    def __init__(
        self, scope: Scope, receive: Receive, send: Send, limits: Limits, share: MemoryShare, request_id: str
    ) -> None:
        headers = dict(scope["headers"])
        length = headers.get(b"content-length", b"0")
        self.status = CLIENT_CLOSED
        self.has_started = False
        self.num_bytes = 0
        self._declared = int(length) if length.isdigit() else 0
        self._has_whole_body = self._declared == 0 and b"transfer-encoding" not in headers
        self._waits_for_permission = b"expect" in headers
        self._receive = receive
        self._send = send
        self._limits = limits
        self._share = share
        self._request_id = request_id
        self._deadline = monotonic() + limits.body_timeout

    def check_declared_size(self) -> None:
        """Refuse a body that is too large by its own account, before any of it is received.

        Raises:
            RequestError: it is.
        """
        if self._declared > self._limits.max_bytes:
            raise body_too_large(self._limits.max_bytes)

    async def receive(self) -> Message:
        """The next part of the body, or the end of the connection.

        Raises:
            RequestError: the body is too large or too slow, or the memory for bodies is full.
        """
        if self._has_whole_body:
            return await self._receive()
        try:
            async with asyncio.timeout(max(0.0, self._deadline - monotonic())):
                message = await self._next_part()
        except TimeoutError as error:
            raise body_timeout(self._limits.body_timeout) from error
        size = len(message.get("body", b""))
        if self.num_bytes + size > self._limits.max_bytes:
            raise body_too_large(self._limits.max_bytes)
        if not self._share.add(size):
            raise memory_full()
        self.num_bytes += size
        return message

    async def send(self, message: Message) -> None:
        """Send a part of the response."""
        if message["type"] == "http.response.start":
            self.has_started = True
            self.status = message["status"]
            message = {**message, "headers": self._headers(message.get("headers", []))}
        elif not self._has_whole_body and not message.get("more_body", False):
            await self._send({**message, "more_body": True})
            await self._discard_rest()
            message = {"type": "http.response.body", "body": b"", "more_body": False}
        await self._send(message)

    def close(self) -> None:
        """Give back the memory of the body."""
        self._share.add(-self.num_bytes)

    async def _next_part(self) -> Message:
        self._waits_for_permission = False
        message = await self._receive()
        if message["type"] != "http.request" or not message.get("more_body", False):
            self._has_whole_body = True
        return message

    async def _discard_rest(self) -> None:
        """Read the rest of the body for a short time, see `LINGER_SECONDS`."""
        if self._waits_for_permission:
            return
        try:
            async with asyncio.timeout(LINGER_SECONDS):
                while not self._has_whole_body:
                    await self._next_part()
        except TimeoutError:
            return

    def _headers(self, given: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
        names = {name.lower() for name, _ in given}
        added = [header for header in (*SECURITY_HEADERS, NO_STORE) if header[0] not in names]
        added.append((b"x-request-id", self._request_id.encode()))
        if not self._has_whole_body:
            added.append((b"connection", b"close"))
        return [*given, *added]
