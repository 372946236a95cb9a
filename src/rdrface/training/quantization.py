"""Post-training quantization of an exported graph to int8. Needs ``pip install rdrface[train]``.

Dense convolutions, deconvolutions and large matrix products get a QuantizeLinear and a DequantizeLinear before their
input and their weights; the runtimes replace each such group by one int8 operator (Jacob et al., CVPR 2018). Weights:
symmetric, one scale per output channel. Inputs: one scale per tensor, from the range on calibration crops. Everything
else, in particular the geometry, remains in float32.

The operators are found by their type and size, so any graph that `rdrface.training.export` writes can be quantized.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
from onnx import GraphProto, ModelProto, NodeProto, TensorProto, helper, numpy_helper

from rdrface.runtime.bfloat16 import MIN_PRODUCT
from rdrface.runtime.session import open_graph
from rdrface.runtime.weights import is_face_model

Ranges = Mapping[str, tuple[float, float]]
"""Tensor -> smallest and largest value."""

_CONVOLUTIONS = ("Conv", "ConvTranspose")
_PRODUCTS = ("Gemm", "MatMul")
_KEEPS_VALUES = ("Reshape", "Flatten", "Identity")
_SHARES_INPUT = ("Add", "MaxPool", "AveragePool", "GlobalAveragePool", *_KEEPS_VALUES)
"""Operators that also read the quantized tensor: the convolution that produces it then writes int8, once for all."""

_LEVELS = 255
_MIN, _MAX, _INT8, _SCALE, _ZERO, _DEQUANTIZED = ":min", ":max", ":int8", ":scale", ":zero", ":dequantized"


@dataclass(frozen=True)
class Quantizable:
    """An operator to quantize.

    Attributes:
        node: the operator, of the model that it was found in.
        input: name of the tensor whose range is needed: the operator's input, before operators that only reshape it.
        weights: names of the initializers with the weights, joined along their first axis.
        axis: axis of the output channels of the weights.
    """

    node: NodeProto
    input: str
    weights: tuple[str, ...]
    axis: int


def find_operators(model: ModelProto) -> list[Quantizable]:
    """Convolutions except depthwise ones, and products with at least `MIN_PRODUCT` learned weights.

    Depthwise convolutions are hardly faster in int8, and lose the most accuracy (docs/speed.md).
    """
    shapes = {tensor.name: tensor.dims for tensor in model.graph.initializer}
    producer = _producers(model.graph)
    found = []
    for node in model.graph.node:
        if node.op_type not in _CONVOLUTIONS + _PRODUCTS:
            continue
        weights = _weights(node.input[1], producer)
        if not shapes.keys() >= set(weights) or is_face_model(weights[0]) or _groups(node) > 1:
            continue
        # Stacks of matrices, one per landmark, are applied to single rows.
        if len(shapes[weights[0]]) == 3:
            continue
        if node.op_type in _PRODUCTS and sum(prod(shapes[part]) for part in weights) < MIN_PRODUCT:
            continue
        found.append(Quantizable(node, _before(node.input[0], producer, _KEEPS_VALUES), weights, _channel_axis(node)))
    return found


def measure_ranges(
    model: ModelProto, tensors: Collection[str], inputs: Iterable[np.ndarray]
) -> dict[str, tuple[float, float]]:
    """Ranges of tensors over calibration inputs, in float32.

    Args:
        model: graph with its weights inside.
        tensors: names of tensors.
        inputs: arrays (B, 3, H, W) float32, at least one.
    """
    extended = ModelProto()
    extended.CopyFrom(model)
    for name in tensors:
        for suffix, operator in ((_MIN, "ReduceMin"), (_MAX, "ReduceMax")):
            extended.graph.node.append(helper.make_node(operator, [name], [name + suffix], name + suffix, keepdims=0))
            extended.graph.output.append(helper.make_tensor_value_info(name + suffix, TensorProto.FLOAT, []))
    # One thread: with several, sums depend on their order, and the same crops must give the same bytes.
    session = open_graph(extended.SerializeToString(), threads=1)
    low = dict.fromkeys(tensors, np.inf)
    high = dict.fromkeys(tensors, -np.inf)
    for images in inputs:
        outputs = session.run(images)
        for name in tensors:
            low[name] = min(low[name], float(outputs[name + _MIN]))
            high[name] = max(high[name], float(outputs[name + _MAX]))
    return {name: (low[name], high[name]) for name in tensors}


def quantize(model: ModelProto, weights: Mapping[str, np.ndarray], ranges: Ranges) -> ModelProto:
    """Insert quantization into a graph.

    Args:
        model: float32 graph; its weights may be external.
        weights: initializer -> its values, at least those of `find_operators`.
        ranges: from `measure_ranges`, of `Quantizable.input`. Operators whose input has no range here, or is always
            zero, such as an initial state, remain in float32.

    Returns:
        The new graph; `model` is not changed.
    """
    result = ModelProto()
    result.CopyFrom(model)
    graph = result.graph
    operators = [each for each in find_operators(result) if any(ranges.get(each.input, ()))]
    quantized_weights = {each.node.input[1]: each for each in operators}
    after: dict[str, list[NodeProto]] = {}
    for name, each in quantized_weights.items():
        scale = _weight_scale(np.concatenate([weights[part] for part in each.weights]), each.axis)
        after[name] = _quantization(graph, name, scale, np.zeros(len(scale), np.int8), each.axis)
    inputs = sorted({each.input for each in operators})
    for name in inputs:
        after[name] = _quantization(graph, name, *_input_scale(*ranges[name]))
    for each in operators:
        each.node.input[1] = after[each.node.input[1]][-1].output[0]
    for node in graph.node:
        for i, name in enumerate(node.input):
            if name in inputs and node.op_type in (*_CONVOLUTIONS, *_PRODUCTS, *_SHARES_INPUT):
                node.input[i] = after[name][-1].output[0]
    nodes = list(_inserted(graph, after))
    del graph.node[:]
    graph.node.extend(nodes)
    return result


def _quantization(
    graph: GraphProto, name: str, scale: np.ndarray, zero: np.ndarray, axis: int | None = None
) -> list[NodeProto]:
    """The two nodes after the tensor `name`; their scale and zero point are added to the graph."""
    scales = [name + _SCALE, name + _ZERO]
    for value, initializer in zip((scale, zero), scales, strict=True):
        graph.initializer.append(numpy_helper.from_array(value, initializer))
    attributes: dict[str, Any] = {} if axis is None else {"axis": axis}
    integer, real = name + _INT8, name + _DEQUANTIZED
    return [
        helper.make_node("QuantizeLinear", [name, *scales], [integer], integer, **attributes),
        helper.make_node("DequantizeLinear", [integer, *scales], [real], real, **attributes),
    ]


def _inserted(graph: GraphProto, after: Mapping[str, list[NodeProto]]) -> Iterator[NodeProto]:
    """The nodes of a graph in order, each followed by the nodes `after` its outputs."""
    available = [tensor.name for tensor in (*graph.input, *graph.initializer)]
    for name in available:
        yield from after.get(name, ())
    for node in graph.node:
        yield node
        for name in node.output:
            yield from after.get(name, ())


def _weight_scale(weights: np.ndarray, axis: int) -> np.ndarray:
    others = tuple(i for i in range(weights.ndim) if i != axis)
    largest = np.abs(weights.astype(np.float32)).max(axis=others)
    return np.where(largest > 0, largest / np.float32(127), 1).astype(np.float32)


def _input_scale(low: float, high: float) -> tuple[np.ndarray, np.ndarray]:
    """Scale and zero point of uint8 values; the range is extended to zero, which is represented exactly."""
    low, high = min(low, 0.0), max(high, 0.0)
    scale = (high - low) / _LEVELS
    return np.array(scale, np.float32), np.array(round(-low / scale), np.uint8)


def _groups(node: NodeProto) -> int:
    return next((int(attribute.i) for attribute in node.attribute if attribute.name == "group"), 1)


def _channel_axis(node: NodeProto) -> int:
    if node.op_type == "Gemm":
        is_transposed = any(attribute.name == "transB" and attribute.i for attribute in node.attribute)
        return 0 if is_transposed else 1
    return 0 if node.op_type == "Conv" else 1


def _producers(graph: GraphProto) -> dict[str, NodeProto]:
    return {name: node for node in graph.node for name in node.output}


def _weights(name: str, producer: Mapping[str, NodeProto]) -> tuple[str, ...]:
    """The initializers of the weights `name`: one, or several that are joined along their first axis."""
    source = _before(name, producer, ("Cast", "Identity"))
    node = producer.get(source)
    if node is None or node.op_type != "Concat" or node.attribute[0].i != 0:
        return (source,)
    return tuple(_before(part, producer, ("Cast", "Identity")) for part in node.input)


def _before(name: str, producer: Mapping[str, NodeProto], passed: Collection[str]) -> str:
    """The tensor before a chain of operators of the given types that ends in the tensor `name`."""
    while name in producer and producer[name].op_type in passed:
        name = producer[name].input[0]
    return name
