"""The tool that measures the error after every iteration of the refinement."""

import sys
from pathlib import Path

import pytest
from lightning_fabric import Fabric

from rdrface.datasets.crops import pack
from rdrface.datasets.synthetic import draw_faces
from rdrface.training.config import StageConfig, TrainingConfig
from rdrface.training.loop import train

TOOLS = Path(__file__).resolve().parents[2] / "tools"


def test_the_table_has_one_row_per_iteration(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.syspath_prepend(str(TOOLS))
    import measure_refinement

    faces = pack(draw_faces(tmp_path, 6), 96)
    faces.save(tmp_path / "val.safetensors")
    fabric = Fabric(accelerator="cpu", devices=1)
    fabric.launch()
    train(
        TrainingConfig((StageConfig("joint", 1, crop_size=32, batch_size=4),), iterations=2),
        faces,
        None,
        tmp_path,
        fabric,
    )
    capsys.readouterr()
    monkeypatch.setattr(sys, "argv", ["measure_refinement.py", str(tmp_path), "--limit", "4"])
    measure_refinement.main()
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("4 packed faces")
    rows = [line.split()[-3:] for line in lines if line.startswith("k = ")]
    assert len(rows) == 3
    assert rows[0][0] == rows[0][1]  # S_0 is S_p
