"""The tables of a comparison, from annotated faces and what several methods said about them. Runs nothing."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from rdrface.datasets.annotations import Annotations
from rdrface.datasets.records import UNKNOWN, VISIBLE
from rdrface.evaluation.metrics.annotation_offset import median_offset, offsets_by_face
from rdrface.evaluation.metrics.errors import bounding_box_size, nme
from rdrface.evaluation.predictions.files import read_prediction_file
from rdrface.evaluation.predictions.matching import to_predictions
from rdrface.evaluation.predictions.predictions import Predictions
from rdrface.evaluation.tables.tables import Cell, Row, Table
from rdrface.geometry.yaw_bins import YAW_BIN_NAMES, yaw_index
from rdrface.landmarks import INNER, NUM_LANDMARKS

FAILURE = 10.0
"""Percent: a face with a larger NME counts as failed, as one that was not found does."""

COSTS = ("milliseconds", "processor_milliseconds", "detector_milliseconds")


@dataclass(frozen=True)
class Method:
    """What is known of one method.

    Attributes:
        name: of its rows.
        predictions: for the annotated faces; None: not measured.
        reason: why not.
        costs: any of `COSTS`, "megabytes", "installed_megabytes".
    """

    name: str
    predictions: Predictions | None = None
    reason: str = ""
    costs: Mapping[str, float] = field(default_factory=dict)

    @classmethod
    def read(cls, path: Path, annotations: Annotations) -> "Method":
        """From a recording.

        Raises:
            DataError: the file is damaged, or of other faces.
        """
        faces = read_prediction_file(path)
        predictions, _ = to_predictions(faces, annotations)
        content = json.loads(path.read_text(encoding="utf-8"))
        costs = {}
        for name in COSTS:
            values = [face[name] for face in content["faces"] if face.get(name) is not None]
            if values:
                costs[name] = float(np.median(values))
        costs |= {name: float(content[name]) for name in ("megabytes", "installed_megabytes") if content.get(name)}
        return cls(predictions.method, predictions, costs=costs)


def point_sets(annotations: Annotations) -> dict[str, np.ndarray]:
    """What is compared: name -> (N, 68) bool. Inner points are those on which all conventions of the contour agree.

    Points of unknown state count as visible ones.
    """
    seen = np.isin(annotations.state, (VISIBLE, UNKNOWN)) & np.isfinite(annotations.points).all(-1)
    inner = seen & np.isin(np.arange(NUM_LANDMARKS), INNER)
    visible = "visible " if (annotations.state == VISIBLE).any() else ""
    return {f"{visible}inner points": inner, f"all {visible}points": seen}


def accuracy_tables(annotations: Annotations, methods: list[Method], title: str) -> list[Table]:
    """How wrong, how often lost: by yaw, for every set of points.

    Args:
        annotations: N faces with angles; a face whose yaw is NaN counts in "all" only.
        methods: two or more to compare.
        title: of set and boxes.
    """
    index = _bins(annotations)
    size = bounding_box_size(annotations.points)
    measured = [method for method in methods if method.predictions is not None]
    notes = tuple(f"{method.name}: not measured: {method.reason}" for method in methods if method.predictions is None)
    tables = []
    for points, mask in point_sets(annotations).items():
        counts = mask.any(1)
        errors = {m.name: nme(m.predictions.landmarks, annotations.points, size, mask) for m in measured}
        unshifted = {m.name: _unshifted(annotations, m.predictions, size, mask) for m in measured}
        common = counts & np.all([np.isfinite(values) for values in errors.values()], axis=0)
        heads = (*YAW_BIN_NAMES, "mean of bins", "all", "all, shift removed")
        shift = "shift removed: each method's own constant offset from the labels, one per method, taken off first."
        for which, faces in (
            ("the faces that each method found", counts),
            ("the faces that all methods found", common),
        ):
            rows = []
            for name, values in errors.items():
                cells = _means(values, faces, index)
                mean_of_bins = float(np.mean(cells[:-1]))
                rest = float(np.nanmean(unshifted[name][faces])) if faces.any() else float("nan")
                rows.append(Row(name, (*cells[:-1], mean_of_bins, cells[-1], rest)))
            if faces is common:
                numbers = _numbers(faces, index)
                rows.append(Row("faces", (*numbers[:-1], None, numbers[-1], numbers[-1])))
            text = f"{title}, {points}: NME in percent of sqrt(w h), {which}, by |yaw| in degrees"
            tables.append(Table(text, heads, (*rows, *_dashes(methods, len(heads))), (*notes, shift)))
        failed = {n: np.where(np.isnan(values), 100.0, 100.0 * (values > FAILURE)) for n, values in errors.items()}
        rows = [Row(name, _means(values, counts, index)) for name, values in failed.items()]
        text = f"{title}, {points}: failures, percent of the faces not found or with an NME above {FAILURE:g} %"
        tables.append(Table(text, (*YAW_BIN_NAMES, "all"), (*rows, *_dashes(methods, 4)), notes))
    everyone = np.ones(len(annotations), bool)
    missed = [Row(m.name, _means(np.where(m.predictions.found, 0.0, 100.0), everyone, index)) for m in measured]
    faces_row = Row("faces", _numbers(everyone, index))
    text = f"{title}: percent of the faces that were not found"
    tables.append(Table(text, (*YAW_BIN_NAMES, "all"), (*missed, *_dashes(methods, 4), faces_row), notes))
    return tables


def cost_table(methods: list[Method], title: str) -> Table:
    """Milliseconds and megabytes."""
    names = (*COSTS, "megabytes", "installed_megabytes")
    rows = [Row(method.name, tuple(method.costs.get(name) for name in names)) for method in methods]
    return Table(
        f"{title}: median per photo with one face, one processor core; reading the photo is not counted",
        ("ms", "ms of processor", "detector, ms of processor", "models, MB", "installed, MB"),
        tuple(rows),
        (
            "ms of processor: processor time of all threads, which other work on the machine disturbs little.",
            "installed: all packages that the method needs, models included; Python itself is not.",
        ),
    )


def marked(table: Table, before: str = "", after: str = "*") -> Table:
    """The same table with the smallest number of every column marked; numbers become text of two digits."""
    best = [_least([row.cells[i] for row in table.rows]) for i in range(len(table.columns))]

    def text(cell: Cell, least: float | None) -> Cell:
        if not isinstance(cell, float) or np.isnan(cell):
            return cell
        # What reads the same is as good.
        is_best = least is not None and f"{cell:.2f}" == f"{least:.2f}"
        return f"{before}{cell:.2f}{after}" if is_best else f"{cell:.2f}"

    rows = tuple(
        replace(row, cells=tuple(text(cell, least) for cell, least in zip(row.cells, best, strict=True)))
        for row in table.rows
    )
    return replace(table, rows=rows)


def behind(table: Table, name: str) -> list[str]:
    """Columns of a table in which another method has a smaller number than method `name`: one line for each."""
    ours = next((row for row in table.rows if row.name == name), None)
    if ours is None:
        return []
    lines = []
    for i, column in enumerate(table.columns):
        mine = ours.cells[i]
        least = _least([row.cells[i] for row in table.rows])
        if not isinstance(mine, float) or np.isnan(mine) or least is None or f"{mine:.2f}" == f"{least:.2f}":
            continue
        winner = next(row.name for row in table.rows if row.cells[i] == least)
        lines.append(f"{table.title}; {column}: {winner} {least:.2f}, {name} {mine:.2f}")
    return lines


def to_markdown(table: Table) -> str:
    """A table for a .md file, the best of every column bold."""
    bold = marked(table, "**", "**")
    lines = [
        f"### {table.title}",
        "",
        "| | " + " | ".join(table.columns) + " |",
        "|---" * (len(table.columns) + 1) + "|",
    ]
    for row in bold.rows:
        cells = ["-" if cell is None or cell != cell else str(cell) for cell in row.cells]
        lines.append(f"| {row.name} | " + " | ".join(cells) + " |")
    return "\n".join([*lines, "", *(f"{note}  " for note in table.notes)])


def to_json(tables: list[Table]) -> list[dict[str, Any]]:
    """The tables as numbers."""
    return [table.to_dict() for table in tables]


def _bins(annotations: Annotations) -> np.ndarray:
    if annotations.yaw is None:
        raise ValueError(
            "the comparison is by yaw: give annotations with angles (rdrface.evaluation.predictions.fitted_poses)"
        )
    return yaw_index(annotations.yaw)


def _means(values: np.ndarray, faces: np.ndarray, index: np.ndarray) -> tuple[float, ...]:
    """Mean of every bin and of all, over the faces that have a value."""
    groups = [faces & (index == i) for i in range(len(YAW_BIN_NAMES))] + [faces]
    counted = [values[group & np.isfinite(values)] for group in groups]
    return tuple(float(part.mean()) if len(part) else float("nan") for part in counted)


def _numbers(faces: np.ndarray, index: np.ndarray) -> tuple[int, ...]:
    return (*(int((faces & (index == i)).sum()) for i in range(len(YAW_BIN_NAMES))), int(faces.sum()))


def _unshifted(annotations: Annotations, predictions: Predictions, size: np.ndarray, mask: np.ndarray) -> np.ndarray:
    offset = median_offset(offsets_by_face(annotations.points, predictions.landmarks, mask)).offset
    return nme(predictions.landmarks + offset, annotations.points, size, mask)


def _dashes(methods: list[Method], columns: int) -> list[Row]:
    return [Row(method.name, (None,) * columns) for method in methods if method.predictions is None]


def _least(cells: list[Cell]) -> float | None:
    numbers = [cell for cell in cells if isinstance(cell, float) and not np.isnan(cell)]
    return min(numbers) if numbers else None
