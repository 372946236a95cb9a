"""The tool that fits the difference between HPEN's face model and rdrface's."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from annotated_faces import annotations
from rdrface.geometry.rotation import rotation_about
from rdrface.morphable.model import FaceModel

TOOLS = Path(__file__).resolve().parents[2] / "tools"


@pytest.fixture(autouse=True)
def import_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(TOOLS))


def test_images_of_a_person_are_in_one_fold() -> None:
    import fit_hpen_model as tool

    images = [f"AFW_{person}_1_{image}.jpg" for person in range(20) for image in range(3)]
    fold = tool.folds(replace(annotations(60), image=np.array(images))).reshape(20, 3)
    assert (fold == fold[:, :1]).all()
    assert np.bincount(fold[:, 0]).tolist() == [4] * tool.FOLDS


def test_a_dependence_on_the_expression_lowers_the_error_of_held_out_people() -> None:
    import fit_hpen_model as tool

    draws, model = np.random.default_rng(0), FaceModel.load()
    hpen, expression = rotation_about(draws.normal(size=(200, 3))), draws.random((200, 46))
    vectors = np.zeros((200, 3))
    alone = int(np.flatnonzero(model.expression_mirror == np.arange(46))[0])
    vectors[:, 0] = np.radians(2 + 6 * expression[:, alone])
    table, penalty = tool.cross_validated(hpen, hpen @ rotation_about(vectors), expression, model, np.arange(200) % 5)
    means = {row.name: row.cells[0] for row in table.rows}
    assert means["no conversion"] == pytest.approx(5, abs=0.5)
    assert means["constant rotation"] < 2
    assert penalty == min(tool.PENALTIES) and means[f"constant and alpha_exp, penalty {penalty:g}"] < 0.2


def test_an_existing_file_is_refused_before_the_faces_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import fit_hpen_model as tool

    output = tmp_path / "hpen_model.csv"
    output.write_text("mine")
    monkeypatch.setattr("sys.argv", ["fit_hpen_model.py", str(tmp_path / "300W_LP"), "-o", str(output)])
    assert tool.main() == 2
    assert "hpen_model.csv exists; name another file or pass --overwrite" in capsys.readouterr().err
    assert output.read_text() == "mine"
