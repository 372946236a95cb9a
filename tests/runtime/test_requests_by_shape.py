"""OpenVINO requests by input shape."""

import numpy as np
import pytest

from rdrface.detection.retinaface import weights
from rdrface.runtime import requests_by_shape
from rdrface.runtime.session import OpenVINOSession


@pytest.fixture
def session() -> OpenVINOSession:
    return OpenVINOSession(weights(), threads=1)


def inputs(*sizes: tuple[int, int]) -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    return [rng.uniform(-100, 100, (1, 3, *size)).astype(np.float32) for size in sizes]


def test_alternating_shapes_get_requests_of_their_own(session):
    images = inputs((96, 96), (128, 160))
    first = [session.run(image) for image in images]
    before = {session._requests.request(image.shape) for image in images}
    for _ in range(5):
        results = [session.run(image) for image in images]
    assert len(before) == 1
    assert len({session._requests.request(image.shape) for image in images}) == 2
    for old, new in zip(first, results, strict=True):
        for name in old:
            np.testing.assert_allclose(new[name], old[name], atol=1e-3)


def test_shapes_that_come_once_do_not(session):
    images = inputs(*((64, 64 + 32 * i) for i in range(8)))
    for image in images:
        session.run(image)
    assert {session._requests.request(image.shape) for image in images} == {session._requests._any_shape}


def test_the_number_of_requests_is_bounded(session, monkeypatch):
    monkeypatch.setattr(requests_by_shape, "MAX_SHAPES", 2)
    images = inputs(*((64, 64 + 32 * i) for i in range(4)))
    for _ in range(6):
        for image in images:
            session.run(image)
    assert len({session._requests.request(image.shape) for image in images}) == 3


def test_after_a_reset_results_are_those_after_loading(session):
    images = inputs((96, 96), (128, 160)) * 8
    first = [session.run(image) for image in images]
    assert len(session._requests._by_shape) == 2, "the graph must be compiled for both shapes"
    session.reset()
    assert {session._requests.request(image.shape) for image in images[:2]} == {session._requests._any_shape}
    session.reset()
    for old, new in zip(first, [session.run(image) for image in images], strict=True):
        for name in old:
            np.testing.assert_array_equal(new[name], old[name])


def test_shapes_of_an_earlier_choice_are_replaced(session, monkeypatch):
    monkeypatch.setattr(requests_by_shape, "MAX_SHAPES", 2)
    for sizes in ((64, 96), (128, 160)):
        images = inputs(*((64, size) for size in sizes))
        for image in images * 6:
            session.run(image)
        assert set(session._requests._by_shape) == {image.shape for image in images}
        assert len(session._requests._compiled) == 2
        session.reset()
