"""Clients of the server with an aligner that needs no network."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

pytest.importorskip("fastapi")

from fastapi.testclient import TestClient

from rdrface.serving.access import Access
from rdrface.serving.app import create_app
from rdrface.serving.face_finder import FaceFinder
from rdrface.serving.limits import Limits
from served_aligner import ServedAligner


@pytest.fixture
def aligner() -> ServedAligner:
    return ServedAligner()


@pytest.fixture
def client_with(aligner: ServedAligner) -> Iterator[Callable[..., TestClient]]:
    """Function that makes a client of a new server: ``client_with(access=Access(), max_bytes=100)``."""
    with ExitStack() as stack:

        def make(access: Access | None = None, **limits: float) -> TestClient:
            chosen = Limits(**limits)
            app = create_app([FaceFinder(aligner, chosen.max_faces)], chosen, access)
            return stack.enter_context(TestClient(app, base_url="http://127.0.0.1"))

        yield make


@pytest.fixture
def client(client_with: Callable[..., TestClient]) -> TestClient:
    return client_with()
