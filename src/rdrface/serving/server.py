"""Running the server: socket, signals and the log."""

import functools
import logging
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

import uvicorn
from starlette.types import ASGIApp

from rdrface.errors import ConfigError
from rdrface.serving.connection import LimitedConnection
from rdrface.serving.limits import Limits

_KEEP_ALIVE = 5
"""Seconds for which an idle connection stays open."""

_MAX_HEAD = 64 * 1024
"""Bytes of the head of a request."""

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


@dataclass(frozen=True)
class Certificate:
    """Files for HTTPS.

    Attributes:
        certificate: PEM file of the certificate, with those between it and the root.
        key: PEM file of its private key.
    """

    certificate: Path
    key: Path


def listen(host: str, port: int) -> socket.socket:
    """Open a listening socket.

    Args:
        host: address or name.
        port: 0 for any free port.

    Raises:
        ConfigError: the address is unknown or in use, or the port needs the rights of an administrator.
    """
    try:
        family, _, _, _, address = socket.getaddrinfo(
            host.strip("[]"), port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listening = socket.create_server(address[:2], family=family, backlog=2048)
    except OSError as error:
        raise ConfigError(
            f"cannot listen on {host}, port {port} ({error.strerror or error}); choose another --host or --port"
        ) from error
    # The connections inherit it. Otherwise a response, sent as head and body, waits 40 ms for the client between them.
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listening


def url_of(listening: socket.socket, is_secure: bool = False) -> str:
    """URL of a listening socket."""
    host, port = listening.getsockname()[:2]
    return f"{'https' if is_secure else 'http'}://{f'[{host}]' if ':' in host else host}:{port}"


def serve(
    app: ASGIApp,
    listening: socket.socket,
    limits: Limits,
    stop_timeout: float,
    certificate: Certificate | None = None,
    started: Callable[[], None] = lambda: None,
) -> None:
    """Serve until SIGINT or SIGTERM, then finish the requests that were accepted.

    Args:
        app: the application.
        listening: see `listen`. It is closed.
        limits: limits of connections.
        stop_timeout: seconds for finishing the requests; those that take longer are cancelled. A second SIGINT cancels
            them at once.
        certificate: for HTTPS.
        started: is called before the first connection is accepted.

    Raises:
        ConfigError: the certificate cannot be read.
    """
    config = uvicorn.Config(
        app,
        http=functools.partial(LimitedConnection, limits=limits),  # type: ignore[arg-type]
        loop="asyncio",
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=_KEEP_ALIVE,
        timeout_graceful_shutdown=max(1, round(stop_timeout)),
        h11_max_incomplete_event_size=_MAX_HEAD,
        ssl_certfile=certificate.certificate if certificate else None,
        ssl_keyfile=certificate.key if certificate else None,
    )
    try:
        config.load()
    except OSError as error:  # ssl.SSLError is one
        raise ConfigError(f"the certificate or its key cannot be read: {error.strerror or error}") from error
    started()
    with _signals_ignored_after_exit():
        uvicorn.Server(config).run(sockets=[listening])


def log_to_stderr(has_access_log: bool) -> None:
    """Write the logs of the server to standard error, a line per entry.

    Args:
        has_access_log: whether each request is an entry, see `rdrface.serving.guard.ACCESS_LOG`.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    for name, level in (
        ("rdrface.serving", logging.INFO),
        ("rdrface.access", logging.INFO if has_access_log else logging.WARNING),
        # One warning per broken request would let strangers fill the log.
        ("uvicorn.error", logging.ERROR),
        ("python_multipart", logging.ERROR),
    ):
        logger = logging.getLogger(name)
        logger.handlers = [handler]
        logger.setLevel(level)
        logger.propagate = False


@contextmanager
def _signals_ignored_after_exit() -> Iterator[None]:
    """Handlers that do nothing, for the time after uvicorn's: it raises the signal that stopped it again at its end."""

    def ignore(number: int, frame: FrameType | None) -> None:
        return

    previous = {number: signal.signal(number, ignore) for number in _SIGNALS}
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
