"""The notebook in examples/ runs, and its stored outputs are small and of the same kinds."""

import json
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NOTEBOOK = ROOT / "examples" / "rdrface.ipynb"


def code_cells(notebook: dict) -> list[dict]:
    return [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]


def kinds(cell: dict) -> list[list[str]]:
    """For each output, its MIME types, or the name of the stream."""
    return [sorted(output.get("data", [output.get("name")])) for output in cell["outputs"]]


def test_the_stored_notebook_is_small_and_was_run_from_top_to_bottom():
    notebook = json.loads(NOTEBOOK.read_text(encoding="utf-8"))
    assert NOTEBOOK.stat().st_size < 1_000_000
    cells = code_cells(notebook)
    assert [cell["execution_count"] for cell in cells] == list(range(1, len(cells) + 1))
    assert all(cell["outputs"] for cell in cells)
    identifiers = [cell["id"] for cell in notebook["cells"]]
    assert len(set(identifiers)) == len(identifiers)
    assert sum("image/jpeg" in kind for cell in cells for kind in kinds(cell)) >= 8


def test_the_notebook_runs(tmp_path, monkeypatch):
    for package in ("av", "pandas"):
        pytest.importorskip(package)
    monkeypatch.syspath_prepend(str(ROOT / "tools"))
    import run_notebook

    stored = json.loads(NOTEBOOK.read_text(encoding="utf-8"))
    notebook = json.loads(NOTEBOOK.read_text(encoding="utf-8"))
    for cell in code_cells(notebook):
        cell["outputs"], cell["execution_count"] = [], None
    run_notebook.run(notebook, tmp_path)
    assert [kinds(cell) for cell in code_cells(notebook)] == [kinds(cell) for cell in code_cells(stored)]
    assert {"clip.mp4", "face.glb", "face.json"} <= {path.name for path in tmp_path.iterdir()}


def test_outputs_are_those_of_jupyter(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "tools"))
    import run_notebook

    names: dict = {}
    assert run_notebook.execute("x = 2", names, 1) == []
    (printed, value) = run_notebook.execute("print('a')\nx + 1", names, 2)
    assert printed == {"name": "stdout", "output_type": "stream", "text": ["a\n"]}
    assert value["data"] == {"text/plain": ["3"]} and value["execution_count"] == 2
    assert run_notebook.execute("x;", names, 3) == [] and run_notebook.execute("None", names, 4) == []
    with pytest.raises(ZeroDivisionError):
        run_notebook.execute("1 / 0", names, 5)


@pytest.mark.parametrize("content", [None, "text", "[]", "{}"])
def test_files_that_are_no_notebooks_are_usage_errors(monkeypatch, capsys, tmp_path, content):
    monkeypatch.syspath_prepend(str(ROOT / "tools"))
    import run_notebook

    path = tmp_path / "a.ipynb"
    if content is not None:
        path.write_text(content)
    monkeypatch.setattr("sys.argv", ["run_notebook.py", str(path)])
    with pytest.raises(SystemExit) as raised:
        run_notebook.main()
    assert raised.value.code == 2 and "is not a notebook" in capsys.readouterr().err
