"""int8 graphs: a small network in both runtimes, and the graph of a weights file."""

import numpy as np
import pytest

from exported import some_crops
from rdrface.loading import PACKAGED_WEIGHTS
from rdrface.runtime.crop_size import tensors_of_size
from rdrface.runtime.int8_graph import SUFFIX, is_sealed
from rdrface.runtime.session import BACKENDS, open_graph
from rdrface.runtime.weights import graph_path, read_info, read_tensors
from rdrface.runtime.weights_session import open_session

onnx = pytest.importorskip("onnx")
pytest.importorskip("torch")

from rdrface.runtime import precision  # noqa: E402
from rdrface.training.int8_export import network_crops, spread, write_int8_graph  # noqa: E402
from rdrface.training.quantization import find_operators, measure_ranges, quantize  # noqa: E402

helper = onnx.helper
rng = np.random.default_rng(0)
WEIGHTS = {
    "a": rng.normal(size=(16, 3, 3, 3)).astype(np.float32) / 5,
    "depthwise": rng.normal(size=(16, 1, 3, 3)).astype(np.float32) / 3,
    "b": rng.normal(size=(16, 16, 3, 3)).astype(np.float32) / 12,
    "up": rng.normal(size=(16, 8, 4, 4)).astype(np.float32) / 12,
    "small": rng.normal(size=(8 * 32 * 32, 4)).astype(np.float32) / 90,
    "large": rng.normal(size=(80, 8 * 32 * 32)).astype(np.float32) / 90,
    "projection.basis": rng.normal(size=(80, 8192)).astype(np.float32) / 9,
}


@pytest.fixture(scope="module")
def model():
    """crops (n, 3, 16, 16) -> two outputs, through operators of every kind."""
    nodes = [
        helper.make_node("Conv", ["crops", "a"], ["conv_a"], pads=[1, 1, 1, 1]),
        helper.make_node("Relu", ["conv_a"], ["relu_a"]),
        helper.make_node("Conv", ["relu_a", "depthwise"], ["conv_d"], pads=[1, 1, 1, 1], group=16),
        helper.make_node("Conv", ["conv_d", "b"], ["conv_b"], pads=[1, 1, 1, 1]),
        helper.make_node("Add", ["conv_b", "relu_a"], ["sum"]),
        helper.make_node("ConvTranspose", ["sum", "up"], ["wide"], strides=[2, 2], pads=[1, 1, 1, 1]),
        helper.make_node("Flatten", ["wide"], ["flat"]),
        helper.make_node("MatMul", ["flat", "small"], ["first"]),
        helper.make_node("Gemm", ["flat", "large"], ["features"], transB=1),
        helper.make_node("MatMul", ["features", "projection.basis"], ["second"]),
    ]
    shapes = {"crops": ["n", 3, 16, 16], "first": ["n", 4], "second": ["n", 8192]}
    values = {
        name: helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, shape) for name, shape in shapes.items()
    }
    initializers = [onnx.numpy_helper.from_array(value, name) for name, value in WEIGHTS.items()]
    graph = helper.make_graph(nodes, "g", [values["crops"]], [values["first"], values["second"]], initializers)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)


def images(count):
    return np.random.default_rng(1).normal(size=(count, 3, 16, 16)).astype(np.float32)


def quantized(model):
    names = [operator.input for operator in find_operators(model)]
    return quantize(model, WEIGHTS, measure_ranges(model, names, [images(4)]))


def test_convolutions_and_large_products_are_quantized_and_geometry_is_not(model):
    assert [operator.weights for operator in find_operators(model)] == [("a",), ("b",), ("up",), ("large",)]


def test_ranges_are_the_extremes_of_all_inputs(model):
    x = images(4)
    ranges = measure_ranges(model, ["crops", "relu_a"], [x[:1], x[1:]])
    assert ranges["crops"] == (x.min(), x.max())
    assert ranges["relu_a"][0] == 0 < ranges["relu_a"][1]


def test_both_runtimes_give_nearly_the_outputs_of_float32(model):
    onnx.checker.check_model(quantized(model), full_check=True)
    for backend in BACKENDS:
        exact = open_graph(model.SerializeToString(), backend, 1).run(images(4))
        rounded = open_graph(quantized(model).SerializeToString(), backend, 1, None, "int8").run(images(4))
        for name, values in exact.items():
            error = np.abs(rounded[name] - values).mean() / np.abs(values).mean()
            assert 1e-6 < error < 0.05, (backend, name, error)


def test_openvino_uses_int8_kernels(model):
    if not precision._INT8_INSTRUCTIONS & precision.cpu_flags():
        pytest.skip("the processor has no VNNI")
    import openvino

    core = openvino.Core()
    compiled = core.compile_model(core.read_model(quantized(model).SerializeToString()), "CPU")
    kernels = [
        str(node.get_rt_info()["primitiveType"].astype(str))
        for node in compiled.get_runtime_model().get_ordered_ops()
        if node.get_rt_info()["layerType"].astype(str) in ("Convolution", "Deconvolution", "FullyConnected")
    ]
    assert sum("i8" in kernel.lower() for kernel in kernels) >= 3, kernels


def test_an_operator_whose_input_is_always_zero_is_left_alone(model):
    ranges = dict.fromkeys((operator.input for operator in find_operators(model)), (0.0, 0.0))
    assert quantize(model, WEIGHTS, ranges) == model
    assert quantize(model, WEIGHTS, {}) == model


def test_the_int8_graph_of_a_weights_file(tmp_path):
    import shutil

    weights = PACKAGED_WEIGHTS
    for path in (weights, graph_path(weights)):
        shutil.copyfile(path, tmp_path / path.name)
    weights = tmp_path / weights.name
    before = weights.read_bytes()
    crops = some_crops(4, read_info(weights)[0].input_size)
    path = write_int8_graph(weights, crops)
    content = path.read_bytes()
    assert path == graph_path(weights, SUFFIX) and len(content) < 400_000
    assert is_sealed(content, read_info(weights)[0])
    assert write_int8_graph(weights, crops).read_bytes() == content, "the same crops must give the same bytes"
    assert weights.read_bytes() == before
    # The weights are read from the weights file; none is stored twice.
    graph = onnx.load(path, load_external_data=False).graph
    external = [each.name for each in graph.initializer if each.data_location == onnx.TensorProto.EXTERNAL]
    info, _ = read_info(weights)
    assert set(external) == set(tensors_of_size(read_tensors(weights), info, info.input_size))
    if not precision._INT8_INSTRUCTIONS & precision.cpu_flags():
        return
    for backend in BACKENDS:
        exact, _ = open_session(weights, backend, 1)
        rounded, _ = open_session(weights, backend, 1, precision="int8")
        assert rounded.precision == "int8"
        change = np.abs(rounded.run(crops)["landmarks"] - exact.run(crops)["landmarks"]).mean()
        assert 0 < change < 0.02, (backend, change)


def test_calibration_crops_are_those_of_inference():
    from rdrface.crop import CropFrame, cut

    packed = rng.integers(0, 256, (2, 112, 112, 3)).astype(np.uint8)
    valid = np.array([[-1, -1, 1, 1], [-1, -0.5, 1, 1]], np.float32)
    crops = network_crops(packed, valid, 1.4, 80)
    frame = CropFrame(np.array([[55.5, 55.5]]), np.array([40.0]))
    np.testing.assert_allclose(crops[:1], cut(packed[0], frame, 80), atol=1e-3)
    np.testing.assert_allclose(crops[1:, :, :12], np.repeat(crops[1:, :, 12:13], 12, axis=2), atol=1e-3)
    assert spread(10, 3).tolist() == [0, 4, 9] and spread(2, 5).tolist() == [0, 1]
