"""Plain-text tables in the layout of papers. Numbers quoted from a publication are always marked."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

Cell = float | int | str | None


@dataclass(frozen=True)
class Row:
    """One row of a table.

    Attributes:
        name: name of the method or subset.
        cells: one per column; None and NaN are printed as a dash.
        quoted: publication that the numbers are quoted from; empty for numbers measured here.
    """

    name: str
    cells: tuple[Cell, ...]
    quoted: str = ""


@dataclass(frozen=True)
class Table:
    """Title, column heads, rows, and notes printed below the table."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for row in self.rows:
            if len(row.cells) != len(self.columns):
                raise ValueError(f"row '{row.name}' has {len(row.cells)} cells for {len(self.columns)} columns")

    def to_text(self) -> str:
        """The table with aligned columns. Quoted rows are marked, and their sources are listed below the table."""
        sources = list(dict.fromkeys(row.quoted for row in self.rows if row.quoted))
        marks = {source: f"[{i + 1}]" for i, source in enumerate(sources)}
        lines = [(self._named(row, marks), *(_text(cell) for cell in row.cells)) for row in self.rows]
        heads = ("", *self.columns)
        widths = [max(len(line[i]) for line in (heads, *lines)) for i in range(len(heads))]
        rule = "-" * (sum(widths) + 2 * (len(widths) - 1))
        text = [self.title, rule, _aligned(heads, widths), rule, *(_aligned(line, widths) for line in lines), rule]
        text += [f"{mark} quoted, not measured here: {source}" for source, mark in marks.items()]
        return "\n".join([*text, *self.notes])

    def to_dict(self) -> dict[str, Any]:
        """The table for JSON: rows as {name, quoted, column: number}; NaN becomes None."""
        rows = [
            {
                "name": row.name,
                "quoted": row.quoted or None,
                **{column: _plain(cell) for column, cell in zip(self.columns, row.cells, strict=True)},
            }
            for row in self.rows
        ]
        return {"title": self.title, "rows": rows, "notes": list(self.notes)}

    @staticmethod
    def _named(row: Row, marks: dict[str, str]) -> str:
        return f"{row.name} {marks[row.quoted]}" if row.quoted else row.name


def _aligned(line: Sequence[str], widths: Sequence[int]) -> str:
    first = line[0].ljust(widths[0])
    return "  ".join([first, *(cell.rjust(width) for cell, width in zip(line[1:], widths[1:], strict=True))]).rstrip()


def _text(cell: Cell) -> str:
    if cell is None or (isinstance(cell, float) and math.isnan(cell)):
        return "-"
    return f"{cell:.2f}" if isinstance(cell, float) else str(cell)


def _plain(cell: Cell) -> Cell:
    return None if isinstance(cell, float) and math.isnan(cell) else cell
