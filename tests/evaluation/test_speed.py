"""Timings of `rdrface bench`."""

import time
from dataclasses import fields

import pytest

from rdrface.evaluation.speed import measure_speed, sample_image, speed_table
from rdrface.evaluation.start_up import measure_start_up
from rdrface.face import Face
from rdrface.loading import PACKAGED_WEIGHTS


def test_the_first_call_of_the_mesh_is_not_timed(monkeypatch: pytest.MonkeyPatch) -> None:
    mesh, calls = Face.mesh, []

    def slow_at_first(face: Face) -> object:
        calls.append(face)
        if len(calls) == 1:
            time.sleep(1)
        return mesh(face)

    monkeypatch.setattr(Face, "mesh", slow_at_first)
    assert measure_speed(1, PACKAGED_WEIGHTS, repeats=1).mesh_ms < 900
    assert len(calls) == 2


def test_the_table_has_every_measurement() -> None:
    result = measure_speed(1, PACKAGED_WEIGHTS, repeats=1, backend="onnxruntime")
    assert 0 < result.import_s < result.load_s < result.start_s
    assert result.batch_ms > 0 and result.network_ms > 0
    lines = speed_table([result, result]).splitlines()
    assert len(lines) == len(fields(result))
    assert all(len(line) == len(lines[0]) for line in lines)


def test_a_failed_start_is_an_error(tmp_path) -> None:
    with pytest.raises(RuntimeError, match="start-up measurement failed"):
        measure_start_up(tmp_path / "none.safetensors", {}, *sample_image())
