"""A small HTTP client on asyncio: it can break the rules, which clients of libraries refuse to do."""

import asyncio
import json
from dataclasses import dataclass
from typing import Any

Address = tuple[str, int]


@dataclass(frozen=True)
class Response:
    """A response; status 0 means that the connection ended before.

    Attributes:
        status: HTTP status.
        content: the JSON document; an empty dictionary if there is none.
    """

    status: int
    content: dict[str, Any]

    @property
    def code(self) -> str:
        """Code of the error of the request or of its first image; empty if there is none."""
        first = self.content.get("images", [{}])[0]
        error = self.content.get("error") or first.get("error") or {}
        return str(error.get("code", ""))


class Connection:
    """A connection that sends requests one after the other; as a context, it is closed at the end.

    Args:
        address: host and port.
    """

    def __init__(self, address: Address) -> None:
        self._address = address
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def send(self, data: bytes) -> None:
        """Send bytes; connects first if necessary.

        Raises:
            OSError: the connection is refused or closed.
        """
        if self._streams is None:
            self._streams = await asyncio.open_connection(*self._address)
        writer = self._streams[1]
        writer.write(data)
        await writer.drain()

    async def response(self) -> Response:
        """Read a response."""
        assert self._streams is not None
        reader = self._streams[0]
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
            length = int(head.partition("content-length: ")[2].partition("\r\n")[0] or 0)
            content = json.loads(await reader.readexactly(length) or b"{}")
        except (OSError, asyncio.IncompleteReadError):
            self.close()
            return Response(0, {})
        if "connection: close" in head:
            self.close()
        return Response(int(head.split(" ", 2)[1]), content)

    async def request(self, data: bytes) -> Response:
        """Send a request and read its response."""
        try:
            await self.send(data)
        except OSError:
            self.close()
            return Response(0, {})
        return await self.response()

    def close(self) -> None:
        """Close the connection at once."""
        if self._streams is not None:
            self._streams[1].transport.abort()
            self._streams = None

    def __enter__(self) -> "Connection":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def get(path: str) -> bytes:
    """A request for a path."""
    return f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode()


def post_image(content: bytes) -> bytes:
    """A request with one image, as a form."""
    boundary = b"rdrface-benchmark"
    disposition = b'Content-Disposition: form-data; name="images"; filename="image"'
    body = b"--" + boundary + b"\r\n" + disposition + b"\r\n\r\n" + content + b"\r\n--" + boundary + b"--\r\n"
    return post_head("multipart/form-data; boundary=rdrface-benchmark", len(body)) + body


def post_head(content_type: str, length: int | None) -> bytes:
    """The head of a request with images; a length of None announces a body of unknown length."""
    framing = "Transfer-Encoding: chunked" if length is None else f"Content-Length: {length}"
    return (f"POST /v1/faces HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: {content_type}\r\n{framing}\r\n\r\n").encode()
