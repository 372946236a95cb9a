"""Sessions of both runtimes, with the packaged weights or those of an untrained network."""

import copy
import pickle
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import rdrface
from exported import some_crops
from rdrface.crop import EXPANSION
from rdrface.errors import WeightsError
from rdrface.loading import PACKAGED_WEIGHTS
from rdrface.runtime.session import BACKENDS, OUTPUTS, open_graph
from rdrface.runtime.weights import graph_path
from rdrface.runtime.weights_session import open_session

FACE_SIZE = 2 / EXPANSION
"""Side of the landmark box in the crop frame."""


@pytest.fixture(scope="module")
def sessions():
    return {backend: open_session(PACKAGED_WEIGHTS, backend, 1)[0] for backend in BACKENDS}


def test_outputs_have_their_names_and_shapes(sessions):
    for session in sessions.values():
        outputs = session.run(some_crops(2, session.input_size))
        shapes = {name: value.shape for name, value in outputs.items()}
        assert shapes == {
            "landmarks": (2, 68, 2),
            "landmarks_jawline": (2, 68, 2),
            "projection": (2, 68, 3),
            "projection_jawline": (2, 68, 3),
            "parameters": (2, 103),
            "visibility": (2, 68),
            "uncertainty": (2, 68),
        }
        assert tuple(outputs) == OUTPUTS
        assert all(value.dtype == np.float32 and np.isfinite(value).all() for value in outputs.values())
        assert ((outputs["visibility"] >= 0) & (outputs["visibility"] <= 1)).all() and (
            outputs["uncertainty"] > 0
        ).all()


def test_both_runtimes_agree(sessions):
    crops = some_crops(4, sessions["openvino"].input_size)
    a, b = (sessions[backend].run(crops) for backend in BACKENDS)
    for name in ("landmarks", "landmarks_jawline", "projection", "projection_jawline"):
        assert np.abs(a[name] - b[name]).max() < 1e-3 * FACE_SIZE
    for name in ("visibility", "uncertainty"):
        np.testing.assert_allclose(a[name], b[name], atol=1e-3)
    np.testing.assert_allclose(a["parameters"], b["parameters"], atol=5e-3)


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_batch_gives_the_same_outputs_as_single_crops(sessions, backend):
    session = sessions[backend]
    crops = some_crops(3, session.input_size)
    together = session.run(crops)
    for i in range(3):
        alone = session.run(crops[i : i + 1])
        for name in ("landmarks", "landmarks_jawline", "projection", "projection_jawline"):
            assert np.abs(alone[name][0] - together[name][i]).max() < 1e-3 * FACE_SIZE


@pytest.mark.parametrize("backend", BACKENDS)
def test_later_calls_do_not_change_earlier_results(sessions, backend):
    session = sessions[backend]
    crops = some_crops(2, session.input_size)
    first = session.run(crops[:1])
    kept = {name: value.copy() for name, value in first.items()}
    session.run(crops[1:])
    for name, value in first.items():
        np.testing.assert_array_equal(value, kept[name])


def test_threads_can_share_a_session(sessions):
    session = sessions["openvino"]
    crops = some_crops(4, session.input_size)
    alone = [session.run(crops[i : i + 1])["landmarks"] for i in range(4)]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda i: session.run(crops[i : i + 1])["landmarks"], range(4)))
    np.testing.assert_array_equal(np.stack(together), np.stack(alone))


def test_only_the_selected_backend_is_imported():
    code = (
        "import sys; from pathlib import Path; from rdrface.runtime.weights_session import open_session;"
        f"open_session(Path({str(PACKAGED_WEIGHTS)!r}), 'openvino', 1);"
        "print([name for name in ('torch', 'onnxruntime', 'onnx') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_renamed_files_are_refused_with_an_explanation(tmp_path):
    source = PACKAGED_WEIGHTS
    shutil.copy(source, tmp_path / "mine.safetensors")
    shutil.copy(graph_path(source), tmp_path / "mine.onnx")
    for backend in BACKENDS:
        with pytest.raises(WeightsError, match=r"by the name 'rdr\.safetensors'"):
            open_session(tmp_path / "mine.safetensors", backend)


def test_files_can_be_moved_to_another_folder(tmp_path):
    for path in (PACKAGED_WEIGHTS, graph_path(PACKAGED_WEIGHTS)):
        shutil.copy(path, tmp_path / path.name)
    session, info = open_session(tmp_path / PACKAGED_WEIGHTS.name, threads=1)
    assert session.input_size == info.input_size


def test_unknown_backends_and_invalid_thread_counts_are_refused():
    with pytest.raises(ValueError, match="openvino, onnxruntime"):
        open_graph(b"", "tensorrt")  # type: ignore[arg-type]
    for backend in BACKENDS:
        for threads in (0, -1, 1.5, True):
            with pytest.raises(ValueError, match="threads"):
                open_graph(graph_path(PACKAGED_WEIGHTS), backend, threads)  # type: ignore[arg-type]


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("copied", [pickle.dumps, copy.deepcopy])
def test_pickling_an_aligner_is_an_error_with_advice(backend, copied):
    aligner = rdrface.load(PACKAGED_WEIGHTS, backend=backend, threads=1)
    for unpicklable in (aligner, aligner.session, aligner.detector):
        with pytest.raises(TypeError, match=r"cannot be pickled or copied: load it in each process"):
            copied(unpicklable)


@pytest.mark.parametrize("backend", BACKENDS)
def test_providers_that_are_no_list_are_a_type_error(backend):
    with pytest.raises(TypeError, match="providers must be a list of names of execution providers; got 5"):
        rdrface.load(PACKAGED_WEIGHTS, backend=backend, providers=5)
