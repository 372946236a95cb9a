"""A server in a process of its own, and requests as raw bytes, which may break the rules of HTTP."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import rdrface

SHARED = Path(__file__).parent


class ServerProcess:
    """A running server.

    Args:
        process: prints its URL on standard output.
    """

    def __init__(self, process: subprocess.Popen) -> None:
        self.process = process
        self.url = process.stdout.readline().strip()
        self.address = (urlsplit(self.url).hostname, urlsplit(self.url).port)
        self._log: list[str] = []
        # A full pipe would stop the server.
        self._reading = threading.Thread(target=lambda: self._log.extend(process.stderr))
        self._reading.start()

    def connect(self) -> socket.socket:
        return socket.create_connection(self.address, timeout=20)

    def is_alive(self) -> bool:
        return status_of(self.exchange(b"GET /readyz HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")) == 200

    def exchange(self, request: bytes) -> bytes:
        """Send a request and read until the server closes the connection."""
        with self.connect() as connection:
            connection.sendall(request)
            return read_all(connection)

    def terminate(self) -> None:
        self.process.send_signal(signal.SIGTERM)

    def log(self) -> str:
        """Standard error; waits for the end of the process."""
        self._reading.join()
        return "".join(self._log)


@contextmanager
def running_server(**limits: float):
    """A server with `ServedAligner` and these `Limits`."""
    with _started([sys.executable, str(SHARED / "served_aligner.py"), json.dumps(limits)]) as server:
        yield server


@contextmanager
def _started(words: list[str]):
    paths = [str(Path(rdrface.__file__).parents[1]), str(SHARED), os.environ.get("PYTHONPATH", "")]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))}
    process = subprocess.Popen(
        words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment, start_new_session=True
    )
    server = ServerProcess(process)
    try:
        yield server
    finally:
        process.kill()
        process.wait()
        server.log()
        process.stdout.close()
        process.stderr.close()


def post(body: bytes, content_type: str = "application/json", *more: str, length: int | None = None) -> bytes:
    """A request to /v1/faces that closes the connection."""
    head = [
        "POST /v1/faces HTTP/1.1",
        "Host: 127.0.0.1",
        "Connection: close",
        f"Content-Type: {content_type}",
        f"Content-Length: {len(body) if length is None else length}",
        *more,
    ]
    return "\r\n".join(head).encode() + b"\r\n\r\n" + body


def form(*files: bytes, boundary: str = "border") -> tuple[bytes, str]:
    """Body and content type of a form with files."""
    parts = b"".join(
        f'--{boundary}\r\nContent-Disposition: form-data; name="images"; filename="f{i}"\r\n\r\n'.encode()
        + file
        + b"\r\n"
        for i, file in enumerate(files)
    )
    return parts + f"--{boundary}--\r\n".encode(), f"multipart/form-data; boundary={boundary}"


def read_all(connection: socket.socket) -> bytes:
    """What the server sends until it closes the connection."""
    received = b""
    try:
        while part := connection.recv(65536):
            received += part
    except ConnectionResetError:
        pass
    return received


def status_of(response: bytes) -> int:
    """HTTP status; 0 if there is no response."""
    return int(response.split(b" ", 2)[1]) if response.startswith(b"HTTP/1.1 ") else 0


def content_of(response: bytes) -> dict:
    """The JSON document of a response."""
    return json.loads(response.partition(b"\r\n\r\n")[2])


def wait_until(condition, seconds: float = 10.0) -> bool:
    """Whether a condition becomes true in time."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True
