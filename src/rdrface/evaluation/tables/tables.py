"""Plain text tables as papers print them. Numbers taken from a publication are marked, never mixed in unseen."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

Cell = float | int | str | None


@dataclass(frozen=True)
class Row:
    """One line of a table.

    Attributes:
        name: of the method or subset.
        cells: one per column; None or NaN is printed as a dash.
        quoted: the publication that the numbers were taken from; empty when they were measured here.
    """

    name: str
    cells: tuple[Cell, ...]
    quoted: str = ""


@dataclass(frozen=True)
class Table:
    """Title, column heads, rows, and notes that are printed below."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for row in self.rows:
            if len(row.cells) != len(self.columns):
                raise ValueError(f"row '{row.name}' has {len(row.cells)} cells for {len(self.columns)} columns")

    def to_text(self) -> str:
        """The table with aligned columns; quoted rows carry a mark and their source stands below."""
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
        """For JSON: rows as {name, quoted, column: number}; NaN becomes None."""
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
