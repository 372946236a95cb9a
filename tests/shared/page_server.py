"""A small server of the web page, for tests: the files, the face model, and POST v1/faces with the real aligner."""

import email.parser
import email.policy
import json
import mimetypes
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path

from PIL import Image

import rdrface
from rdrface.errors import ImageError
from rdrface.image import read_image
from rdrface.web import CONTENT_SECURITY_POLICY, STATIC
from rdrface.web.face_model import packaged_face_model_file

MAX_BYTES = 3_000_000


class PageHandler(BaseHTTPRequestHandler):
    """Answers like `rdrface serve`, as far as the page needs it."""

    aligner: rdrface.Aligner
    root: Path = STATIC
    policy = CONTENT_SECURITY_POLICY

    def do_GET(self) -> None:
        """A file of the page, or the face model."""
        name = self.path.split("?")[0].lstrip("/") or "index.html"
        if name == "v1/model":
            self._answer(200, packaged_face_model_file(), "application/octet-stream")
            return
        path = (self.root / name).resolve()
        if not path.is_relative_to(self.root.resolve()) or not path.is_file():
            self._error(404, "not_found", "there is no such file")
            return
        self._answer(200, path.read_bytes(), mimetypes.guess_type(name)[0] or "application/octet-stream")

    def do_POST(self) -> None:
        """The faces of an image."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if len(body) > MAX_BYTES:
            self._error(413, "too_large", "The photo has more than 3 MB. Send a smaller one.")
            return
        message = email.parser.BytesParser(policy=email.policy.default).parsebytes(
            b"Content-Type: " + self.headers["Content-Type"].encode() + b"\r\n\r\n" + body
        )
        (part,) = message.iter_parts()
        try:
            pixels = read_image(Image.open(BytesIO(part.get_payload(decode=True))))
        except ImageError:
            self._error(422, "damaged_image", "the image is damaged or truncated; save it again")
            return
        except OSError:
            self._error(422, "bad_image", "The file is not an image.")
            return
        faces = [face.to_dict() for face in self.aligner.detect(pixels)]
        image = {"width": pixels.shape[1], "height": pixels.shape[0], "faces": faces, "error": None}
        self._answer(200, json.dumps({"images": [image], "model": {}}).encode(), "application/json")

    def log_message(self, *_: object) -> None:
        """No log."""

    def _error(self, status: int, code: str, message: str) -> None:
        self._answer(status, json.dumps({"error": {"code": code, "message": message}}).encode(), "application/json")

    def _answer(self, status: int, body: bytes, kind: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Content-Security-Policy", self.policy)
        self.send_header("X-Content-Type-Options", "nosniff")
        self.end_headers()
        self.wfile.write(body)


@contextmanager
def serving_page(root: Path = STATIC, policy: str = CONTENT_SECURITY_POLICY) -> Iterator[str]:
    """Serve the page on a free port of this computer; yields its address."""
    handler = type("Handler", (PageHandler,), {"aligner": rdrface.load(), "root": root, "policy": policy})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/"
    finally:
        server.shutdown()
        server.server_close()


if __name__ == "__main__":
    with serving_page() as address:
        print(address, flush=True)
        threading.Event().wait()
