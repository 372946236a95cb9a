"""Curves of trainings against the number of faces seen."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from short_run import packed_synthetic_faces, short_run

TOOLS = Path(__file__).resolve().parents[2] / "tools"


Draw = Callable[..., int]


@pytest.fixture
def draw(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Draw:
    """Runs the tool on a curve and returns its exit status; the figure is ``curves.png``."""
    pytest.importorskip("matplotlib")
    monkeypatch.syspath_prepend(str(TOOLS))
    import draw_training_curves

    def run(curve: str, *options: str) -> int:
        capsys.readouterr()
        words = ["draw_training_curves.py", curve, "-o", str(tmp_path / "curves.png"), *options]
        monkeypatch.setattr(sys, "argv", words)
        return draw_training_curves.main()

    return run


def test_faces_are_counted_from_the_first_of_joined_runs(
    tmp_path: Path, draw: Draw, capsys: pytest.CaptureFixture[str]
) -> None:

    first = tmp_path / "first"
    short_run(packed_synthetic_faces(tmp_path, 6), first)  # one step of four faces
    (first / "validation.csv").write_text("stage,step,nme_1,nme_2\n0,0,9.0,8.0\n0,1,7.0,6.0\n0,1,7.0,6.0\n")
    (tmp_path / "second.csv").write_text("faces,nme_2\n0,6.0\n100,5.0\n")
    assert draw(f"long={first},{tmp_path / 'second.csv'}", "--column", "nme_2") == 0
    rows = [line.split()[1:] for line in capsys.readouterr().out.splitlines() if line.startswith("long")]
    assert rows == [["0", "8.00"], ["4", "6.00"], ["104", "5.00"]]
    with Image.open(tmp_path / "curves.png") as image:
        assert image.width > 800


def test_a_curve_of_a_training_at_several_crop_sizes_is_of_one_of_them(
    tmp_path: Path, draw: Draw, capsys: pytest.CaptureFixture[str]
) -> None:

    run = tmp_path / "run"
    short_run(packed_synthetic_faces(tmp_path, 6), run)  # one step of four faces
    lines = ["stage,step,crop_size,nme_2", "0,0,128,9.0", "0,0,256,8.0", "0,1,128,7.0", "0,1,256,6.0"]
    (run / "validation.csv").write_text("\n".join(lines))
    column = ("--column", "nme_2")
    for text in (f"a={run}", f"a={run}@64"):
        assert draw(text, *column) == 2
        assert "@SIZE; the validations have 128, 256" in capsys.readouterr().err
    assert draw(f"a={run}@256", *column) == 0
    rows = [line.split()[1:] for line in capsys.readouterr().out.splitlines() if line.startswith("a ")]
    assert rows == [["0", "8.00"], ["4", "6.00"]]
    assert draw(f"a={run}@256", *column) == 2  # the figure exists
    assert "--overwrite" in capsys.readouterr().err
    assert draw(f"a={run}@256", *column, "--overwrite") == 0


def test_a_run_without_validation_and_an_unknown_column_are_reported(
    tmp_path: Path, draw: Draw, capsys: pytest.CaptureFixture[str]
) -> None:

    (tmp_path / "a.csv").write_text("faces,nme_2\n10,6.0\n")
    for curve, message in ((f"a={tmp_path}", "first validation"), (f"a={tmp_path / 'a.csv'}", "no column 'nme_3'")):
        assert draw(curve) == 1
        assert message in capsys.readouterr().err
    assert not (tmp_path / "curves.png").exists()
