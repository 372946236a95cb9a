"""Tables that compare methods on annotated faces, from their recorded predictions."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from rdrface.datasets.records import UNKNOWN, VISIBLE, FaceRecords
from rdrface.evaluation.metrics.annotation_offset import median_offset, offsets_by_face
from rdrface.evaluation.metrics.errors import bounding_box_size, nme
from rdrface.evaluation.predictions.files import read_prediction_file
from rdrface.evaluation.predictions.matching import to_predictions
from rdrface.evaluation.predictions.predictions import Predictions
from rdrface.evaluation.tables.tables import Cell, Row, Table
from rdrface.geometry.yaw_bins import YAW_BIN_NAMES, yaw_index
from rdrface.landmarks import INNER, NUM_LANDMARKS

FAILURE = 10.0
"""NME in percent above which a face counts as a failure. A face that was not found is a failure too."""

COSTS = {
    "milliseconds": "ms",
    "processor_milliseconds": "processor ms",
    "detector_milliseconds": "detector, processor ms",
    "megabytes": "models, MB",
    "installed_megabytes": "installed, MB",
}
"""Key in a recording -> column of the cost table. The first three are medians over the faces of the recording."""


@dataclass(frozen=True)
class Result:
    """The recorded result of one method.

    Attributes:
        name: name of its rows.
        predictions: for the annotated faces; None if the method was not measured.
        reason: reason why it was not measured.
        costs: some of the keys of `COSTS` -> value.
    """

    name: str
    predictions: Predictions | None = None
    reason: str = ""
    costs: Mapping[str, float] = field(default_factory=dict)

    @classmethod
    def read(cls, path: Path, annotations: FaceRecords) -> "Result":
        """Read a recording.

        Raises:
            DataError: the file is damaged, or its faces are not those of `annotations`.
        """
        predictions, _ = to_predictions(read_prediction_file(path), annotations)
        content = json.loads(path.read_text(encoding="utf-8"))
        costs = {}
        for name in COSTS:
            if name.endswith("megabytes"):
                if content.get(name):
                    costs[name] = float(content[name])
                continue
            values = [face[name] for face in content["faces"] if face.get(name) is not None]
            if values:
                costs[name] = float(np.median(values))
        return cls(predictions.method, predictions, costs=costs)


@dataclass(frozen=True)
class ComparisonTable:
    """A table and what it contains.

    Attributes:
        metric: what is measured; empty where every column has a different metric (costs).
        points: the points that are counted; empty where the metric does not depend on points.
        faces: the faces that are counted.
        table: one row per method, one column per yaw bin or cost.
    """

    metric: str
    points: str
    faces: str
    table: Table


def point_masks(annotations: FaceRecords) -> dict[str, np.ndarray]:
    """Masks (N, 68) bool of the points that are compared: the inner points, and all points.

    The inner points are those that are the same in both contour conventions. Hidden points are left out; points of
    unknown visibility are counted.
    """
    visible = np.isin(annotations.state, (VISIBLE, UNKNOWN)) & np.isfinite(annotations.points).all(-1)
    inner = visible & np.isin(np.arange(NUM_LANDMARKS), INNER)
    prefix = "visible " if (annotations.state == VISIBLE).any() else ""
    return {f"{prefix}inner points": inner, f"all {prefix}points": visible}


def accuracy_tables(annotations: FaceRecords, results: list[Result], title: str) -> list[ComparisonTable]:
    """NME, failures and faces not found, by yaw, for every mask of `point_masks`.

    Args:
        annotations: N faces with angles; a face whose yaw is NaN counts in "all" only.
        results: two or more methods to compare.
        title: names of set and boxes.
    """
    bins = _bins(annotations)
    measured = [result for result in results if result.predictions is not None]
    notes = tuple(f"{result.name}: not measured: {result.reason}" for result in results if result.predictions is None)
    tables = []
    for points, mask in point_masks(annotations).items():
        tables += _point_tables(annotations, results, f"{title}, {points}", points, mask, notes)
    all_faces = np.ones(len(annotations), bool)
    missed = [Row(m.name, _means(np.where(m.predictions.found, 0.0, 100.0), all_faces, bins)) for m in measured]
    faces_row = Row("faces", _counts(all_faces, bins))
    text = f"{title}: faces not found, percent"
    table = Table(text, (*YAW_BIN_NAMES, "all"), (*missed, *_dashes(results, 4), faces_row), notes)
    return [*tables, ComparisonTable("not found, %", "", "all", table)]


def _point_tables(
    annotations: FaceRecords, results: list[Result], title: str, points: str, mask: np.ndarray, notes: tuple[str, ...]
) -> list[ComparisonTable]:
    bins = _bins(annotations)
    size = bounding_box_size(annotations.points)
    measured = [result for result in results if result.predictions is not None]
    counted = mask.any(1)
    errors = {m.name: nme(m.predictions.landmarks, annotations.points, size, mask) for m in measured}
    without_offset = {m.name: _without_offset(annotations, m.predictions, size, mask) for m in measured}
    common = counted & np.all([np.isfinite(values) for values in errors.values()], axis=0)
    heads = (*YAW_BIN_NAMES, "mean of bins", "all", "all, offset removed")
    note = "offset removed: the method's own constant offset from the annotations, one per method, is subtracted first."
    tables = []
    for which, faces in (("found by each method", counted), ("found by all methods", common)):
        rows = []
        for name, values in errors.items():
            cells = _means(values, faces, bins)
            mean_of_bins = float(np.mean(cells[:-1]))
            offset_removed = float(np.nanmean(without_offset[name][faces])) if faces.any() else float("nan")
            rows.append(Row(name, (*cells[:-1], mean_of_bins, cells[-1], offset_removed)))
        if faces is common:
            counts = _counts(faces, bins)
            rows.append(Row("faces", (*counts[:-1], None, counts[-1], counts[-1])))
        text = f"{title}: NME in percent of sqrt(w h), faces {which}, by |yaw| in degrees"
        table = Table(text, heads, (*rows, *_dashes(results, len(heads))), (*notes, note))
        tables.append(ComparisonTable("NME, %", points, which, table))
    failed = {n: np.where(np.isnan(values), 100.0, 100.0 * (values > FAILURE)) for n, values in errors.items()}
    rows = [Row(name, _means(values, counted, bins)) for name, values in failed.items()]
    text = f"{title}: failures, percent of the faces that were not found or have an NME above {FAILURE:g} %"
    table = Table(text, (*YAW_BIN_NAMES, "all"), (*rows, *_dashes(results, 4)), notes)
    return [*tables, ComparisonTable("failures, %", points, "all", table)]


def cost_table(results: list[Result], title: str) -> ComparisonTable:
    """Milliseconds and megabytes."""
    rows = tuple(Row(result.name, tuple(result.costs.get(name) for name in COSTS)) for result in results)
    table = Table(
        f"{title}: median per image with one face, one processor core, reading the image not included",
        tuple(COSTS.values()),
        rows,
        (
            "processor ms: processor time of all threads; other work on the machine affects it little.",
            "installed: all packages that the method needs, models included, Python not included.",
        ),
    )
    return ComparisonTable("", "", "one face per image", table)


def marked(table: Table) -> Table:
    """The same table, numbers formatted with two digits and a star after the smallest of every column."""
    best = [_least([row.cells[i] for row in table.rows]) for i in range(len(table.columns))]

    def text(cell: Cell, least: float | None) -> Cell:
        if not isinstance(cell, float) or np.isnan(cell):
            return cell
        is_best = least is not None and f"{cell:.2f}" == f"{least:.2f}"
        return f"{cell:.2f}*" if is_best else f"{cell:.2f}"

    rows = tuple(
        replace(row, cells=tuple(text(cell, least) for cell, least in zip(row.cells, best, strict=True)))
        for row in table.rows
    )
    return replace(table, rows=rows)


def columns_behind(table: Table, name: str) -> list[str]:
    """One line for each column in which another method has a smaller number than method `name`."""
    row = next((row for row in table.rows if row.name == name), None)
    if row is None:
        return []
    lines = []
    for i, column in enumerate(table.columns):
        value = row.cells[i]
        least = _least([row.cells[i] for row in table.rows])
        if not isinstance(value, float) or np.isnan(value) or least is None or f"{value:.2f}" == f"{least:.2f}":
            continue
        winner = next(row.name for row in table.rows if row.cells[i] == least)
        lines.append(f"{table.title}; {column}: {winner} {least:.2f}, {name} {value:.2f}")
    return lines


def _bins(annotations: FaceRecords) -> np.ndarray:
    if annotations.yaw is None:
        raise ValueError(
            "the annotations have no angles, but the comparison is by yaw; add angles with "
            "rdrface.evaluation.predictions.fitted_poses"
        )
    return yaw_index(annotations.yaw)


def _means(values: np.ndarray, faces: np.ndarray, bins: np.ndarray) -> tuple[float, ...]:
    """Means of every bin and of all faces, over the faces that have a value."""
    groups = [faces & (bins == i) for i in range(len(YAW_BIN_NAMES))] + [faces]
    counted = [values[group & np.isfinite(values)] for group in groups]
    return tuple(float(part.mean()) if len(part) else float("nan") for part in counted)


def _counts(faces: np.ndarray, bins: np.ndarray) -> tuple[int, ...]:
    return (*(int((faces & (bins == i)).sum()) for i in range(len(YAW_BIN_NAMES))), int(faces.sum()))


def _without_offset(
    annotations: FaceRecords, predictions: Predictions, size: np.ndarray, mask: np.ndarray
) -> np.ndarray:
    offset = median_offset(offsets_by_face(annotations.points, predictions.landmarks, mask)).offset
    return nme(predictions.landmarks + offset, annotations.points, size, mask)


def _dashes(results: list[Result], columns: int) -> list[Row]:
    return [Row(result.name, (None,) * columns) for result in results if result.predictions is None]


def _least(cells: list[Cell]) -> float | None:
    numbers = [cell for cell in cells if isinstance(cell, float) and not np.isnan(cell)]
    return min(numbers) if numbers else None
