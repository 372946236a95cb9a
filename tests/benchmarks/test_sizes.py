"""benchmarks/sizes: the table of crop sizes and precisions."""

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest

from rdrface.errors import ConfigError
from stub_aligner import write_ibug

MEASURE = Path(__file__).resolve().parents[2] / "benchmarks" / "sizes" / "measure.py"


@pytest.fixture
def measure(monkeypatch):
    """The module; other benchmarks have one of the same name."""
    spec = importlib.util.spec_from_file_location("measure_sizes", MEASURE)
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "measure_sizes", module)
    spec.loader.exec_module(module)
    return module


def test_rows_are_compared_with_the_first_on_the_large_faces(measure):
    rows = [
        measure.Measurement(size, precision, {"merl-rav": np.full(3, 2.0), "300w": eyes}, 6.0, 12.0)
        for size, precision, eyes in (
            (128, "float32", np.array([4.0, 5.0, 6.0])),
            (256, "int8", np.array([4.0, 4.5, 5.5])),
        )
    ]
    table = measure.table(rows, np.array([False, True, True]))
    assert [row.name for row in table.rows] == ["128 pixels, float32", "256 pixels, int8"]
    assert table.rows[0].cells[3] == "+0.000 ± 0.000"
    assert table.rows[1].cells[2:4] == ("5.00 ± 0.50", "-0.500 ± 0.000")
    assert "2 faces whose crop" in table.to_text()


def test_sizes_are_passed_on_and_unsupported_precisions_are_left_out(measure, tmp_path, monkeypatch, capsys):
    write_ibug(tmp_path)
    held_out = measure.SETS["300w"].read(tmp_path)
    monkeypatch.setattr(measure, "read_held_out", lambda name, folder, config: held_out)
    monkeypatch.setitem(measure.SETS, "merl-rav", measure.SETS["300w"])
    asked = []

    def fake(faces, repeats, options):
        asked.append((options["size"], options["precision"]))
        if options["precision"] == "bfloat16":
            raise ConfigError("needs another processor")
        errors = {name: np.full(len(records), 3.0) for name, records in faces.items()}
        return measure.Measurement(options["size"], options["precision"], errors, 1.0, 2.0)

    monkeypatch.setattr(measure, "measure", fake)
    words = [tmp_path, tmp_path, "--sizes", "128", "256", "--precisions", "int8", "bfloat16", "--faces", "2"]
    monkeypatch.setattr(sys, "argv", ["measure.py", *map(str, words)])
    assert measure.main() == 0
    printed = capsys.readouterr()
    assert asked == [(128, "int8"), (128, "bfloat16"), (256, "int8"), (256, "bfloat16")]
    assert "256 pixels, int8" in printed.out and "bfloat16" not in printed.out
    assert "needs another processor" in printed.err
