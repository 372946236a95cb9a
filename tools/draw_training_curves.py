"""Draws the validation errors of trainings against the number of faces seen, on a logarithmic axis, and prints them.

python tools/draw_training_curves.py NAME=RUN[,RUN...] [NAME=RUN...] -o FILE.png [--column nme_3]

RUN is the folder of a training, with validation.csv and checkpoint.pt, or a CSV file with the column `faces`. Several
RUNs of one NAME follow each other: the faces are counted from the start of the first. The number of faces of a step is
in the configuration of the checkpoint. A row at 0 faces is drawn as a horizontal line. Trainings at several crop sizes
have a row for each size: give the size with NAME=RUN@SIZE.
"""

import argparse
import csv
import sys
from pathlib import Path

from rdrface.cli.script import reports_errors
from rdrface.errors import ConfigError, DataError
from rdrface.evaluation.report.curves import COLORS, legend, new_figure, save
from rdrface.evaluation.report.plots import require_matplotlib
from rdrface.evaluation.tables.tables import Row, Table
from rdrface.training.checkpoint import NAME, read_config

Curve = list[tuple[int, float]]
"""Number of faces seen, and error, in the order of the training."""


def read_rows(path: Path, column: str) -> list[dict[str, str]]:
    """Rows of a CSV file that have a value in a column.

    Raises:
        DataError: the file cannot be read, or has no such column.
    """
    try:
        with path.open(encoding="utf-8", newline="") as file:
            reader = csv.DictReader(file)
            rows = list(reader)
    except OSError as error:
        raise DataError(
            f"cannot read {path}: {error.strerror or error}; it is written at the first validation of a run"
        ) from error
    names = reader.fieldnames or []
    if column not in names:
        raise DataError(f"{path} has no column {column!r}; its columns are {', '.join(names)}")
    return [row for row in rows if row[column]]


def run_curve(path: Path, column: str) -> tuple[Curve, int]:
    """Curve of one run, and the number of faces at its end.

    Args:
        path: folder of a training, or a CSV file; of a training at several crop sizes, FOLDER@SIZE.
        column: name of the error.

    Raises:
        RdrError: a file cannot be read, or the run has several crop sizes and none is given.
    """
    if path.is_file():
        rows = read_rows(path, column)
        curve = [(int(float(row["faces"])), float(row[column])) for row in rows]
        return curve, max((faces for faces, _ in curve), default=0)
    folder, _, size = str(path).partition("@")
    path = Path(folder)
    rows = read_rows(path / "validation.csv", column)
    sizes = list(dict.fromkeys(row["crop_size"] for row in rows if row.get("crop_size")))
    if size or len(sizes) > 1:
        if size not in sizes:
            known = ", ".join(sizes) or "one, without a name"
            raise ConfigError(f"{path}: choose a crop size with {path}@SIZE; the validations have {known}")
        rows = [row for row in rows if row["crop_size"] == size]
    stages = read_config(path / NAME)["stage"]
    before = [0]
    for stage in stages:
        before.append(before[-1] + stage["steps"] * stage["batch_size"])
    curve = []
    for row in rows:
        stage = int(row["stage"])
        faces = before[stage] + int(row["step"]) * stages[stage]["batch_size"]
        # A resumed run may repeat a validation.
        if not curve or faces > curve[-1][0]:
            curve.append((faces, float(row[column])))
    return curve, curve[-1][0] if curve else 0


def joined_curve(paths: list[Path], column: str) -> Curve:
    """Curve of runs that follow each other. The first row of a later run, at its start, repeats the end of the earlier
    one and is left out."""
    result: Curve = []
    seen = 0
    for path in paths:
        curve, last = run_curve(path, column)
        result += [(seen + faces, error) for faces, error in curve if not result or faces > 0]
        seen += last
    return result


def draw(curves: dict[str, Curve], column: str, path: Path) -> None:
    """Write the figure."""
    figure, axes = new_figure("Error on held-out faces during training", (7.2, 4.6))
    for color, (name, curve) in zip(COLORS, curves.items(), strict=False):
        started = [error for faces, error in curve if faces == 0]
        trained = [point for point in curve if point[0] > 0]
        if started:
            axes.axhline(started[0], color=color, linewidth=0.8, linestyle=":")
        axes.plot(*zip(*trained, strict=True), "o-", color=color, markersize=3.5, label=name)
    axes.set_xscale("log")
    axes.set(xlabel="faces seen (dotted: before the first step)", ylabel=f"{column}, % of the face size")
    legend(axes, loc="upper right")
    save(figure, path)


@reports_errors
def main() -> int:
    """Draw the figure and print the table; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("curves", nargs="+", metavar="NAME=RUN[,RUN...]", help="a curve: its name and its runs")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="FILE.png", help="figure to write")
    parser.add_argument("--overwrite", action="store_true", help="replace an existing figure")
    parser.add_argument("--column", default="nme_3", help="column of validation.csv (default: nme_3)")
    args = parser.parse_args()
    require_matplotlib()
    if args.output.exists() and not args.overwrite:
        raise ConfigError(f"{args.output} exists; name another file or pass --overwrite")
    curves = {}
    for text in args.curves:
        name, _, paths = text.partition("=")
        if not paths:
            raise ConfigError(f"a curve must be NAME=RUN[,RUN...]; got {text!r}")
        curves[name] = joined_curve([Path(path) for path in paths.split(",")], args.column)
        if not any(faces for faces, _ in curves[name]):
            raise DataError(f"{text}: no validation after the first step yet")
    draw(curves, args.column, args.output)
    rows = tuple(Row(name, (faces, error)) for name, curve in curves.items() for faces, error in curve)
    print(Table(f"{args.column} on held-out faces", ("faces", "error"), rows).to_text())
    return 0


if __name__ == "__main__":
    sys.exit(main())
