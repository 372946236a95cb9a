"""The tool that compares the contour methods: its table."""

from pathlib import Path

import pytest

from rdrface.morphable.landmark_model import LandmarkModel
from rdrface.morphable.model import FaceModel

TOOLS = Path(__file__).resolve().parents[2] / "tools"


def test_the_table_has_a_cell_per_pose_and_the_contour_line_is_more_accurate(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(TOOLS))
    import draw_contour_methods as tool

    monkeypatch.setattr(tool, "PITCHES", (-30, 0))
    monkeypatch.setattr(tool, "YAWS", (0, 45))
    model = FaceModel.load()
    lines = tool.table(model, LandmarkModel.from_face_model(model), 1).splitlines()
    assert lines[0] == "| pitch \\ yaw | 0° | 45° |"
    assert [line.count(" / ") for line in lines[2:4]] == [2, 2]
    words = lines[-1].split()
    assert float(words[words.index("mm,") - 1]) > float(words[-2])
