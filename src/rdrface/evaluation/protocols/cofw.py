"""COFW68: 507 test faces occluded by hands, hair and objects; 68 points, each annotated as occluded or not.

Unverified: the reader and protocol were tested on small files in the published format, not on the full dataset.
"""

from collections.abc import Mapping

import numpy as np

from rdrface.datasets.records import OCCLUDED, VISIBLE, FaceRecords
from rdrface.evaluation.metrics.errors import bounding_box_size, interocular, interpupil, mean_of_counted, nme
from rdrface.evaluation.metrics.uncertainty import precision_recall
from rdrface.evaluation.predictions.predictions import Predictions
from rdrface.evaluation.protocols.notes import UNVERIFIED, check_points, missed_note
from rdrface.evaluation.tables import published
from rdrface.evaluation.tables.distribution import failure_rate
from rdrface.evaluation.tables.tables import Cell, Row, Table
from rdrface.landmarks import NUM_LANDMARKS

FACES = 507
LIMIT = 10.0
"""Percent of the inter-ocular distance; a larger error is a failure (Burgos-Artizzu et al., ICCV 2013)."""

PRECISION = 80.0
"""Percent; papers on COFW report the recall of occluded points at this precision (Burgos-Artizzu et al.)."""


def tables(annotations: FaceRecords, predictions: Predictions) -> list[Table]:
    """COFW68 (Ghiasi & Fowlkes, arXiv 1506.08347): all 68 points on the visible outline, occluded ones included.

    Normalizers, named in the columns: inter-ocular, the distance of the outer eye corners, usual for methods trained on
    300-W; inter-pupil, the distance of the means of the two eyes' six points, used by the benchmark's code (Main.m);
    box, sqrt(w h) of the box of the 68 points. Failures are faces with an inter-ocular error above `LIMIT` percent. A
    table of the predicted visibility is added when the predictions have it.

    Raises:
        ValueError: not 68 points.
    """
    by_column = errors(annotations, predictions)
    result = [_all_points(annotations, predictions, by_column), _by_state(annotations, predictions, by_column)]
    if predictions.visibility is not None:
        result.append(occlusion(annotations, predictions))
    return result


def errors(annotations: FaceRecords, predictions: Predictions) -> dict[str, np.ndarray]:
    """Column of the table -> (N,) NME of every face, percent; only outputs on the visible outline.

    NaN where a face has no such point, for example no occluded one.
    """
    check_points(annotations, predictions, NUM_LANDMARKS, "COFW68")
    truth = annotations.points
    eyes, pupils, size = interocular(truth), interpupil(truth), bounding_box_size(truth)
    result = {}
    for i, (name, points) in enumerate(predictions.outlines.items()):
        head = f"{name}, " if name else ""
        result[f"{head}inter-ocular"] = nme(points, truth, eyes)
        if i == 0:
            for label, state in (("visible", VISIBLE), ("occluded", OCCLUDED)):
                result[f"{head}inter-ocular, {label}"] = nme(points, truth, eyes, annotations.state == state)
        result[f"{head}inter-pupil"] = nme(points, truth, pupils)
        result[f"{head}box"] = nme(points, truth, size)
    return result


def occlusion(annotations: FaceRecords, predictions: Predictions) -> Table:
    """Detection of occluded points: precision and recall at probability 0.5, and recall at `PRECISION`.

    Precision: share of the points predicted as occluded that are occluded. Recall: share of the occluded points that
    are predicted as occluded. Both over all points of all faces that were found.

    Raises:
        ValueError: the predictions have no visibility.
    """
    if predictions.visibility is None:
        raise ValueError(f"the predictions of {predictions.method} have no visibility")
    known = np.isin(annotations.state, (VISIBLE, OCCLUDED)) & np.isfinite(predictions.visibility)
    occluded = annotations.state[known] == OCCLUDED
    score = 1 - predictions.visibility[known]
    precision, recall = precision_recall(score, occluded)
    predicted = score > 0.5
    correct = int((predicted & occluded).sum())
    reached = recall[precision >= PRECISION]
    cells: tuple[Cell, ...] = (
        100 * correct / int(predicted.sum()) if predicted.any() else float("nan"),
        100 * correct / int(occluded.sum()) if occluded.any() else float("nan"),
        (float(reached.max()) if len(reached) else 0.0) if occluded.any() else float("nan"),
        int(occluded.sum()),
        len(occluded),
    )
    return Table(
        "COFW68: detection of occluded points, percent",
        ("precision at 0.5", "recall at 0.5", f"recall at precision {PRECISION:g}", "occluded", "points"),
        (Row(predictions.method, cells),),
        (
            f"Recall at precision {PRECISION:g}: largest recall over all thresholds with at least this precision; 0",
            "if there is none. The threshold is chosen on the same faces, as in papers on COFW.",
            missed_note(predictions),
            UNVERIFIED,
        ),
    )


def _all_points(annotations: FaceRecords, predictions: Predictions, by_column: Mapping[str, np.ndarray]) -> Table:
    columns = ("inter-ocular", "inter-pupil", "box")
    # The published rows have no failure rate.
    rows = [Row(row.name, (*row.cells, None), quoted=row.quoted) for row in published.COFW68]
    for name in predictions.outlines:
        head = f"{name}, " if name else ""
        failures = failure_rate(by_column[f"{head}inter-ocular"], LIMIT, predictions.found)
        means = (mean_of_counted(by_column[f"{head}{column}"]) for column in columns)
        rows.append(Row(predictions.row(name), (*means, failures)))
    return Table(
        "COFW68, 68 points: NME in percent of the normalizer named in the column",
        (*columns, f"failures at {LIMIT:g}, %"),
        tuple(rows),
        (
            "inter-ocular: distance of the outer eye corners; inter-pupil: distance of the means of each eye's points;",
            f"box: sqrt(w h). Failures: faces with an inter-ocular error above {LIMIT:g} %, or not found.",
            f"{len(annotations)} of the dataset's {FACES} faces.",
            missed_note(predictions),
            UNVERIFIED,
        ),
    )


def _by_state(annotations: FaceRecords, predictions: Predictions, by_column: Mapping[str, np.ndarray]) -> Table:
    state = annotations.state
    first = next(name.removesuffix(", visible") for name in by_column if name.endswith(", visible"))
    rows = []
    for label, name, points in (
        ("visible", f"{first}, visible", state == VISIBLE),
        ("occluded", f"{first}, occluded", state == OCCLUDED),
        ("all", first, np.ones(state.shape, bool)),
    ):
        counted = np.isfinite(by_column[name])
        rows.append(Row(label, (mean_of_counted(by_column[name]), int(counted.sum()), int(points[counted].sum()))))
    return Table(
        f"COFW68, by visibility of the points: NME in percent of the inter-ocular distance, {predictions.method}",
        ("inter-ocular", "faces", "points"),
        tuple(rows),
        (
            "Every face has the same weight in a row, regardless of its number of points.",
            missed_note(predictions),
            UNVERIFIED,
        ),
    )
