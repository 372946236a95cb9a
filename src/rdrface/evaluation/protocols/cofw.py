"""COFW68: 507 test faces behind hands, hair and things, 68 points, each said to be occluded or not."""

from collections.abc import Mapping

import numpy as np

from rdrface.datasets.records import OCCLUDED, VISIBLE, FaceRecords
from rdrface.evaluation.metrics.errors import bounding_box_size, interocular, interpupil, mean_of_counted, nme
from rdrface.evaluation.metrics.uncertainty import precision_recall
from rdrface.evaluation.predictions.predictions import Predictions
from rdrface.evaluation.protocols.notes import check_points, missed_note
from rdrface.evaluation.tables import published
from rdrface.evaluation.tables.distribution import failure_rate
from rdrface.evaluation.tables.tables import Cell, Row, Table
from rdrface.landmarks import NUM_LANDMARKS

FACES = 507
LIMIT = 10.0
"""Percent of the inter-ocular distance, beyond which a face is a failure (Burgos-Artizzu et al., ICCV 2013)."""

PRECISION = 80.0
"""Percent of precision at which papers on COFW print their recall of occluded points (Burgos-Artizzu et al.)."""


def tables(annotations: FaceRecords, predictions: Predictions) -> list[Table]:
    """COFW68 (Ghiasi & Fowlkes, arXiv 1506.08347): all 68 points on the visible outline, occluded ones included.

    Normalizers, named in the columns: inter-ocular, the distance of the outer eye corners, usual in papers that train
    on 300-W and test here; inter-pupil, the distance of the means of the two eyes' six points, the benchmark's own
    (its Main.m); box, sqrt(w h) of the box of the 68 points. Failures are faces beyond `LIMIT` percent inter-ocular.
    What the predictions say of visibility is judged where they say it.

    Raises:
        ValueError: not 68 points.
    """
    measured = errors(annotations, predictions)
    result = [_whole(annotations, predictions, measured), _by_state(annotations, predictions, measured)]
    if predictions.visibility is not None:
        result.append(occlusion(annotations, predictions))
    return result


def errors(annotations: FaceRecords, predictions: Predictions) -> dict[str, np.ndarray]:
    """Column of the table -> (N,) NME of every face, percent; outputs of the visible outline only.

    NaN where a face has no such point, e.g. no occluded one.
    """
    check_points(annotations, predictions, NUM_LANDMARKS, "COFW68")
    truth = annotations.points
    eyes, pupils, size = interocular(truth), interpupil(truth), bounding_box_size(truth)
    result = {}
    for i, (name, points) in enumerate(predictions.outlines.items()):
        head = f"{name.partition(',')[0]} ".lstrip()
        result[f"{head}inter-ocular"] = nme(points, truth, eyes)
        if i == 0:
            for label, state in (("visible", VISIBLE), ("occluded", OCCLUDED)):
                result[f"{head}inter-ocular, {label}"] = nme(points, truth, eyes, annotations.state == state)
        result[f"{head}inter-pupil"] = nme(points, truth, pupils)
        result[f"{head}box"] = nme(points, truth, size)
    return result


def occlusion(annotations: FaceRecords, predictions: Predictions) -> Table:
    """How well occluded points are told: precision and recall at probability 0.5, recall at `PRECISION`.

    Precision: share of the points called occluded that are. Recall: share of the occluded points that are called so.
    Counted over all points of all faces that were found.

    Raises:
        ValueError: the predictions say nothing of visibility.
    """
    if predictions.visibility is None:
        raise ValueError(f"{predictions.method} says nothing of visibility")
    known = np.isin(annotations.state, (VISIBLE, OCCLUDED)) & np.isfinite(predictions.visibility)
    hidden = annotations.state[known] == OCCLUDED
    score = 1 - predictions.visibility[known]
    precision, recall = precision_recall(score, hidden)
    called = score > 0.5
    right = int((called & hidden).sum())
    reached = recall[precision >= PRECISION]
    cells: tuple[Cell, ...] = (
        100 * right / int(called.sum()) if called.any() else float("nan"),
        100 * right / int(hidden.sum()) if hidden.any() else float("nan"),
        (float(reached.max()) if len(reached) else 0.0) if hidden.any() else float("nan"),
        int(hidden.sum()),
        len(hidden),
    )
    return Table(
        "COFW68: telling occluded points, percent",
        ("precision at 0.5", "recall at 0.5", f"recall at precision {PRECISION:g}", "occluded", "points"),
        (Row(predictions.method, cells),),
        (
            f"recall at precision {PRECISION:g}: the largest recall of any threshold with no lower precision, found",
            "on these very faces, as in the set's papers. It is 0 when no threshold has it.",
            missed_note(predictions),
        ),
    )


def _whole(annotations: FaceRecords, predictions: Predictions, measured: Mapping[str, np.ndarray]) -> Table:
    columns = ("inter-ocular", "inter-pupil", "box")
    # A published mean is of all faces; failures of those papers are not known to us, hence the dash.
    rows = [Row(row.name, (*row.cells, None), quoted=row.quoted) for row in published.COFW68]
    for name in predictions.outlines:
        head = f"{name.partition(',')[0]} ".lstrip()
        failures = failure_rate(measured[f"{head}inter-ocular"], LIMIT, predictions.found)
        means = (mean_of_counted(measured[f"{head}{column}"]) for column in columns)
        rows.append(Row(predictions.row(name), (*means, failures)))
    return Table(
        "COFW68, 68 points: NME in percent of the distance named",
        (*columns, f"failures % at {LIMIT:g}"),
        tuple(rows),
        (
            "inter-ocular: distance of the outer eye corners; inter-pupil: of the means of the eyes' points;",
            f"box: sqrt(w h). failures: faces beyond {LIMIT:g} % inter-ocular, or not found.",
            f"{len(annotations)} of the set's {FACES} faces.",
            missed_note(predictions),
        ),
    )


def _by_state(annotations: FaceRecords, predictions: Predictions, measured: Mapping[str, np.ndarray]) -> Table:
    state = annotations.state
    first = next(name.removesuffix(", visible") for name in measured if name.endswith(", visible"))
    rows = []
    for label, name, points in (
        ("visible", f"{first}, visible", state == VISIBLE),
        ("occluded", f"{first}, occluded", state == OCCLUDED),
        ("all", first, np.ones(state.shape, bool)),
    ):
        counted = np.isfinite(measured[name])
        rows.append(Row(label, (mean_of_counted(measured[name]), int(counted.sum()), int(points[counted].sum()))))
    return Table(
        f"COFW68, by visibility of the points: NME in percent of the inter-ocular distance, {predictions.method}",
        ("inter-ocular", "faces", "points"),
        tuple(rows),
        ("Every face counts once in each row, however many such points it has.", missed_note(predictions)),
    )
