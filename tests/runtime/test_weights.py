"""The weights file: round trip, checksums and damaged files."""

import hashlib
import json
import struct
from dataclasses import replace

import numpy as np
import pytest
from safetensors.numpy import load_file

from rdrface.errors import ConfigError, WeightsError
from rdrface.runtime import int8_graph
from rdrface.runtime.crop_size import choose_size
from rdrface.runtime.weights import WeightsInfo, graph_path, layout, read_info, read_tensors, verify, write_weights

INFO = WeightsInfo(
    input_size=128, iterations=3, version="1.2", training_data=("A", "B"), metrics={"x": 1.5}, config={"a": [1]}
)
TENSORS = {
    "half": np.arange(6, dtype=np.float16).reshape(2, 3),
    "full": np.array([1.5, -2.25, 1e-9], np.float32),
    "index": np.array([3, -4], np.int64),
    "scalar": np.array(7, np.int32),
}


@pytest.fixture
def written(tmp_path):
    path = tmp_path / "rdr.safetensors"
    graph_path(path).write_bytes(b"graph")
    info = replace(INFO, graph_checksum=hashlib.sha256(b"graph").hexdigest())
    write_weights(path, TENSORS, info)
    return path


def test_a_written_file_is_read_unchanged(written):
    info, _ = read_info(written)
    assert (info.input_size, info.iterations, info.version) == (128, 3, "1.2")
    assert (info.training_data, info.metrics, info.config) == (("A", "B"), {"x": 1.5}, {"a": [1]})
    verify(written, info)
    tensors = read_tensors(written)
    assert tensors.keys() == TENSORS.keys()
    for name, tensor in TENSORS.items():
        np.testing.assert_array_equal(tensors[name], tensor)
        assert tensors[name].dtype == tensor.dtype


def test_single_tensors_are_read(written):
    assert read_tensors(written, ["full"]).keys() == {"full"}
    with pytest.raises(WeightsError, match="another version"):
        read_tensors(written, ["no such tensor"])


def test_the_file_is_plain_safetensors(written):
    tensors = load_file(written)
    for name, tensor in TENSORS.items():
        np.testing.assert_array_equal(tensors[name], tensor)


def test_locations_are_those_of_the_tensors(written):
    content = written.read_bytes()
    info, places = read_info(written)
    assert places == layout(TENSORS, info)
    for name, place in places.items():
        assert place.offset % place.dtype.itemsize == 0
        np.testing.assert_array_equal(
            np.frombuffer(content[place.offset : place.offset + place.length], place.dtype), TENSORS[name].ravel()
        )


def test_the_same_content_gives_the_same_bytes(written, tmp_path):
    again = tmp_path / "again.safetensors"
    info, _ = read_info(written)
    write_weights(again, dict(reversed(TENSORS.items())), info)
    assert again.read_bytes() == written.read_bytes()


def test_a_changed_byte_is_detected(written):
    content = bytearray(written.read_bytes())
    content[-3] ^= 1
    written.write_bytes(content)
    info, _ = read_info(written)
    with pytest.raises(WeightsError, match="checksum"):
        verify(written, info)


@pytest.mark.parametrize("keep", [0, 5, 8, 200, -1])
def test_a_truncated_file_is_detected(written, keep):
    written.write_bytes(written.read_bytes()[:keep])
    with pytest.raises(WeightsError, match=r"rdr\.safetensors"):
        read_info(written)


def test_other_files_are_refused(tmp_path):
    path = tmp_path / "other.safetensors"
    header = json.dumps({"__metadata__": {"format": "pt"}}).encode()
    for content in (
        struct.pack("<Q", len(header)) + header,
        struct.pack("<Q", 2) + b"{}",
        struct.pack("<Q", 4) + b"[1]]",
        b"\x89PNG\r\n\x1a\n" + b"x" * 100,
    ):
        path.write_bytes(content)
        with pytest.raises(WeightsError, match="other"):
            read_info(path)
    with pytest.raises(WeightsError, match="cannot be read"):
        read_info(tmp_path / "missing.safetensors")


def test_a_file_of_a_newer_version_is_refused(written):
    content = written.read_bytes()
    written.write_bytes(content.replace(b'"format_version":"2"', b'"format_version":"3"'))
    with pytest.raises(WeightsError, match="newer"):
        read_info(written)


def test_graph_and_weights_must_belong_together(written):
    info, _ = read_info(written)
    graph_path(written).write_bytes(b"another graph")
    with pytest.raises(WeightsError, match="does not belong"):
        verify(written, info)
    graph_path(written).unlink()
    with pytest.raises(WeightsError, match="missing"):
        verify(written, info)


def test_other_file_names_and_dtypes_are_refused(tmp_path):
    with pytest.raises(ValueError, match="safetensors"):
        write_weights(tmp_path / "a.onnx", TENSORS, INFO)
    with pytest.raises(ValueError, match="complex"):
        write_weights(tmp_path / "a.safetensors", {"z": np.array([1j])}, INFO)
    assert not list(tmp_path.iterdir())


def test_graphs_of_further_sizes_have_checksums_of_their_own(written):
    further = {256: hashlib.sha256(b"larger").hexdigest(), 192: hashlib.sha256(b"medium").hexdigest()}
    info = replace(read_info(written)[0], further_graphs=further)
    places = layout(TENSORS, replace(info, further_graphs=dict.fromkeys(further, "")))
    write_weights(written, TENSORS, info)
    info, written_places = read_info(written)
    assert written_places == places, "the checksums must not move the tensors"
    assert info.further_graphs == further and info.sizes == (128, 256, 192)
    assert [info.graph_suffix(size) for size in info.sizes] == [".onnx", ".256.onnx", ".192.onnx"]
    assert int8_graph.suffix(info, 128) == ".int8.onnx" and int8_graph.suffix(info, 256) == ".256.int8.onnx"
    graph_path(written, ".256.onnx").write_bytes(b"larger")
    graph_path(written, ".192.onnx").write_bytes(b"larger")
    verify(written, info)
    verify(written, info, 256)
    with pytest.raises(WeightsError, match=r"rdr\.192\.onnx does not belong to rdr\.safetensors"):
        verify(written, info, 192)


def test_a_file_with_one_size_has_no_entry_for_others(written):
    assert b"further_graphs" not in written.read_bytes()
    assert read_info(written)[0].sizes == (128,)


def test_the_requested_size_must_have_a_graph(written):
    info, _ = read_info(written)
    assert choose_size(written, info, None) == choose_size(written, info, 128) == 128
    with pytest.raises(ConfigError, match=r"no graph for crops of 256 pixels; it has 128\. .*--size 128 256`"):
        choose_size(written, info, 256)
