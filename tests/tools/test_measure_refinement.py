"""The tool that measures the error after every iteration of the refinement."""

import sys
from pathlib import Path

import pytest

from short_run import packed_synthetic_faces, short_run

TOOLS = Path(__file__).resolve().parents[2] / "tools"


def test_the_table_has_one_row_per_iteration(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.syspath_prepend(str(TOOLS))
    import measure_refinement

    faces = packed_synthetic_faces(tmp_path, 6)
    faces.save(tmp_path / "val.safetensors")
    short_run(faces, tmp_path)
    capsys.readouterr()
    monkeypatch.setattr(sys, "argv", ["measure_refinement.py", str(tmp_path), "--limit", "4"])
    measure_refinement.main()
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("4 packed faces")
    rows = [line.split()[-3:] for line in lines if line.startswith("k = ")]
    assert len(rows) == 3
    assert rows[0][0] == rows[0][1]  # S_0 is S_p
