"""`tools/collection_cost.py`: numbers and files that cannot be used."""

import sys
from pathlib import Path

import pytest

pytest.importorskip("pyarrow")

TOOLS = Path(__file__).resolve().parents[2] / "tools"


@pytest.fixture
def collection_cost(monkeypatch):
    monkeypatch.syspath_prepend(str(TOOLS))
    import collection_cost

    return collection_cost


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--rate", "0"], "must be a number above 0; got 0"),
        (["--rate", "nan"], "must be a number above 0; got nan"),
        (["--rate", "1", "--photos", "-5"], "must be a number above 0; got -5"),
        (["--rate", "1", "--cores", "0"], "must be a whole number of at least 1; got 0"),
        (["--rate", "1"], "no file at missing.parquet"),
    ],
)
def test_wrong_arguments_are_usage_errors(collection_cost, monkeypatch, capsys, words, message):
    monkeypatch.setattr(sys, "argv", ["collection_cost.py", "missing.parquet", *words])
    with pytest.raises(SystemExit) as raised:
        collection_cost.main()
    assert raised.value.code == 2 and message in capsys.readouterr().err


def test_other_files_are_an_error(collection_cost, monkeypatch, capsys, tmp_path):
    (tmp_path / "a.parquet").write_bytes(b"text")
    monkeypatch.setattr(sys, "argv", ["collection_cost.py", str(tmp_path / "a.parquet"), "--rate", "1"])
    with pytest.raises(SystemExit):
        collection_cost.main()
    assert "is damaged or was not written by `rdrface annotate`" in capsys.readouterr().err
