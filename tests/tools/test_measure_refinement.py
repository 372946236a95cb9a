"""The tool that measures the error after every iteration of the refinement."""

import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import rdrface
from annotated import write_pts
from rdrface.datasets.readers import read_w300
from rdrface.loading import LITE_WEIGHTS, PACKAGED_WEIGHTS
from short_run import packed_synthetic_faces, short_run

TOOLS = Path(__file__).resolve().parents[2] / "tools"


@pytest.fixture(autouse=True)
def import_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(TOOLS))


def test_packed_faces_have_one_row_per_iteration(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import measure_refinement

    faces = packed_synthetic_faces(tmp_path, 6)
    faces.save(tmp_path / "val.safetensors")
    short_run(faces, tmp_path)
    capsys.readouterr()
    words = ["--packed", tmp_path / "val.safetensors", "--weights", tmp_path, "--limit", "4"]
    monkeypatch.setattr(sys, "argv", ["measure_refinement.py", *map(str, words)])
    assert measure_refinement.main() == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("4 packed faces")
    rows = [line.split()[-3:] for line in lines if line.startswith("k = ")]
    assert len(rows) == 3
    assert rows[0][0] == rows[0][1]  # S_0 is S_p


def test_the_last_iteration_is_the_output_of_the_aligner(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import measure_refinement

    data = pytest.importorskip("skimage.data")
    image, aligner = data.astronaut(), rdrface.load("lite", precision="float32")
    Image.fromarray(image).save(tmp_path / "a.png")
    write_pts(tmp_path / "a.pts", aligner.align(image, np.array([[177.0, 84, 272, 180]]))[0].landmarks + 1)
    faces = read_w300(tmp_path)
    network, size = measure_refinement.read_weights(LITE_WEIGHTS)
    points = measure_refinement.predicted_points(network, faces, size)
    face = aligner.align(image, faces.box)[0]
    for name, values in points.items():
        expected = face.landmarks_3d[:, :2] if name == "projection_jawline" else getattr(face, name)
        np.testing.assert_allclose(values[-1, 0], expected, atol=0.05)
    np.testing.assert_array_equal(points["landmarks"][0], points["projection"][0])

    words = ["300w", tmp_path, "--weights", "lite"]
    monkeypatch.setattr(sys, "argv", ["measure_refinement.py", *map(str, words)])
    assert measure_refinement.main() == 0
    printed = capsys.readouterr().out
    assert [line.split()[2] for line in printed.splitlines() if line.startswith("k = ")] == ["0", "1", "2", "1", "2"]


def test_a_dataset_or_packed_faces_are_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    import measure_refinement

    monkeypatch.setattr(sys, "argv", ["measure_refinement.py", "300w"])
    with pytest.raises(SystemExit):
        measure_refinement.main()


@pytest.mark.parametrize("words", [["300w", "folder", "--packed", "f"], ["--packed", "f", "--held-out", "rdr"]])
def test_a_dataset_beside_packed_faces_is_refused(words: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    import measure_refinement

    monkeypatch.setattr(sys, "argv", ["measure_refinement.py", *words])
    with pytest.raises(SystemExit):
        measure_refinement.main()


def test_sizes_and_weights_that_cannot_be_used_are_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import measure_refinement

    monkeypatch.setattr(sys, "argv", ["measure_refinement.py", "300w", str(tmp_path), "--size", "100"])
    assert measure_refinement.main() == 2
    assert "--size must be positive multiples of 32; got 100" in capsys.readouterr().err
    missing = tmp_path / "missing.safetensors"
    monkeypatch.setattr(sys, "argv", ["measure_refinement.py", "300w", str(tmp_path), "--weights", str(missing)])
    assert measure_refinement.main() != 0
    assert str(missing) in capsys.readouterr().err


def test_a_size_with_its_own_convolutions_is_measured_with_them() -> None:
    import torch

    import measure_refinement

    default, small = measure_refinement.read_weights(PACKAGED_WEIGHTS)
    larger, large = measure_refinement.read_weights(PACKAGED_WEIGHTS, 256)
    other, unusual = measure_refinement.read_weights(PACKAGED_WEIGHTS, 192)
    assert (small, large, unusual) == (128, 256, 192)
    assert not torch.equal(default.backbone.stem[0].weight, larger.backbone.stem[0].weight)
    assert torch.equal(default.backbone.stem[0].weight, other.backbone.stem[0].weight)
