"""Weights files of format version 1 (release 0.1): other names of outputs and parameters, the same results."""

import json
from pathlib import Path

import numpy as np
import pytest

import rdrface
from exported import some_crops
from rdrface.hub.folder import write_hub_folder
from rdrface.loading import PACKAGED_WEIGHTS
from rdrface.runtime.hub_folder import local_weights
from rdrface.runtime.session import BACKENDS, OUTPUTS
from rdrface.runtime.weights import graph_path, read_info, read_tensors
from rdrface.runtime.weights_session import open_session
from release_0_1 import write_old_weights

torch = pytest.importorskip("torch")
onnx = pytest.importorskip("onnx")

from rdrface.training.restore import restore  # noqa: E402


@pytest.fixture(scope="module")
def old(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_old_weights(PACKAGED_WEIGHTS, tmp_path_factory.mktemp("old"))


def test_the_file_has_the_old_names(old: Path) -> None:
    outputs = [value.name for value in onnx.load(graph_path(old), load_external_data=False).graph.output]
    assert outputs == ["landmarks", "absolute", "projection", "jawline", "Q", "visible", "sigma"]
    names = read_tensors(old)
    assert {"certainty.local", "jawline.correct.weight", "initialisation.fc6_exp.weight"} <= names.keys()
    assert not any(name.startswith(("uncertainty.", "jawline_readout.", "initialization.")) for name in names)
    assert read_info(old)[0].format_version == 1


def test_a_folder_of_the_hub_states_the_names_in_the_graph(old: Path, tmp_path: Path) -> None:
    write_hub_folder(old, tmp_path / "model", model="me/old")
    config = json.loads((tmp_path / "model" / "config.json").read_text(encoding="utf-8"))
    outputs = [value.name for value in onnx.load(graph_path(old), load_external_data=False).graph.output]
    assert set(config["outputs"]) == set(outputs)
    assert local_weights(tmp_path / "model").is_file()


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_session_gives_the_current_outputs(old: Path, backend: str) -> None:
    session, info = open_session(old, backend, 1)  # type: ignore[arg-type]
    expected = open_session(PACKAGED_WEIGHTS, backend, 1)[0]  # type: ignore[arg-type]
    crops = some_crops(2, info.input_size)
    outputs = session.run(crops)
    assert tuple(outputs) == OUTPUTS
    for name, value in expected.run(crops).items():
        np.testing.assert_allclose(outputs[name], value, atol=1e-5, err_msg=name)


def test_the_aligner_gives_the_same_faces(old: Path) -> None:
    image = np.ascontiguousarray(some_crops(1, 96)[0].transpose(1, 2, 0).astype(np.uint8))
    boxes = np.array([[20, 20, 70, 70]])
    (face,) = rdrface.load(old, threads=1, precision="float32").align(image, boxes)
    (expected,) = rdrface.load(PACKAGED_WEIGHTS, threads=1, precision="float32").align(image, boxes)
    for name in ("landmarks", "landmarks_jawline", "projection", "landmarks_3d", "visibility", "uncertainty"):
        np.testing.assert_allclose(getattr(face, name), getattr(expected, name), atol=1e-3, err_msg=name)


def test_the_network_can_be_restored(old: Path) -> None:
    network, info = restore(old)
    expected, _ = restore(PACKAGED_WEIGHTS)
    first, second = network.state_dict(), expected.state_dict()
    assert info.format_version == 1 and first.keys() == second.keys()
    assert all(torch.equal(first[name], second[name]) for name in first if not name.startswith("response."))
