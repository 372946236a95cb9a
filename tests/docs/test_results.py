"""The figures of docs/results.md agree with the output of the shipped weights."""

import re
from pathlib import Path

import pytest

import rdrface
from rdrface.evaluation.predictions.aligning import run_aligner
from rdrface.evaluation.protocols.sets import SETS

RESULTS = Path(__file__).parents[2] / "docs" / "results.md"
COMMAND = "    rdrface evaluate aflw2000-3d aflw2000_3d_dev\n"


def published() -> dict[str, list[list[float]]]:
    """Name of a measured row -> its numbers in every table of the block that contains the name."""
    block = RESULTS.read_text(encoding="utf-8").partition(COMMAND)[2].split("```")[1]
    rows: dict[str, list[list[float]]] = {}
    for line in block.splitlines():
        if match := re.match(r"(rdrface\b.*?)\s{2,}([-\d. ]+)$", line):
            rows.setdefault(match[1], []).append([float(cell) for cell in match[2].split() if cell != "-"])
    return rows


def test_aflw2000_figures_are_those_of_the_shipped_weights(shared_data: Path) -> None:
    pytest.importorskip("scipy")
    evaluation_set = SETS["aflw2000-3d"]
    faces = evaluation_set.read(shared_data / "aflw2000_3d_dev")
    assert len(faces) == 200
    predictions, unreadable = run_aligner(rdrface.load(precision="float32"), faces, evaluation_set.outputs)
    assert not unreadable
    measured: dict[str, list[list[float]]] = {}
    for table in evaluation_set.tables(faces, predictions):
        for row in table.rows:
            if row.name.startswith("rdrface"):
                cells = [float(cell) for cell in row.cells if isinstance(cell, float | int)]
                measured.setdefault(row.name, []).append(cells)
    rows = published()
    assert rows.keys() == measured.keys() and len(rows) >= 6
    for name, tables in rows.items():
        for expected, received in zip(tables, measured[name], strict=True):
            # Two digits are printed; another processor's arithmetic may change the last.
            assert received == pytest.approx(expected, abs=0.03), name
