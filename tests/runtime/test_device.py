"""Choice of the device: what belongs to it, and combinations that are refused."""

import sys

import pytest

import rdrface
from rdrface.errors import ConfigError
from rdrface.loading import PACKAGED_WEIGHTS
from rdrface.runtime.device import choose_execution
from rdrface.runtime.session import ONNXRuntimeSession

CUDA = "CUDAExecutionProvider"


@pytest.fixture
def onnxruntime_gpu(monkeypatch):
    """ONNX Runtime lists CUDA, as onnxruntime-gpu does on every machine."""
    onnxruntime = pytest.importorskip("onnxruntime")
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: [CUDA, "CPUExecutionProvider"])
    return onnxruntime


def test_without_a_device_the_backend_decides():
    assert choose_execution().backend == "openvino"
    chosen = choose_execution(None, "onnxruntime", ["CPUExecutionProvider"])
    assert (chosen.backend, chosen.providers) == ("onnxruntime", ["CPUExecutionProvider"])
    assert choose_execution("cpu").backend == "openvino"
    assert choose_execution("cpu", "onnxruntime").backend == "onnxruntime"


def test_cuda_uses_onnx_runtime_and_larger_batches(onnxruntime_gpu):
    for backend in (None, "onnxruntime"):
        chosen = choose_execution("cuda", backend)
        assert (chosen.backend, chosen.providers) == ("onnxruntime", [CUDA])
        assert chosen.batch_size > choose_execution("cpu").batch_size


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"device": "gpu"}, "device must be one of cpu, cuda, or None; got 'gpu'"),
        ({"device": "cuda", "backend": "openvino"}, 'device="cuda" needs backend="onnxruntime"'),
        ({"device": "cuda", "providers": [CUDA]}, "either a device or providers"),
        ({"device": "cpu", "providers": [CUDA], "backend": "onnxruntime"}, "either a device or providers"),
        ({"device": "cuda", "backend": "torch"}, "backend must be one of openvino, onnxruntime; got 'torch'"),
    ],
)
def test_contradictions_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        rdrface.load(PACKAGED_WEIGHTS, **arguments)


def test_cuda_needs_an_onnx_runtime_with_cuda(monkeypatch):
    onnxruntime = pytest.importorskip("onnxruntime")
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: ["CPUExecutionProvider"])
    with pytest.raises(ConfigError, match=r"no support for CUDA, only for CPUExecutionProvider: pip install onnxrunt"):
        rdrface.load(PACKAGED_WEIGHTS, device="cuda")
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(ConfigError, match="needs the package onnxruntime-gpu"):
        rdrface.load(PACKAGED_WEIGHTS, device="cuda")


def test_a_silent_fallback_to_the_cpu_is_an_error(monkeypatch, onnxruntime_gpu):
    """ONNX Runtime runs on the CPU if it cannot load CUDA's libraries."""
    session = onnxruntime_gpu.InferenceSession
    monkeypatch.setattr(
        onnxruntime_gpu,
        "InferenceSession",
        lambda graph, options, providers: session(graph, options, ["CPUExecutionProvider"]),
    )
    with pytest.raises(ConfigError, match=f"cannot use {CUDA} on this machine"):
        rdrface.load(PACKAGED_WEIGHTS, device="cuda")
    allowed = ONNXRuntimeSession(PACKAGED_WEIGHTS.with_suffix(".onnx"), 1, [CUDA, "CPUExecutionProvider"])
    assert allowed.input_size
