"""The web page and its face model, from the package `rdrface.web`."""

import hashlib
import importlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from starlette.requests import Request
from starlette.responses import Response

MISSING_PAGE = b"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>rdrface</title></head>
<body><h1>rdrface</h1><p>The server is running. Its web page is not installed.</p>
<p><a href="docs">Description of the API</a></p></body></html>
"""

_MEDIA_TYPES = {
    ".bin": "application/octet-stream",
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".ico": "image/x-icon",
    ".jpg": "image/jpeg",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".mjs": "text/javascript; charset=utf-8",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".wasm": "application/wasm",
    ".webmanifest": "application/manifest+json",
    ".webp": "image/webp",
    ".woff2": "font/woff2",
}
"""Suffix -> media type. Python's `mimetypes` depends on the system, and browsers refuse scripts of other types."""


@dataclass(frozen=True)
class StaticFile:
    """A file in memory that browsers may keep, but check again before each use.

    Attributes:
        content: its bytes.
        media_type: for the header Content-Type.
    """

    content: bytes
    media_type: str

    def response(self, request: Request) -> Response:
        """The file, or 304 if the client has it."""
        etag = f'"{hashlib.sha256(self.content).hexdigest()[:32]}"'
        headers = {"ETag": etag, "Cache-Control": "no-cache"}
        if etag in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=headers)
        return Response(self.content, headers=headers, media_type=self.media_type)


class WebPage:
    """The files of the page, read once. A URL only selects one of them, so it can never be the path of another file.

    Args:
        files: path in the URL without the first slash -> file; "" is the page.
        face_model: file of the face model; None if the page is not installed.
    """

    def __init__(self, files: dict[str, StaticFile], face_model: StaticFile | None) -> None:
        self.files = files
        self.face_model = face_model

    @classmethod
    def installed(cls) -> "WebPage":
        """The page of the package `rdrface.web`, or a short page if that is not installed."""
        package = _package()
        if package is None:
            return cls({"": StaticFile(MISSING_PAGE, "text/html; charset=utf-8")}, None)
        files = dict(_read(Path(package.STATIC)))
        if "index.html" in files:
            files[""] = files["index.html"]
        content = importlib.import_module("rdrface.web.face_model").packaged_face_model_file()
        return cls(files, StaticFile(content, "application/octet-stream"))


def _package() -> ModuleType | None:
    try:
        return importlib.import_module("rdrface.web")
    except ModuleNotFoundError as error:
        if error.name != "rdrface.web":
            raise
        return None


def _read(folder: Path) -> Iterator[tuple[str, StaticFile]]:
    for path in sorted(folder.rglob("*")):
        parts = path.relative_to(folder).parts
        if path.is_file() and not any(part.startswith((".", "__")) for part in parts):
            media_type = _MEDIA_TYPES.get(path.suffix.lower(), "application/octet-stream")
            yield "/".join(parts), StaticFile(path.read_bytes(), media_type)
