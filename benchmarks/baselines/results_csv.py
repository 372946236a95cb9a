"""The figures of comparison tables as one CSV file: one row per figure, formatted as in the printed tables."""

import csv
from pathlib import Path

from comparison import ComparisonTable

from rdrface.errors import DataError
from rdrface.files import write_aside

COLUMNS = ("set", "boxes", "points", "faces", "metric", "bin", "method", "value")
"""set: name on the command line. boxes: own or given. bin: |yaw| in degrees, or another column of the printed table."""

Figure = dict[str, str]


def figures(set_name: str, boxes: str, comparison: ComparisonTable) -> list[Figure]:
    """The figures of one table; cells without a value are left out."""
    rows = []
    for row in comparison.table.rows:
        for column, cell in zip(comparison.table.columns, row.cells, strict=True):
            if cell is None or cell != cell:
                continue
            is_count = row.name == "faces"
            rows.append(
                {
                    "set": set_name,
                    "boxes": boxes,
                    "points": comparison.points,
                    "faces": comparison.faces,
                    "metric": "number of faces" if is_count else comparison.metric or column,
                    "bin": column if comparison.metric else "",
                    "method": "" if is_count else row.name,
                    "value": f"{cell:.2f}" if isinstance(cell, float) else str(cell),
                }
            )
    return rows


def read_csv(path: Path) -> list[Figure]:
    """The figures of a file.

    Raises:
        DataError: the file cannot be read, or has other columns than `COLUMNS`.
    """
    try:
        with path.open(newline="", encoding="utf-8") as file:
            reader = csv.DictReader(file)
            if tuple(reader.fieldnames or ()) != COLUMNS:
                raise DataError(f"{path} must have the columns {','.join(COLUMNS)}; got {reader.fieldnames}")
            return list(reader)
    except (OSError, ValueError) as error:
        raise DataError(f"cannot read {path}: {error}") from error


def write_csv(path: Path, set_name: str, rows: list[Figure]) -> None:
    """Write the figures of one set; figures of other sets in the file are kept.

    Raises:
        DataError: the file exists, but is not a file of figures.
    """
    kept = [row for row in read_csv(path) if row["set"] != set_name] if path.exists() else []
    with write_aside(path) as partial, partial.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows([*kept, *rows])
