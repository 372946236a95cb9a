"""`rdrface export`: its options."""

from pathlib import Path

import pytest

pytest.importorskip("torch")

from exported import TWO_SIZES
from rdrface.cli.main import main
from rdrface.runtime.weights import read_info


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_a_run_is_exported_for_several_sizes(two_size_weights: Path) -> None:
    info, _ = read_info(two_size_weights)
    assert (info.sizes, info.iterations) == (TWO_SIZES, 1)
    assert "two.safetensors: 128 and 256 px crops, K = 1" in two_size_weights.with_name("out.txt").read_text()
    written = {path.name for path in two_size_weights.parent.glob("two.*")}
    assert written == {"two.safetensors", "two.onnx", "two.int8.onnx", "two.256.onnx", "two.256.int8.onnx"}


def test_sizes_that_cannot_be_used_and_existing_graphs_are_reported(capsys: pytest.CaptureFixture[str]) -> None:
    command = ["export", "run", "-o", "mine.safetensors", "--size"]
    for sizes, message in (
        (("128", "100"), "--size must be positive multiples of 32; got 100"),
        (("64", "64"), "--size must be different sizes; got [64, 64]"),
    ):
        assert main([*command, *sizes]) == 2
        assert message in capsys.readouterr().err
    Path("mine.256.onnx").touch()
    assert main([*command, "128", "256"]) == 2
    assert "mine.256.onnx exists; name another file or pass --overwrite" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["mine.onnx", "mine.int8.onnx", "mine.320.onnx", "mine.96.int8.onnx"])
def test_no_graph_is_replaced_or_removed_without_overwrite(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path(name).write_text("of the user")
    assert main(["export", "run", "-o", "mine.safetensors", "--size", "64"]) == 2
    assert f"{name} exists; name another file or pass --overwrite" in capsys.readouterr().err
    assert Path(name).read_text() == "of the user"
