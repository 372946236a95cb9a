"""The table of floors: work of a known graph, and its stages."""

from pathlib import Path

import numpy as np
import openvino as ov
import pytest
from openvino import opset13 as ops

FOLDER = Path(__file__).resolve().parents[2] / "benchmarks" / "speed"


@pytest.fixture(autouse=True)
def _path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(FOLDER))


def test_work_is_counted_and_shared_weights_count_once() -> None:
    import stages

    x = ops.parameter((1, 3, 8, 8), np.float32)
    kernel = ops.constant(np.ones((4, 3, 3, 3), np.float32))
    convolution = ops.convolution(x, kernel, [1, 1], [1, 1], [1, 1], [1, 1], name="a/convolution")
    matrix = ops.constant(np.ones((8, 8), np.float32))
    first = ops.matmul(convolution, matrix, False, False, name="b/first")
    second = ops.matmul(first, matrix, False, False, name="b/second")
    image = np.zeros((1, 3, 8, 8), np.float32)
    measured = stages.measure_stages(ov.Model([second], [x]), lambda names: names[0], image, "float32")
    assert (measured["a"].operations, measured["a"].weights) == (4 * 64 * 27, 4 * 27)
    assert (measured["b"].operations, measured["b"].weights) == (2 * 4 * 8 * 64, 64)
    assert measured["b"].nodes == 2


def test_the_floor_is_the_longer_of_arithmetic_and_memory() -> None:
    import floor
    from peaks import Peaks
    from stages import Stage

    peaks = Peaks({"float32": 1e9}, 1e9)
    assert floor.floor(Stage(operations=10**9, weights=10), peaks, "float32") == 1
    assert floor.floor(Stage(operations=10, weights=10**9), peaks, "float32") == 4


def test_nodes_of_the_exported_graph_belong_to_stages() -> None:
    import floor

    assert floor.network_stage("backbone.res3.0.norm_a/Conv_1,backbone.res3.0/relu") == "Res3"
    assert floor.network_stage("Multiply_1,geometry/add_2") == "geometry"
    assert floor.network_stage("Multiply_1") == "other"
