"""The precision of a session: which one is chosen, and the errors for those that are not available."""

import numpy as np
import pytest

import rdrface
from exported import some_crops
from rdrface.errors import ConfigError, WeightsError
from rdrface.loading import PACKAGED_WEIGHTS
from rdrface.runtime import int8_graph, precision
from rdrface.runtime.precision import choose_precision
from rdrface.runtime.weights import graph_path, read_info
from rdrface.runtime.weights_session import open_session

VNNI = frozenset({"avx512_vnni"})


@pytest.fixture
def processor(monkeypatch):
    """Function that pretends that the processor has VNNI or bfloat16, or not."""

    def pretend(vnni, bfloat16):
        monkeypatch.setattr(precision, "cpu_flags", lambda: VNNI if vnni else frozenset())
        obstacle = None if bfloat16 else "it needs a processor with bfloat16 instructions"
        monkeypatch.setattr(precision, "_bfloat16_obstacle", lambda backend: obstacle)

    return pretend


def test_auto_is_the_fastest_available_precision(processor):
    processor(vnni=True, bfloat16=True)
    assert choose_precision("auto") == "int8"
    assert choose_precision("auto", missing_int8="there is no graph") == "bfloat16"
    assert choose_precision("auto", "onnxruntime", ["CUDAExecutionProvider", "CPUExecutionProvider"]) != "int8"
    processor(vnni=False, bfloat16=True)
    assert choose_precision("auto") == "bfloat16"
    processor(vnni=False, bfloat16=False)
    assert choose_precision("auto") == "float32"
    assert choose_precision("float32") == "float32"


def test_a_precision_that_is_not_available_is_an_error_with_the_reason(processor):
    processor(vnni=False, bfloat16=False)
    with pytest.raises(ConfigError, match=r"'int8' is not available: it needs a processor with VNNI.*or choose 'auto'"):
        choose_precision("int8")
    with pytest.raises(ConfigError, match=r"'bfloat16' is not available: .*bfloat16 instructions"):
        choose_precision("bfloat16")
    processor(vnni=True, bfloat16=False)
    with pytest.raises(ConfigError, match="it needs the CPU"):
        choose_precision("int8", "onnxruntime", ["CUDAExecutionProvider"])
    with pytest.raises(ValueError, match="must be one of auto, float32, int8, bfloat16; got 'half'"):
        choose_precision("half")  # type: ignore[arg-type]


def test_onnx_runtime_does_not_run_bfloat16():
    with pytest.raises(ConfigError, match="needs the backend 'openvino'"):
        rdrface.load(PACKAGED_WEIGHTS, backend="onnxruntime", precision="bfloat16")


def test_weights_without_an_int8_graph_name_the_command_that_writes_it(tmp_path, processor):
    processor(vnni=True, bfloat16=False)
    weights = copied(tmp_path)
    graph_path(weights, int8_graph.SUFFIX).unlink(missing_ok=True)
    with pytest.raises(ConfigError, match=r"there is no .*\.int8\.onnx; write it with `rdrface quantize .* --data"):
        rdrface.load(weights, precision="int8")
    assert rdrface.load(weights, threads=1).precision == "float32"


def test_an_int8_graph_of_other_weights_or_a_damaged_one_is_an_error(tmp_path, processor):
    processor(vnni=True, bfloat16=False)
    weights = copied(tmp_path)
    info, _ = read_info(weights)
    file = graph_path(weights, int8_graph.SUFFIX)
    for content in (b"", b"graph", int8_graph.sealed(b"graph", info)[:-1], b"x" + int8_graph.sealed(b"graph", info)):
        file.write_bytes(content)
        with pytest.raises(WeightsError, match=r"\.int8\.onnx does not belong to .*, or is damaged"):
            open_session(weights, precision="auto")
    assert open_session(weights, threads=1, precision="float32")[0].precision == "float32"


def test_the_seal_fits_one_content_and_one_weights_file():
    from dataclasses import replace

    info = replace(read_info(PACKAGED_WEIGHTS)[0])
    sealed = int8_graph.sealed(b"graph", info)
    assert int8_graph.is_sealed(sealed, info)
    assert not int8_graph.is_sealed(sealed, replace(info, checksum="0" * 64))
    assert not int8_graph.is_sealed(sealed, replace(info, graph_checksum="0" * 64))


def test_bfloat16_changes_the_outputs_little():
    if precision._bfloat16_obstacle("openvino") is not None:
        pytest.skip("the processor has no bfloat16")
    exact, _ = open_session(PACKAGED_WEIGHTS, threads=1)
    rounded, _ = open_session(PACKAGED_WEIGHTS, threads=1, precision="bfloat16")
    assert rounded.precision == "bfloat16"
    crops = some_crops(2, exact.input_size)
    difference = np.abs(rounded.run(crops)["landmarks"] - exact.run(crops)["landmarks"])
    assert 0 < difference.mean() < 0.02


def copied(folder):
    """The weights file of the tests with its graph, copied to a folder."""
    import shutil

    weights = PACKAGED_WEIGHTS
    for path in (weights, graph_path(weights)):
        shutil.copyfile(path, folder / path.name)
    return folder / weights.name
