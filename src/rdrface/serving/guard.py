"""The outermost part of the application: access, limits of bodies, security headers, metrics and the access log."""

import logging
import secrets
import time

from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from rdrface.serving.access import Access
from rdrface.serving.documents import error_content
from rdrface.serving.guarded_exchange import GuardedExchange, MemoryShare
from rdrface.serving.limits import Limits
from rdrface.serving.metrics import Metrics
from rdrface.serving.request_errors import RequestError, internal_error

ACCESS_LOG = logging.getLogger("rdrface.access")
"""One line per request: method, route, status, bytes, milliseconds and a random number. No address of the client, no
URL, no header and no name of a file, because they can identify persons."""

_LOG = logging.getLogger("rdrface.serving")

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class Guard:
    """ASGI application around the application of the server.

    Args:
        app: the application.
        access: rules of access.
        limits: limits of bodies.
        metrics: counts the requests.
    """

    def __init__(self, app: ASGIApp, access: Access, limits: Limits, metrics: Metrics) -> None:
        self._app = app
        self._access = access
        self._limits = limits
        self._metrics = metrics
        self._share = MemoryShare(limits.max_buffered_bytes, metrics.buffered_bytes.set)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See the specification of ASGI."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        start = time.perf_counter()
        request_id = secrets.token_hex(8)
        exchange = GuardedExchange(scope, receive, send, self._limits, self._share, request_id)
        try:
            await self._answer(scope, exchange, request_id)
        finally:
            exchange.close()
            seconds = time.perf_counter() - start
            endpoint = _endpoint(scope)
            self._metrics.request_finished(endpoint, exchange.status, seconds)
            ACCESS_LOG.info(
                "%s %s %d bytes=%d ms=%.0f id=%s",
                scope["method"] if scope["method"] in _METHODS else "other",
                endpoint,
                exchange.status,
                exchange.num_bytes,
                1000 * seconds,
                request_id,
            )

    async def _answer(self, scope: Scope, exchange: GuardedExchange, request_id: str) -> None:
        try:
            self._access.check(scope["method"], scope["path"], Headers(scope=scope))
            exchange.check_declared_size()
            await self._app(scope, exchange.receive, exchange.send)
        except RequestError as error:
            await _send_error(error, scope, exchange)
        except ClientDisconnect:
            return
        except Exception:
            _LOG.exception("request %s failed", request_id)
            await _send_error(internal_error(), scope, exchange)


async def _send_error(error: RequestError, scope: Scope, exchange: GuardedExchange) -> None:
    if exchange.has_started:
        return
    response = JSONResponse(error_content(error.code, error.message), error.status, error.headers)
    await response(scope, exchange.receive, exchange.send)


def _endpoint(scope: Scope) -> str:
    """Template of the route of a request: never the path, which a client chooses."""
    route = scope.get("route")
    if route is None:
        return "other"
    return str(route.path) if route.include_in_schema else "page"
