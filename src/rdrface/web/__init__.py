"""The web page: static files, and the file of the face model that the page computes faces with."""

from pathlib import Path

STATIC = Path(__file__).parent / "static"
"""Folder with the files of the page; ``index.html`` is the page itself. All links are relative."""

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; media-src blob:; "
    "connect-src 'self' blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""Strictest `Content-Security-Policy` under which the page works with a server."""
