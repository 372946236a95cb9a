"""Options of `rdrface bench`."""

import json

import pytest

from rdrface.cli import bench
from rdrface.cli.main import main
from rdrface.evaluation.speed import Speed


@pytest.fixture
def calls(monkeypatch):
    """Arguments of the calls of `measure_speed`, which measures nothing."""
    calls = []

    def measure(threads, weights, repeats, **options):
        calls.append((threads, weights, repeats, options))
        return Speed(threads, "int8", *[1.0] * 7, None, *[1.0] * 3, None)

    monkeypatch.setattr(bench, "measure_speed", measure)
    return calls


def test_options_reach_load(calls, capsys):
    command = ["bench", "--threads", "1", "--weights", "lite", "--precision", "int8", "--device", "cpu"]
    assert main([*command, "--json", "-"]) == 0
    assert calls == [(1, "lite", 30, {"device": "cpu", "precision": "int8"})]
    content = json.loads(capsys.readouterr().out)
    assert content["weights"] == "lite" and content["results"][0]["tracker_ms"] is None
    assert main(command) == 0
    assert "weights lite, device cpu, precision int8" in capsys.readouterr().out


def test_by_default_load_chooses(calls, capsys):
    assert main(["bench"]) == 0
    assert calls == [(1, None, 30, {"precision": "auto"}), (2, None, 30, {"precision": "auto"})]
    assert "precision auto" in capsys.readouterr().out


def test_a_crop_size_reaches_load(calls, capsys):
    assert main(["bench", "--threads", "1", "--size", "256"]) == 0
    assert calls == [(1, None, 30, {"precision": "auto", "size": 256})]
    assert "precision auto, size 256" in capsys.readouterr().out


def test_options_that_contradict_each_other_are_an_error(capsys):
    assert main(["bench", "--device", "cuda", "--backend", "openvino"]) == 2
    assert capsys.readouterr().err.startswith('rdrface: device="cuda" needs backend="onnxruntime"')
