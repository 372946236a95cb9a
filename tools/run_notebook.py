"""Runs a notebook without Jupyter and stores the outputs in it.

python tools/run_notebook.py examples/rdrface.ipynb

The cells are executed in order, in a temporary folder. An image as the value of a cell is stored as JPEG. Jupyter runs
the notebook too; this tool only keeps the outputs small and needs no further packages.
"""

import argparse
import ast
import base64
import io
import json
import sys
import tempfile
from contextlib import chdir, redirect_stdout
from pathlib import Path
from typing import Any

from PIL import Image

from rdrface.cli.script import reports_errors
from rdrface.files import write_aside

QUALITY = 85
"""Of the JPEG images."""


@reports_errors
def main() -> None:
    """Run the notebook."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("notebook", type=Path, metavar="FILE", help="notebook, whose outputs are replaced")
    path = parser.parse_args().notebook
    try:
        notebook = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        parser.error(f"{path} is not a notebook that can be read: {error}")
    if not isinstance(notebook, dict) or not isinstance(notebook.get("cells"), list):
        parser.error(f"{path} is not a notebook of nbformat 4: it has no list of cells")
    with tempfile.TemporaryDirectory() as folder:
        run(notebook, Path(folder))
    with write_aside(path) as partial:
        partial.write_text(json.dumps(notebook, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    print(f"{path}: {path.stat().st_size / 1000:.0f} kB")


def run(notebook: dict[str, Any], folder: Path) -> None:
    """Execute the code cells of a notebook (nbformat 4) in a folder, and set their outputs and numbers."""
    names: dict[str, Any] = {"__name__": "__main__"}
    number = 0
    with chdir(folder):
        for cell in notebook["cells"]:
            if cell["cell_type"] == "code":
                number += 1
                cell["execution_count"] = number
                cell["outputs"] = execute("".join(cell["source"]), names, number)


def execute(source: str, names: dict[str, Any], number: int) -> list[dict[str, Any]]:
    """Execute a cell.

    Args:
        source: its Python code.
        names: variables of the notebook; changed.
        number: of the cell, 1, 2, ...

    Returns:
        Outputs of nbformat 4: what was printed, and the value of the last line if it is an expression.
    """
    where = f"<cell {number}>"
    tree = ast.parse(source, where)
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    value, printed = None, io.StringIO()
    with redirect_stdout(printed):
        exec(compile(tree, where, "exec"), names)
        if isinstance(last, ast.Expr):
            value = eval(compile(ast.Expression(last.value), where, "eval"), names)
    outputs: list[dict[str, Any]] = []
    if printed.getvalue():
        outputs.append({"name": "stdout", "output_type": "stream", "text": lines(printed.getvalue())})
    if value is not None and not source.rstrip().endswith(";"):
        data = represented(value)
        outputs.append({"data": data, "execution_count": number, "metadata": {}, "output_type": "execute_result"})
    return outputs


def represented(value: Any) -> dict[str, Any]:
    """MIME type -> content that a notebook shows."""
    if isinstance(value, Image.Image):
        buffer = io.BytesIO()
        value.save(buffer, "JPEG", quality=QUALITY, optimize=True)
        image = base64.b64encode(buffer.getvalue()).decode()
        return {"image/jpeg": image, "text/plain": [f"<image of {value.width} x {value.height} pixels>"]}
    data: dict[str, Any] = {}
    if hasattr(value, "_repr_html_"):
        data["text/html"] = lines(value._repr_html_())
    return data | {"text/plain": lines(repr(value))}


def lines(text: str) -> list[str]:
    """A text as nbformat stores it."""
    return text.splitlines(keepends=True)


if __name__ == "__main__":
    sys.exit(main())
