"""The read-out of custom landmarks: initial output, unchanged network, and equal results of all runtimes."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import rdrface
from exported import FIVE_POINTS, SIZE, five_points, readout_of_five_points, some_crops, untrained_network
from rdrface.hub.folder import write_hub_folder
from rdrface.morphable.model import FaceModel
from rdrface.runtime.session import BACKENDS, CUSTOM_LANDMARKS
from rdrface.runtime.weights import CustomScheme, read_info, write_weights
from rdrface.runtime.weights_session import open_session
from untraced import untraced

torch = pytest.importorskip("torch")
nn = torch.nn

from rdrface.finetuning.weights import load_network  # noqa: E402
from rdrface.network.custom_landmarks import OUTPUT_BASES, CustomLandmarks, extract_features  # noqa: E402
from rdrface.network.rdr import RDR  # noqa: E402
from rdrface.training.export import describe, export  # noqa: E402


@pytest.fixture(scope="module")
def network() -> RDR:
    return untrained_network()


@pytest.fixture(scope="module")
def readout() -> CustomLandmarks:
    return readout_of_five_points()


def test_a_new_readout_gives_the_posed_surface_points(network: RDR) -> None:
    new_readout = CustomLandmarks(FaceModel.load().reduced(five_points()))
    with torch.no_grad():
        features = extract_features(network, torch.from_numpy(some_crops(2, SIZE)))
        custom = new_readout(features)
    jawline = features.prediction.steps[-1].projection_jawline[..., :2]
    torch.testing.assert_close(custom, jawline[:, [8, 30, 36, 45, 57]], atol=1e-5, rtol=0)


@pytest.mark.parametrize("output", OUTPUT_BASES)
def test_a_new_readout_of_the_68_landmarks_gives_the_output_of_the_network(network: RDR, output: str) -> None:
    with torch.no_grad():
        features = extract_features(network, torch.from_numpy(some_crops(2, SIZE)))
        custom = CustomLandmarks(output)(features)
    assert torch.equal(custom, getattr(features.prediction.steps[-1], output))


def test_an_unknown_base_is_refused() -> None:
    with pytest.raises(ValueError, match="landmarks, landmarks_jawline; got 'projection'"):
        CustomLandmarks("projection")


@pytest.fixture(scope="module")
def readout_of_68() -> CustomLandmarks:
    readout = CustomLandmarks("landmarks_jawline").eval().requires_grad_(False)
    torch.manual_seed(4)
    nn.init.normal_(readout.place.weight, std=0.02)
    nn.init.normal_(readout.local, std=0.01)
    return readout


SCHEME_OF_68 = CustomScheme("aflw2000", 68, None, "aflw2000-3d", ("0123abcd",))


@pytest.fixture(scope="module")
def exported_68(network: RDR, readout_of_68: CustomLandmarks, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("weights") / "aflw2000.safetensors"
    info = replace(describe(network, SIZE), custom_scheme=SCHEME_OF_68)
    with untraced():
        export(network, path, info, half=False, readout=readout_of_68)
    return path


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_readout_of_the_68_landmarks_is_exported(
    network: RDR, readout_of_68: CustomLandmarks, exported_68: Path, backend: str
) -> None:
    crops = some_crops(2, SIZE)
    with torch.no_grad():
        custom = readout_of_68(extract_features(network, torch.from_numpy(crops))).numpy()
    session, info = open_session(exported_68, backend, 1)  # type: ignore[arg-type]
    assert np.abs(session.run(crops)[CUSTOM_LANDMARKS] - custom).max() < 2e-3
    assert info.custom_scheme == SCHEME_OF_68


def test_weights_with_custom_landmarks_load_from_a_folder_of_the_hub(untrained_weights: Path, tmp_path: Path) -> None:
    write_hub_folder(untrained_weights, tmp_path / "model", model="me/mine")
    aligner = rdrface.load(tmp_path / "model", threads=1)
    (face,) = aligner.align(np.full((99, 99, 3), 90, np.uint8), [[20, 20, 70, 80]])
    assert face.custom_landmarks is not None and face.custom_landmarks.shape == (FIVE_POINTS.count, 2)


def test_extracting_the_hidden_state_does_not_change_the_output(network: RDR) -> None:
    crops = torch.from_numpy(some_crops(2, SIZE))
    with torch.no_grad():
        prediction, features = network(crops), extract_features(network, crops)
    for expected, found in zip(prediction.steps, features.prediction.steps, strict=True):
        assert torch.equal(expected.landmarks, found.landmarks)
    assert features.hidden.shape == (2, 256)
    assert not network.c_lstm._forward_hooks, "the hook must be removed"


def test_the_hidden_state_of_a_network_without_iterations_is_zero(network: RDR) -> None:
    network.iterations = 0
    try:
        with torch.no_grad():
            assert not extract_features(network, torch.from_numpy(some_crops(1, SIZE))).hidden.any()
    finally:
        network.iterations = 2


@pytest.mark.parametrize("backend", BACKENDS)
def test_runtimes_and_pytorch_give_the_same_outputs(
    network: RDR, readout: CustomLandmarks, untrained_weights: Path, backend: str
) -> None:
    crops = some_crops(3, SIZE)
    with torch.no_grad():
        features = extract_features(network, torch.from_numpy(crops))
        custom = readout(features).numpy()
    session, info = open_session(untrained_weights, backend, 1)  # type: ignore[arg-type]
    outputs = session.run(crops)
    assert outputs[CUSTOM_LANDMARKS].shape == (3, FIVE_POINTS.count, 2)
    assert np.abs(outputs[CUSTOM_LANDMARKS] - custom).max() < 2e-3
    assert np.abs(outputs["landmarks"] - features.prediction.steps[-1].landmarks.numpy()).max() < 2e-3
    assert info.custom_scheme == FIVE_POINTS


def test_a_face_has_custom_landmarks(untrained_weights: Path) -> None:
    image = np.ascontiguousarray(some_crops(1, 96)[0].transpose(1, 2, 0).astype(np.uint8))
    aligner = rdrface.load(untrained_weights, threads=1)
    (face,) = aligner.align(image, np.array([[20, 20, 70, 70]]))
    assert face.custom_landmarks.shape == (FIVE_POINTS.count, 2) and face.custom_landmarks.dtype == np.float32
    restored = type(face).from_dict(face.to_dict())
    np.testing.assert_array_equal(restored.custom_landmarks, face.custom_landmarks)
    without = {name: value for name, value in face.to_dict().items() if name != "custom_landmarks"}
    assert type(face).from_dict(without).custom_landmarks is None


def test_the_network_can_be_restored_from_exported_weights(network: RDR, untrained_weights: Path) -> None:
    restored, size, _ = load_network(untrained_weights)
    assert size == SIZE and restored.iterations == 2
    crops = torch.from_numpy(some_crops(2, SIZE))
    with torch.no_grad():
        expected, found = network(crops), restored(crops)
    for name in ("landmarks", "landmarks_jawline", "projection_jawline", "q"):
        torch.testing.assert_close(
            getattr(expected.steps[-1], name), getattr(found.steps[-1], name), atol=1e-3, rtol=1e-3
        )
    torch.testing.assert_close(expected.visibility_logits, found.visibility_logits, atol=1e-3, rtol=1e-3)


def test_weights_without_custom_landmarks_have_no_metadata_about_them(network: RDR, tmp_path: Path) -> None:
    write_weights(tmp_path / "plain.safetensors", {"x": np.zeros(3, np.float32)}, describe(network, SIZE))
    assert b"custom_scheme" not in (tmp_path / "plain.safetensors").read_bytes()
    assert read_info(tmp_path / "plain.safetensors")[0].custom_scheme is None
