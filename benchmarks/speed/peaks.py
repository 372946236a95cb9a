"""Measured peaks of one processor core: multiply-adds a second by precision, and bytes a second from memory."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import openvino as ov
from openvino import opset13 as ops

PRECISIONS = ("float32", "bfloat16", "int8")

SETTINGS = {"PERFORMANCE_HINT": "LATENCY", "NUM_STREAMS": 1, "INFERENCE_NUM_THREADS": 1}
"""Properties of OpenVINO for one core."""

HINTS = {"float32": "f32", "bfloat16": "bf16", "int8": "f32"}
_REPEATS = 15
_MATRIX = 1024
_CHANNELS, _SIDE = 256, 32
_VECTOR = 8192


@dataclass(frozen=True)
class Peaks:
    """What one core reaches in the best case.

    Attributes:
        operations: precision -> multiply-adds a second of the faster of a matrix product (1024 x 1024 x 1024) and a 3x3
            convolution (256 channels, 32 x 32 cells).
        bandwidth: bytes a second of the product of a vector with a matrix of 256 MB, which no cache holds.
    """

    operations: dict[str, float]
    bandwidth: float


def measure_peaks() -> Peaks:
    """Measure the peaks; takes a few seconds."""
    operations = {precision: max(_matrix(precision), _convolution(precision)) for precision in PRECISIONS}
    seconds = _time(_product(1, _VECTOR, "float32"), "float32", (1, _VECTOR))
    return Peaks(operations, 4 * _VECTOR**2 / seconds)


def supports_bfloat16() -> bool:
    """Whether OpenVINO computes in bfloat16 on this processor."""
    return "BF16" in ov.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")


def _matrix(precision: str) -> float:
    return _MATRIX**3 / _time(_product(_MATRIX, _MATRIX, precision), precision, (_MATRIX, _MATRIX))


def _product(rows: int, side: int, precision: str) -> ov.Model:
    x = ops.parameter((rows, side), np.float32)
    weights = ops.constant(_random((side, side)))
    return ov.Model([ops.matmul(_quantized(x, precision), _quantized(weights, precision), False, False)], [x])


def _convolution(precision: str) -> float:
    shape = (1, _CHANNELS, _SIDE, _SIDE)
    x = ops.parameter(shape, np.float32)
    weights = ops.constant(_random((_CHANNELS, _CHANNELS, 3, 3)))
    inputs = _quantized(x, precision), _quantized(weights, precision)
    model = ov.Model([ops.convolution(*inputs, [1, 1], [1, 1], [1, 1], [1, 1])], [x])
    return _CHANNELS**2 * 9 * _SIDE**2 / _time(model, precision, shape)


def _quantized(node: Any, precision: str) -> Any:
    """A node after quantization to 255 levels in -1..1 for "int8", otherwise as it is."""
    if precision != "int8":
        return node
    low, high = ops.constant(np.float32(-1)), ops.constant(np.float32(1))
    return ops.fake_quantize(node, low, high, low, high, 255)


def _random(shape: tuple[int, ...]) -> np.ndarray:
    return np.random.default_rng(0).uniform(-1, 1, shape).astype(np.float32)


def _time(model: ov.Model, precision: str, shape: tuple[int, ...]) -> float:
    """Shortest time in seconds of the slowest node: the product itself, without quantization and changes of layout."""
    settings = SETTINGS | {"INFERENCE_PRECISION_HINT": HINTS[precision], "PERF_COUNT": True}
    request = ov.Core().compile_model(model, "CPU", settings).create_infer_request()
    x = _random(shape)
    times = []
    for _ in range(_REPEATS):
        request.infer([x], share_inputs=True)
        times.append(max(node.real_time.total_seconds() for node in request.get_profiling_info()))
    return min(times)
