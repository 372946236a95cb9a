"""`rdrface export`: its options."""

from pathlib import Path

import pytest

pytest.importorskip("torch")

from rdrface.cli.main import main
from rdrface.runtime.weights import read_info
from short_run import packed_synthetic_faces, short_run


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.no_cover  # tracing makes the export several times slower
def test_a_run_is_exported_for_several_sizes(capsys: pytest.CaptureFixture[str]) -> None:
    faces = packed_synthetic_faces(Path("images"), 4)
    short_run(faces, Path("run"))
    faces.save(Path("run", "train.safetensors"))
    assert main(["export", "run", "-o", "mine.safetensors", "--size", "32", "64", "--iterations", "0"]) == 0
    assert capsys.readouterr().out.startswith("mine.safetensors: 32 and 64 px crops, K = 0")
    assert read_info(Path("mine.safetensors"))[0].sizes == (32, 64)
    written = {path.name for path in Path().glob("mine.*")}
    assert written == {"mine.safetensors", "mine.onnx", "mine.int8.onnx", "mine.64.onnx", "mine.64.int8.onnx"}


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
