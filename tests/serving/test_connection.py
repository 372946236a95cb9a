"""Clients that are slow, endless, broken or gone, against a server process."""

import socket
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest

pytest.importorskip("fastapi")

from served_aligner import SLOW, png
from server_process import ServerProcess, content_of, form, post, read_all, running_server, status_of, wait_until

GET = b"GET /livez HTTP/1.1\r\nHost: 127.0.0.1\r\n"


@pytest.fixture(scope="module")
def server():
    with running_server(
        max_bytes=300_000, body_timeout=1.0, header_timeout=1.0, write_timeout=1.0, max_connections=20, timeout=5.0
    ) as server:
        yield server


def metric(server: ServerProcess, name: str) -> float:
    text = server.exchange(b"GET /metrics HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n").decode()
    return float(next(line.split()[-1] for line in text.splitlines() if line.startswith(name + " ")))


@pytest.mark.parametrize("head", [b"", b"GET /li", GET])
def test_a_slow_head_is_cut_off(server, head):
    start = time.monotonic()
    with server.connect() as connection:
        connection.sendall(head)
        assert read_all(connection) == b""
    assert 0.5 < time.monotonic() - start < 5


def test_a_head_that_comes_byte_by_byte_is_cut_off_also_after_a_request(server):
    start = time.monotonic()
    with server.connect() as connection:
        connection.sendall(GET + b"\r\n")
        assert status_of(connection.recv(65536)) == 200
        with pytest.raises(OSError):
            for byte in (b"GET /livez HTTP/1.1\r\n" + b"X: y\r\n" * 100)[:200]:
                connection.sendall(bytes([byte]))
                time.sleep(0.05)
    assert time.monotonic() - start < 8


def test_a_slow_body_is_an_error(server):
    with server.connect() as connection:
        connection.sendall(post(b"{", length=1000))
        response = read_all(connection)
    assert status_of(response) == 408 and content_of(response)["error"]["code"] == "body_timeout"


def test_a_body_that_comes_byte_by_byte_is_an_error(server):
    with server.connect() as connection:
        connection.sendall(post(b"", length=1000))
        with pytest.raises(OSError):
            for _ in range(200):
                connection.sendall(b" ")
                time.sleep(0.05)


@pytest.mark.parametrize("framing", ["Content-Length: 10000000000", "Transfer-Encoding: chunked"])
def test_an_endless_body_is_refused_and_cut_off(server, framing):
    start = time.monotonic()
    with server.connect() as connection:
        head = f"POST /v1/faces HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n{framing}\r\n\r\n"
        connection.sendall(head.encode())
        with pytest.raises(OSError):
            while True:
                connection.sendall(b"10000\r\n" + b" " * 65536 + b"\r\n")
    assert time.monotonic() - start < 10
    assert metric(server, "rdrface_buffered_bytes") == 0


def test_the_whole_response_arrives_when_a_large_body_is_refused(server):
    response = server.exchange(post(b" " * 3_000_000))
    assert status_of(response) == 413 and content_of(response)["error"]["code"] == "body_too_large"


def test_a_client_that_asks_first_is_refused_at_once(server):
    start = time.monotonic()
    response = server.exchange(post(b"", "application/json", "Expect: 100-continue", length=10**9))
    assert status_of(response) == 413 and time.monotonic() - start < 1.5


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GET / HTTP/9.9.9\r\n\r\n",
        b"POST /v1/faces HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n",
        b"POST /v1/faces HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX: " + b"a" * 1_000_000 + b"\r\n\r\n",
    ],
)
def test_invalid_requests_are_errors(server, request_bytes):
    with server.connect() as connection:
        with suppress(OSError):  # the rest of a refused head is not read
            connection.sendall(request_bytes)
        response = read_all(connection)
    assert status_of(response) in (0, 400)


def test_a_client_that_does_not_read_is_disconnected(server):
    many = 2000 * (b"GET /openapi.json HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
    with server.connect() as connection:
        connection.settimeout(10)
        with pytest.raises(OSError):
            while True:
                connection.sendall(many)
    assert server.is_alive()


def test_a_client_that_reads_slowly_gets_its_whole_response(server):
    body, kind = form(png(100))
    with socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.connect(server.address)
        connection.settimeout(10)
        connection.sendall(post(body, kind))
        response = b""
        while part := connection.recv(100_000):
            response += part
            time.sleep(0.01)
    assert len(content_of(response)["images"][0]["faces"]) == 100


def test_images_of_closed_connections_are_dropped(server):
    body, kind = form(png(SLOW))
    connections = [server.connect() for _ in range(6)]
    for connection in connections:
        connection.sendall(post(body, kind))
    assert wait_until(lambda: metric(server, "rdrface_waiting_images") == 6)
    for connection in connections:
        connection.close()
    # A batch that runs is finished; those that wait are dropped.
    assert wait_until(lambda: metric(server, "rdrface_waiting_images") == 0, 6)
    small, kind = form(png())
    assert wait_until(lambda: status_of(server.exchange(post(small, kind))) == 200, 12)


def test_more_connections_than_the_limit_are_errors(server):
    connections = [server.connect() for _ in range(20)]
    time.sleep(0.2)
    response = server.exchange(GET + b"\r\n")
    for connection in connections:
        connection.close()
    assert status_of(response) == 503 and content_of(response)["error"]["code"] == "too_many_connections"
    assert wait_until(server.is_alive)


def test_honest_clients_are_served_among_hostile_ones(server):
    body, kind = form(png(2))
    with ThreadPoolExecutor(4) as honest, server.connect() as slow, server.connect() as silent:
        slow.sendall(post(b"{", length=1000))
        statuses = list(honest.map(lambda _: status_of(server.exchange(post(body, kind))), range(40)))
        silent.close()
    assert statuses == [200] * 40
    assert server.is_alive()
