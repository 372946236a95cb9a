"""The exported graph against PyTorch, on an untrained network."""

import numpy as np
import pytest

from exported import SIZE, some_crops, untrained_network, untrained_weights
from rdrface.crop import EXPANSION
from rdrface.runtime.session import BACKENDS, open_session
from rdrface.runtime.weights import graph_path, read_info, read_tensors

torch = pytest.importorskip("torch")
onnx = pytest.importorskip("onnx")

FACE_SIZE = 2 / EXPANSION


def test_runtimes_give_what_pytorch_gives():
    network = untrained_network()
    crops = some_crops(3, SIZE)
    with torch.no_grad():
        prediction = network(torch.from_numpy(crops))
    last = prediction.steps[-1]
    truth = {
        "landmarks": last.landmarks,
        "projection": last.projection,
        "jawline": last.jawline,
        "Q": last.q,
        "visible": torch.sigmoid(prediction.visible),
        "sigma": torch.exp(prediction.log_error),
    }
    # The test means something only if the faces differ and the recurrence moves the points.
    assert (last.landmarks[0] - last.landmarks[1]).abs().max() > 0.02
    assert (last.landmarks - prediction.steps[0].landmarks).abs().max() > 0.02
    for backend in BACKENDS:
        session, _ = open_session(untrained_weights(), backend, 1)
        outputs = session.run(crops)
        for name in ("landmarks", "projection", "jawline"):
            # What is left is float16's rounding of the weights. On the outline it may tip a contour point to another
            # crossing of its line, which is a jump.
            off = np.abs(outputs[name] - truth[name].numpy()).max(axis=-1) / FACE_SIZE
            assert off[:, 17:].max() < 1e-3, (backend, name)
            assert (off < 1e-3).mean() > 0.95 and off.max() < 0.05, (backend, name)
        for name in ("visible", "sigma"):
            np.testing.assert_allclose(outputs[name], truth[name].numpy(), atol=1e-3)


def test_the_graph_holds_no_weights_and_no_traces_of_the_machine():
    graph = graph_path(untrained_weights())
    assert graph.stat().st_size < 300_000
    model = onnx.load(graph, load_external_data=False)
    assert not any(node.metadata_props or node.doc_string for node in model.graph.node)
    content = graph.read_bytes()
    for trace in (b".py", b"/home", b"/tmp", b"/usr", b"site-packages", b"stack_trace"):
        assert trace not in content
    _, places = read_info(untrained_weights())
    external = {i.name: i for i in model.graph.initializer if i.data_location == onnx.TensorProto.EXTERNAL}
    assert external.keys() == places.keys()


def test_the_external_data_is_what_onnx_itself_reads():
    model = onnx.load(graph_path(untrained_weights()))
    onnx.checker.check_model(model)
    tensors = read_tensors(untrained_weights())
    for initialiser in model.graph.initializer:
        if initialiser.name in tensors:
            np.testing.assert_array_equal(onnx.numpy_helper.to_array(initialiser), tensors[initialiser.name])


def test_learned_matrices_are_half_and_the_face_model_is_not():
    tensors = read_tensors(untrained_weights())
    assert tensors["initialisation.fc5_id.weight"].dtype == np.float16
    assert tensors["projection.mean"].dtype == np.float32
    half = sum(t.nbytes for t in tensors.values() if t.dtype == np.float16)
    assert half > 0.9 * sum(t.nbytes for t in tensors.values())
    assert not any(name.startswith("response") for name in tensors)  # conv6 is for training only


def test_the_file_describes_itself():
    info, _ = read_info(untrained_weights())
    assert (info.input_size, info.iterations) == (SIZE, 2)
    assert info.training_data == ("no data",) and info.metrics == {"nothing": 1.5}
