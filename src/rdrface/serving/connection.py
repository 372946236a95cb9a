"""HTTP connections with limits of time, which uvicorn does not have: slow heads, and clients that do not read."""

import asyncio
import json
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol

from rdrface.serving.documents import error_content
from rdrface.serving.limits import Limits

_FULL = json.dumps(
    error_content("too_many_connections", "the server has as many connections as it may (--max-connections); try later")
).encode()
_FULL_RESPONSE = (
    b"HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json\r\nRetry-After: 1\r\nConnection: close\r\n"
    b"Content-Length: %d\r\n\r\n%b" % (len(_FULL), _FULL)
)


class LimitedConnection(H11Protocol):
    """A connection that is closed if a client is too slow.

    - The head of a request must arrive within `header_timeout`, also if it comes byte by byte.
    - A client that reads nothing of its response for `write_timeout` is disconnected.
    - More than `max_connections` are answered with 503.

    Args:
        limits: the limits.
        arguments: those of uvicorn.
    """

    def __init__(self, *, limits: Limits, **arguments: Any) -> None:
        super().__init__(**arguments)
        self._limits = limits
        self._header_timer: asyncio.TimerHandle | None = None
        self._write_timer: asyncio.TimerHandle | None = None
        self._num_unsent = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """See `asyncio.Protocol`."""
        super().connection_made(transport)
        if len(self.connections) > self._limits.max_connections:
            transport.write(_FULL_RESPONSE)
            transport.close()
            self._limit_writing()
        else:
            self._limit_header()

    def data_received(self, data: bytes) -> None:
        """See `asyncio.Protocol`."""
        super().data_received(data)
        self._limit_header()

    def on_response_complete(self) -> None:
        """Is called when the response has been given to the transport."""
        super().on_response_complete()
        self._limit_header()
        self._limit_writing()

    def pause_writing(self) -> None:
        """See `asyncio.Protocol`."""
        super().pause_writing()
        self._limit_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        """See `asyncio.Protocol`."""
        super().connection_lost(exc)
        self._stop_header_timer()
        self._stop_write_timer()

    def _limit_header(self) -> None:
        """Start the timer of the head if no request is in progress, and stop it otherwise."""
        if self.cycle is not None and not self.cycle.response_complete:
            self._stop_header_timer()
        elif self._header_timer is None:
            self._header_timer = self.loop.call_later(self._limits.header_timeout, self._end_header)

    def _end_header(self) -> None:
        self._header_timer = None
        if self.transport.get_write_buffer_size() > 0:  # the client still reads the last response
            self._limit_header()
        else:
            self.transport.abort()

    def _limit_writing(self) -> None:
        """Start the timer of the response, if it does not run and something is unsent."""
        self._num_unsent = self.transport.get_write_buffer_size()
        if self._write_timer is None and self._num_unsent > 0:
            self._write_timer = self.loop.call_later(self._limits.write_timeout, self._end_writing)

    def _end_writing(self) -> None:
        self._write_timer = None
        if 0 < self._num_unsent <= self.transport.get_write_buffer_size():
            self.transport.abort()
        else:
            self._limit_writing()

    def _stop_header_timer(self) -> None:
        if self._header_timer is not None:
            self._header_timer.cancel()
            self._header_timer = None

    def _stop_write_timer(self) -> None:
        if self._write_timer is not None:
            self._write_timer.cancel()
            self._write_timer = None
