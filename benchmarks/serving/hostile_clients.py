"""Clients that misuse the server, each in one way."""

import asyncio
import struct
import zlib
from collections.abc import Awaitable, Callable
from contextlib import suppress

from http_client import Address, Connection, Response, get, post_head, post_image

_JSON = "application/json"

BLOCK = b" " * 65_536


async def slow_body(address: Address) -> Response:
    """Announces a body and sends a byte a second."""
    return await _sent_slowly(address, post_head(_JSON, 100_000), b" ")


async def slow_head(address: Address) -> Response:
    """Sends a byte of the head a second."""
    return await _sent_slowly(address, b"", b"G")


async def endless_body(address: Address) -> Response:
    """Sends a body of unknown length that never ends."""
    with Connection(address) as connection:
        await connection.send(post_head(_JSON, None))
        try:
            while True:
                await connection.send(b"%x\r\n%b\r\n" % (len(BLOCK), BLOCK))
        except OSError:
            return await connection.response()


async def bomb(address: Address) -> Response:
    """A PNG of some kilobytes with 900 megapixels."""
    return await _answered(address, post_image(png_bomb(30_000, 30_000)))


async def wrong_type(address: Address) -> Response:
    """A body that is neither a form nor JSON."""
    return await _answered(address, post_head("text/plain", 5) + b"hello")


async def no_image(address: Address) -> Response:
    """A file that is no image."""
    return await _answered(address, post_image(bytes(range(256)) * 100))


async def closed_connection(address: Address) -> Response:
    """Sends a photo and closes the connection at once."""
    with Connection(address) as connection:
        await connection.send(post_image(png_bomb(100, 100)))
    return Response(0, {})


async def does_not_read(address: Address) -> Response:
    """Sends many requests and never reads a response."""
    with Connection(address) as connection, suppress(OSError):
        while True:
            await connection.send(get("/openapi.json") * 100)
    return Response(0, {})


HOSTILE: dict[str, Callable[[Address], Awaitable[Response]]] = {
    "slow body": slow_body,
    "slow head": slow_head,
    "endless body": endless_body,
    "bomb": bomb,
    "wrong type": wrong_type,
    "no image": no_image,
    "closed connection": closed_connection,
    "does not read": does_not_read,
}
"""Name of a misuse -> function that does it once."""


def png_bomb(width: int, height: int) -> bytes:
    """A small PNG file that declares this size."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(bytes(1_000_000), 9)) + chunk(b"IEND", b"")


async def _answered(address: Address, request: bytes) -> Response:
    with Connection(address) as connection:
        return await connection.request(request)


async def _sent_slowly(address: Address, start: bytes, byte: bytes) -> Response:
    with Connection(address) as connection:
        await connection.send(start or byte)
        answer = asyncio.ensure_future(connection.response())
        try:
            with suppress(OSError):
                while not answer.done():
                    await connection.send(byte)
                    await asyncio.sleep(1)
            return await answer
        finally:
            answer.cancel()
