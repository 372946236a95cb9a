"""Work and time of the stages of a graph: multiply-adds, weights, and OpenVINO's profile on one core."""

import statistics
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
import openvino as ov
from peaks import HINTS, SETTINGS

REPEATS = 20

_FIRST_OF_PRODUCT = {"Convolution": 1, "GroupConvolution": 2, "ConvolutionBackpropData": 1}
"""Convolutions -> first axis of their weights that counts for each element of the output (of the input, for the
transposed one)."""


@dataclass
class Stage:
    """A part of a graph.

    Attributes:
        operations: multiply-adds of its convolutions and matrix products.
        weights: number of their weights; those that several steps use count once.
        seconds: sum of the medians of its nodes' times.
        nodes: number of nodes of the compiled graph that run.
    """

    operations: int = 0
    weights: int = 0
    seconds: float = 0.0
    nodes: int = 0


def measure_stages(
    model: ov.Model, stage_of: Callable[[str], str], image: np.ndarray, precision: str
) -> dict[str, Stage]:
    """Work and time of each stage, in the order of the graph.

    Args:
        model: a graph with one input; it is reshaped to that of `image`.
        stage_of: name of a node of the graph, or names with commas of nodes that OpenVINO has joined -> name of
            their stage.
        image: (1, 3, H, W) float32.
        precision: one of `peaks.PRECISIONS`; with "int8" the graph itself must be quantized.
    """
    model.reshape(list(image.shape))
    stages: dict[str, Stage] = defaultdict(Stage)
    _count(model, stage_of, stages)
    compiled = ov.Core().compile_model(
        model, "CPU", SETTINGS | {"INFERENCE_PRECISION_HINT": HINTS[precision], "PERF_COUNT": True}
    )
    nodes = compiled.get_runtime_model().get_ops()
    originals = {node.get_friendly_name(): node.get_rt_info()["originalLayersNames"].value for node in nodes}
    request = compiled.create_infer_request()
    times: dict[str, list[float]] = defaultdict(list)
    for _ in range(REPEATS):
        request.infer([image], share_inputs=True)
        for profiled in request.get_profiling_info():
            if profiled.status == ov.ProfilingInfo.Status.EXECUTED:
                times[profiled.node_name].append(profiled.real_time.total_seconds())
    for name, seconds in times.items():
        stage = stages[stage_of(originals.get(name) or name)]
        stage.seconds += statistics.median(seconds)
        stage.nodes += 1
    return dict(stages)


def _count(model: ov.Model, stage_of: Callable[[str], str], stages: dict[str, Stage]) -> None:
    """Add the multiply-adds and the weights of a graph to its stages."""
    constant, counted = set(), set()
    for node in model.get_ordered_ops():
        name, sources = node.get_friendly_name(), [source.get_node() for source in node.input_values()]
        is_input = node.get_type_name() == "Parameter"
        if not is_input and all(source.get_friendly_name() in constant for source in sources):
            constant.add(name)
        elif operations := _operations(node):
            stage = stages[stage_of(name)]
            stage.operations += operations
            for source in sources:
                if source.get_friendly_name() in constant - counted:
                    stage.weights += prod(source.get_output_shape(0))
                    counted.add(source.get_friendly_name())


def _operations(node: Any) -> int:
    """Multiply-adds of a convolution or a matrix product; 0 for other nodes."""
    kind = node.get_type_name()
    if kind == "MatMul":
        shape = node.get_input_shape(0)
        return prod(node.get_output_shape(0)) * shape[-2 if node.get_attributes()["transpose_a"] else -1]
    if kind in _FIRST_OF_PRODUCT:
        elements = node.get_input_shape(0) if kind == "ConvolutionBackpropData" else node.get_output_shape(0)
        return prod(elements) * prod(list(node.get_input_shape(1))[_FIRST_OF_PRODUCT[kind] :])
    return 0
