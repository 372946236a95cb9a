"""Timings of `rdrface bench`."""

import time

import pytest

from exported import weights_file
from rdrface.evaluation.speed import measure_speed
from rdrface.face import Face


def test_the_first_call_of_the_mesh_is_not_timed(monkeypatch: pytest.MonkeyPatch) -> None:
    mesh, calls = Face.mesh, []

    def slow_at_first(face: Face) -> object:
        calls.append(face)
        if len(calls) == 1:
            time.sleep(1)
        return mesh(face)

    monkeypatch.setattr(Face, "mesh", slow_at_first)
    assert measure_speed(1, weights_file(), repeats=1).mesh_ms < 900
    assert len(calls) == 2
