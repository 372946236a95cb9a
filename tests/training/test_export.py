"""The exported graph of an untrained network, compared with PyTorch."""

from pathlib import Path

import numpy as np
import pytest

from exported import SIZE, some_crops, untrained_network
from rdrface.crop import EXPANSION
from rdrface.errors import TrainingError
from rdrface.runtime.session import BACKENDS, open_graph
from rdrface.runtime.weights import graph_path, read_info, read_tensors
from rdrface.runtime.weights_session import open_session

torch = pytest.importorskip("torch")
onnx = pytest.importorskip("onnx")

from rdrface.training.export import take_tensors  # noqa: E402

FACE_SIZE = 2 / EXPANSION


def test_runtimes_and_pytorch_give_the_same_outputs(untrained_weights: Path):
    network = untrained_network()
    crops = some_crops(3, SIZE)
    with torch.no_grad():
        prediction = network(torch.from_numpy(crops))
    last = prediction.steps[-1]
    truth = {
        "landmarks": last.landmarks,
        "landmarks_jawline": last.landmarks_jawline,
        "projection": last.projection,
        "projection_jawline": last.projection_jawline,
        "parameters": last.q,
        "visibility": torch.sigmoid(prediction.visibility_logits),
        "uncertainty": torch.exp(prediction.log_uncertainty),
    }
    # The comparison is meaningful only if the faces differ and the recurrence moves the points.
    assert (last.landmarks[0] - last.landmarks[1]).abs().max() > 0.02
    assert (last.landmarks - prediction.steps[0].landmarks).abs().max() > 0.02
    for backend in BACKENDS:
        session, _ = open_session(untrained_weights, backend, 1)
        outputs = session.run(crops)
        for name in ("landmarks", "landmarks_jawline", "projection", "projection_jawline"):
            assert np.abs(outputs[name] - truth[name].numpy()).max() < 1e-3 * FACE_SIZE, (backend, name)
        for name in ("visibility", "uncertainty"):
            np.testing.assert_allclose(outputs[name], truth[name].numpy(), atol=1e-3)


def test_the_graph_has_no_weights_and_no_local_paths(untrained_weights: Path):
    graph = graph_path(untrained_weights)
    assert graph.stat().st_size < 300_000
    model = onnx.load(graph, load_external_data=False)
    assert not any(node.metadata_props or node.doc_string for node in model.graph.node)
    content = graph.read_bytes()
    for trace in (b".py", b"/home", b"/tmp", b"/usr", b"site-packages", b"stack_trace"):
        assert trace not in content
    _, places = read_info(untrained_weights)
    external = {i.name: i for i in model.graph.initializer if i.data_location == onnx.TensorProto.EXTERNAL}
    assert external.keys() == places.keys()


def test_onnx_reads_the_external_data(untrained_weights: Path):
    model = onnx.load(graph_path(untrained_weights))
    onnx.checker.check_model(model)
    tensors = read_tensors(untrained_weights)
    for initializer in model.graph.initializer:
        if initializer.name in tensors:
            np.testing.assert_array_equal(onnx.numpy_helper.to_array(initializer), tensors[initializer.name])


def test_the_training_head_is_not_exported(untrained_weights: Path):
    assert not any(name.startswith("response") for name in read_tensors(untrained_weights))


def test_learned_matrices_are_stored_in_float16_and_the_face_model_in_float32():
    """On a small graph: crops @ weight + bias + projection.mean + small."""
    rng = np.random.default_rng(0)
    values = {
        "network.fc.weight": rng.normal(size=(300, 300)).astype(np.float32),
        "network.fc.bias": rng.normal(size=300).astype(np.float32),
        "network.projection.mean": rng.normal(size=(1, 300)).astype(np.float32),
        "small": np.float32([3.0]),
    }
    helper = onnx.helper
    nodes = [helper.make_node("MatMul", ["crops", "network.fc.weight"], ["sum0"])]
    for i, name in enumerate(list(values)[1:]):
        nodes.append(helper.make_node("Add", [f"sum{i}", name], [f"sum{i + 1}"]))
    ends = [helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, ["n", 300]) for name in ("crops", "sum3")]
    initializers = [onnx.numpy_helper.from_array(value, name) for name, value in values.items()]
    opset = [helper.make_opsetid("", 18)]
    model = helper.make_model(helper.make_graph(nodes, "g", ends[:1], ends[1:], initializers), opset_imports=opset)
    model.ir_version = 10

    tensors = take_tensors(model, half=True)
    assert {name: tensor.dtype for name, tensor in tensors.items()} == {
        "fc.weight": np.float16,
        "fc.bias": np.float32,
        "projection.mean": np.float32,
    }
    x = rng.normal(size=(2, 300)).astype(np.float32)
    expected = x @ tensors["fc.weight"].astype(np.float32) + sum(list(values.values())[1:])
    for backend in BACKENDS:
        result = open_graph(model.SerializeToString(), backend, 1).run(x)["sum3"]
        np.testing.assert_allclose(result, expected, atol=1e-3)


def test_a_diverged_network_is_not_exported():
    for number in (1e6, np.nan):
        value = np.full((300, 300), number, np.float32)
        graph = onnx.helper.make_graph([], "g", [], [], [onnx.numpy_helper.from_array(value, "network.w")])
        with pytest.raises(TrainingError, match="diverged"):
            take_tensors(onnx.helper.make_model(graph), half=True)


def test_the_file_has_metadata(untrained_weights: Path):
    info, _ = read_info(untrained_weights)
    assert (info.input_size, info.iterations) == (SIZE, 2)
    assert info.training_data == ("no data",) and info.metrics == {"nothing": 1.5}
