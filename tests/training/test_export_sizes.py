"""Weights with graphs for several crop sizes: the files, their checksums, and what loads them."""

import re
import shutil
from pathlib import Path

import numpy as np
import pytest

import rdrface
from exported import TWO_SIZES, some_crops
from rdrface.cli.main import main
from rdrface.errors import ConfigError, WeightsError
from rdrface.runtime import int8_graph, precision
from rdrface.runtime.session import BACKENDS
from rdrface.runtime.weights import read_info
from rdrface.runtime.weights_session import open_session

torch = pytest.importorskip("torch")
onnx = pytest.importorskip("onnx")

from rdrface.finetuning.weights import load_network  # noqa: E402
from rdrface.network.rdr import RDR  # noqa: E402
from rdrface.training.export import _remove_other_graphs, replaced_files  # noqa: E402
from rdrface.training.restore import restore  # noqa: E402

SUFFIXES = (".onnx", ".int8.onnx", ".256.onnx", ".256.int8.onnx")


@pytest.fixture
def copied(tmp_path: Path, two_size_weights: Path) -> Path:
    """The weights in a folder of their own, to be changed by a test."""
    for suffix in (".safetensors", *SUFFIXES):
        file = two_size_weights.with_suffix(suffix)
        shutil.copyfile(file, tmp_path / file.name)
    return tmp_path / two_size_weights.name


def test_all_graphs_refer_to_the_same_tensors_of_one_file(two_size_weights: Path) -> None:
    info, tensors = read_info(two_size_weights)
    assert info.sizes == TWO_SIZES
    places = {name: (str(place.offset), str(place.length)) for name, place in tensors.items()}
    for suffix in SUFFIXES:
        file = two_size_weights.with_suffix(suffix)
        assert file.stat().st_size < 400_000
        external = {
            tensor.name: {entry.key: entry.value for entry in tensor.external_data}
            for tensor in onnx.load(file, load_external_data=False).graph.initializer
            if tensor.data_location == onnx.TensorProto.EXTERNAL
        }
        assert {name: (entry["offset"], entry["length"]) for name, entry in external.items()} == places
        assert {entry["location"] for entry in external.values()} == {two_size_weights.name}


@pytest.mark.parametrize("size", [None, *TWO_SIZES])
def test_each_size_gives_the_outputs_of_the_network(size: int | None, two_size_weights: Path) -> None:
    network, info = restore(two_size_weights)
    crops = some_crops(2, size or TWO_SIZES[0])
    with torch.no_grad():
        expected = network(torch.from_numpy(crops)).steps[-1].landmarks.numpy()
    for backend in BACKENDS:
        session, _ = open_session(two_size_weights, backend, 1, size=size)
        assert session.input_size == crops.shape[-1]
        assert np.abs(session.run(crops)["landmarks"] - expected).max() < 1e-3
    assert info.input_size == TWO_SIZES[0]


@pytest.mark.parametrize("size", TWO_SIZES)
def test_each_size_has_an_int8_graph(size: int, two_size_weights: Path) -> None:
    if not precision._INT8_INSTRUCTIONS & precision.cpu_flags():
        pytest.skip("the processor has no VNNI")
    exact, _ = open_session(two_size_weights, threads=1, size=size)
    rounded, _ = open_session(two_size_weights, threads=1, size=size, precision="int8")
    assert (rounded.precision, rounded.input_size) == ("int8", size)
    crops = some_crops(2, size)
    assert 0 < np.abs(rounded.run(crops)["landmarks"] - exact.run(crops)["landmarks"]).mean() < 0.02


def test_an_aligner_uses_the_size_that_was_chosen(two_size_weights: Path) -> None:
    aligner = rdrface.load(two_size_weights, threads=1, size=256)
    assert repr(aligner).startswith("Aligner(256 px crops")
    (face,) = aligner.align(np.full((300, 300, 3), 128, np.uint8), [[50, 50, 250, 250]])
    assert np.isfinite(face.landmarks).all()
    assert repr(rdrface.load(two_size_weights, threads=1)).startswith("Aligner(128 px crops")


def test_the_error_for_another_size_names_the_available_ones(
    capsys: pytest.CaptureFixture[str], two_size_weights: Path
) -> None:
    message = r"has no graph for crops of 192 pixels; it has 128, 256.*rdrface export RUN -o .* --size 128 256 192"
    with pytest.raises(ConfigError, match=message):
        rdrface.load(two_size_weights, size=192)
    with pytest.raises(ConfigError, match=message):
        load_network(two_size_weights, 192)
    with pytest.raises(ValueError, match="size must be a whole number of at least 1; got '256'"):
        rdrface.load(two_size_weights, size="256")  # type: ignore[arg-type]
    assert main(["bench", "--weights", str(two_size_weights), "--size", "192"]) != 0
    assert re.search(message, capsys.readouterr().err)
    for command in (
        ["detect", "photo.jpg"],
        ["track", "clip.mp4"],
        ["evaluate", "300w", "folder"],
        ["finetune", "DIR"],
    ):
        with pytest.raises(SystemExit):
            main([*command, "-o" if command[0] != "evaluate" else "--json", "out", "--size", "0"])
        assert "--size: must be a whole number of at least 1" in capsys.readouterr().err


def test_a_damaged_or_missing_graph_concerns_only_its_size(copied: Path) -> None:
    graph = copied.with_suffix(".256.onnx")
    shutil.copyfile(copied.with_suffix(".onnx"), graph)
    with pytest.raises(WeightsError, match=r"256\.onnx does not belong to two\.safetensors"):
        open_session(copied, size=256)
    graph.unlink()
    with pytest.raises(WeightsError, match=r"256\.onnx is missing"):
        open_session(copied, size=256)
    assert open_session(copied, threads=1)[0].input_size == TWO_SIZES[0]


def test_an_int8_graph_belongs_to_the_graph_of_its_size(copied: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    info, _ = read_info(copied)
    content = {size: copied.with_suffix(int8_graph.suffix(info, size)).read_bytes() for size in TWO_SIZES}
    for size in TWO_SIZES:
        assert [int8_graph.is_sealed(content[other], info, size) for other in TWO_SIZES].count(True) == 1
        assert int8_graph.is_sealed(content[size], info, size)
    copied.with_suffix(".256.int8.onnx").write_bytes(content[128])
    monkeypatch.setattr(precision, "cpu_flags", lambda: frozenset({"avx512_vnni"}))
    with pytest.raises(WeightsError, match=r"256\.int8\.onnx does not belong to two\.safetensors"):
        open_session(copied, size=256, precision="int8")


def test_weights_behind_links_have_all_sizes(tmp_path: Path, two_size_weights: Path) -> None:
    link = tmp_path / two_size_weights.name
    link.symlink_to(two_size_weights)
    assert open_session(link, threads=1, size=256)[0].input_size == 256


def test_fine_tuning_starts_at_the_size_that_was_chosen(tmp_path: Path, two_size_weights: Path) -> None:
    assert load_network(two_size_weights)[1] == 128
    network, size, _ = load_network(two_size_weights, 256)
    assert size == 256 and isinstance(network, RDR)


def test_quantize_writes_the_int8_graphs_of_all_sizes(
    copied: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from short_run import packed_synthetic_faces

    packed_synthetic_faces(tmp_path, 3).save(tmp_path / "faces.safetensors")
    command = ["quantize", str(copied), "--data", str(tmp_path / "faces.safetensors"), "--crops", "2"]
    copied.with_suffix(".int8.onnx").unlink()
    assert main(command) == 2
    assert "two.256.int8.onnx exists" in capsys.readouterr().err
    before = copied.with_suffix(".256.int8.onnx").read_bytes()
    assert main([*command, "--overwrite"]) == 0
    info, _ = read_info(copied)
    for size in TWO_SIZES:
        content = copied.with_suffix(int8_graph.suffix(info, size)).read_bytes()
        assert int8_graph.is_sealed(content, info, size) and content != before


def test_graphs_of_earlier_weights_are_removed(copied: Path) -> None:
    info, _ = read_info(copied)
    others = ["two.320.onnx", "two.320.int8.onnx", "two.512.onnx", "two.512.safetensors", "other.320.onnx"]
    for name in others:
        copied.with_name(name).touch()
    removed = {"two.int8.onnx", "two.256.int8.onnx", "two.320.onnx", "two.320.int8.onnx"}
    replaced = {"two.safetensors", "two.onnx", "two.256.onnx"}
    assert {path.name for path in replaced_files(copied, info.further_graphs)} == removed | replaced
    _remove_other_graphs(copied, info)
    # two.512.onnx is the graph of two.512.safetensors.
    kept = {"two.safetensors", "two.onnx", "two.256.onnx", "two.512.onnx", "two.512.safetensors", "other.320.onnx"}
    assert {path.name for path in copied.parent.iterdir()} == kept
