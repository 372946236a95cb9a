"""Start and stop of the server."""

import signal
import socket
import threading

import pytest

pytest.importorskip("fastapi")

from rdrface.errors import ConfigError
from rdrface.serving.server import listen, url_of
from served_aligner import SLOW, png
from server_process import form, post, read_all, running_server, status_of


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_accepted_requests_are_finished_when_the_server_stops(number):
    body, kind = form(png(SLOW))
    with running_server() as server:
        responses: list[bytes] = []

        def send() -> None:
            with server.connect() as connection:
                connection.sendall(post(body, kind))
                sent.set()
                responses.append(read_all(connection))

        sent = threading.Event()
        thread = threading.Thread(target=send)
        thread.start()
        sent.wait()
        while b"rdrface_waiting_images 1.0" not in server.exchange(
            b"GET /metrics HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"
        ):
            pass
        server.process.send_signal(number)
        thread.join()
        assert status_of(responses[0]) == 200
        assert server.process.wait(10) == 0
        with pytest.raises(OSError):
            server.connect()
        assert "Traceback" not in server.log()


def test_responses_do_not_wait_for_the_client_between_their_parts():
    with listen("127.0.0.1", 0) as listening, socket.create_connection(listening.getsockname()):
        connection, _ = listening.accept()
        with connection:
            assert connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_an_address_in_use_is_an_error_with_advice():
    with listen("127.0.0.1", 0) as listening:
        port = listening.getsockname()[1]
        assert url_of(listening) == f"http://127.0.0.1:{port}"
        with pytest.raises(ConfigError, match="--port"):
            listen("127.0.0.1", port)


@pytest.mark.parametrize("host", ["256.1.1.1", "no-such-host.invalid"])
def test_an_unknown_address_is_an_error_with_advice(host):
    with pytest.raises(ConfigError, match="--host"):
        listen(host, 0)
