"""The protocols of the public sets: which points, which normaliser, who is counted, and who said so.

Every function takes the records of a set and predictions for them, in the same order, and returns tables. Faces that
were not found have NaN predictions; they are left out of the means and their number stands in the table.
"""

from dataclasses import replace

import numpy as np

from rdrface.data.readers.aflw2000 import hpen_angles
from rdrface.data.records import OCCLUDED, SELF_OCCLUDED, UNKNOWN, VISIBLE, FaceRecords
from rdrface.evaluation.certainty_tables import certainty_tables, measure_certainty
from rdrface.evaluation.label_shift import Shift, shifts, summary
from rdrface.evaluation.metrics import angle_errors, box_size, by_yaw, interocular, mean_of_counted, nme
from rdrface.evaluation.predictions import Predictions
from rdrface.evaluation.tables import Cell, Row, Table
from rdrface.landmarks import CONTOUR, COUNT, INNER

SUPPLEMENT = "RDR (ICCV 2017), supplement, section 3"

POSE_LIMIT = 99.0
"""Degrees: head-pose protocols leave out AFLW2000-3D's faces with an annotated angle beyond this, 30 of 2,000."""

_BINS = ("[0,30]", "(30,60]", "(60,90]", "mean of bins", "image mean")


def aflw2000_3d(records: FaceRecords, predictions: Predictions) -> list[Table]:
    """AFLW2000-3D (Zhu et al., CVPR 2016, section 5): 68 points on the absolute jawline, all of them counted.

    Normaliser: sqrt(w h) of the box of the 68 true points, also for the 51 inner points (supplement, section 3). Bins
    by |yaw| of the set's fitted pose; the papers' mean is the mean of the three bins. Only the jawline outputs have the
    set's contour convention; the outline outputs are printed because the paper's numbers are outline against jawline.
    """
    if records.annotated_pose is None:
        raise ValueError("AFLW2000-3D's protocol needs annotated_pose in the records; read them with read_aflw2000")
    yaw = np.degrees(records.annotated_pose[:, 1])
    rows: list[Row] = [
        _quoted("RDR 3D, 68", 5.36),
        _quoted("3DDFA, 68", 5.42),
        _quoted("RDR 2D (3D+2D), 68", 4.93),
        _quoted("3DDFA+SDM, 68", 4.94),
        _quoted("RDR 3D, inner 51", 3.69),
        _quoted("RDR 2D (3D+2D), inner 51", 3.25),
    ]
    counts: tuple[int, ...] = ()
    for name, errors in aflw2000_errors(records, predictions).items():
        result = by_yaw(errors, yaw)
        counts = result.counts
        rows.append(Row(f"rdrface {name}", (*result.bins, result.mean_of_bins, result.mean)))
    landmarks = Table(
        "AFLW2000-3D: NME in percent of sqrt(w h) of the true landmark box, by |yaw| in degrees",
        _BINS,
        (*rows, Row("faces", (*counts, None, sum(counts)))),
        (
            "3DDFA's means are of the bins; the supplement compares with them without saying how its own were taken.",
            _missed_note(predictions),
        ),
    )
    return [landmarks, head_pose(records, predictions)]


def aflw2000_errors(records: FaceRecords, predictions: Predictions) -> dict[str, np.ndarray]:
    """Row of AFLW2000-3D's table -> (N,) NME of every face, percent."""
    size = box_size(records.points)
    inner = np.isin(np.arange(COUNT), INNER)
    return {
        "3D, jawline": nme(predictions.jawline, records.points, size),
        "2D, jawline": nme(predictions.absolute, records.points, size),
        "3D, outline": nme(predictions.projection, records.points, size),
        "2D, outline": nme(predictions.landmarks, records.points, size),
        "3D, inner 51": nme(predictions.jawline, records.points, size, inner),
        "2D, inner 51": nme(predictions.landmarks, records.points, size, inner),
    }


def head_pose(records: FaceRecords, predictions: Predictions) -> Table:
    """Mean absolute error of HPEN's Euler angles, in degrees (FSA-Net's and later papers' protocol on AFLW2000-3D).

    The predicted rotation is written in the set's own angles. Faces with an annotated angle beyond `POSE_LIMIT` are
    left out. The signed mean is printed too: a constant there is a different idea of "looking straight ahead" of the
    two face models, not an error of the predictions.
    """
    if records.annotated_pose is None:
        raise ValueError("the head-pose protocol needs annotated_pose in the records")
    truth = np.degrees(records.annotated_pose.astype(np.float64))
    kept = (np.abs(truth) <= POSE_LIMIT).all(1)
    angles = np.degrees(hpen_angles(predictions.rotation))
    # Two triples of angles describe every rotation; the set's yaw goes beyond 90 degrees, so take the nearer one.
    readings = (angles, angles * [1, -1, 1] + 180)
    near, far = (angle_errors(reading, truth) for reading in readings)
    errors = np.where((np.abs(near).sum(1) <= np.abs(far).sum(1))[:, None], near, far)[kept]
    counted = errors[np.isfinite(errors).all(1)]
    absolute, signed = [], []
    for axis in (1, 0, 2):
        absolute.append(mean_of_counted(np.abs(counted[:, axis])))
        signed.append(mean_of_counted(counted[:, axis]))
    return Table(
        "AFLW2000-3D: head pose, degrees",
        ("yaw", "pitch", "roll", "mean", "faces"),
        (
            Row("mean absolute error", (*absolute, sum(absolute) / 3, len(counted))),
            Row("mean signed error", (*signed, None, len(counted))),
        ),
        (f"{int((~kept).sum())} of {len(records)} faces left out: an annotated angle beyond {POSE_LIMIT:g} degrees.",),
    )


def merl_rav(records: FaceRecords, predictions: Predictions) -> list[Table]:
    """MERL-RAV (Kumar et al., CVPR 2020): by side of the head and by visibility of the points.

    Points: all with a position, the 2D output unless named otherwise. Normaliser: sqrt(w h) of the box of all points
    that have a position. Self-occluded points have none and are never counted. One more row has the labels' own shift
    removed, the one constant by which all of them lie beside the photos; the others measure the labels as they are.
    """
    side = np.array([source.split("/")[1] if "/" in source else source for source in records.source.tolist()])
    columns = merl_rav_errors(records, predictions)
    groups = [(name, side == name) for name in dict.fromkeys(side.tolist())] + [("all", np.ones(len(side), bool))]
    rows = [
        Row(name, (*(mean_of_counted(values[group]) for values in columns.values()), int(group.sum())))
        for name, group in groups
    ]
    shift = merl_rav_shift(records, predictions)
    # With no face found there is nothing to remove.
    offset = np.nan_to_num(shift.offset)
    moved = merl_rav_errors(replace(records, points=records.points - offset), predictions)
    rows.append(
        Row("all, labels' own shift removed", (*(mean_of_counted(values) for values in moved.values()), len(records)))
    )
    points = Table(
        "MERL-RAV: NME in percent of sqrt(w h) of the box of the points with a position; 2D output unless named",
        (*columns, "faces"),
        tuple(rows),
        (
            f"Labels' own shift: ({offset[0]:+.2f}, {offset[1]:+.2f}) photo pixels, x to the right, y down: the median",
            f"over {shift.faces} faces of label - prediction of the visible inner points. One constant, found with",
            "the very predictions it judges, and removed from the labels in that row only.",
            _missed_note(predictions),
        ),
    )
    certainty = certainty_tables(measure_certainty(records, predictions, offset))
    return [points, visibility(records, predictions), *certainty]


def merl_rav_errors(records: FaceRecords, predictions: Predictions) -> dict[str, np.ndarray]:
    """Column of MERL-RAV's table -> (N,) NME of every face, percent; NaN where a face has no such point."""
    size = box_size(records.points)
    seen, occluded = records.state == VISIBLE, records.state == OCCLUDED
    return {
        "visible": nme(predictions.landmarks, records.points, size, seen),
        "occluded": nme(predictions.landmarks, records.points, size, occluded),
        "all known": nme(predictions.landmarks, records.points, size),
        "3D, visible": nme(predictions.projection, records.points, size, seen),
        "3D, all known": nme(predictions.projection, records.points, size),
    }


def merl_rav_shift(records: FaceRecords, predictions: Predictions) -> Shift:
    """By how many photo pixels the set's labels lie beside the predictions, at the visible inner points."""
    return summary(shifts(records.points, predictions.landmarks, records.state == VISIBLE))


def visibility(records: FaceRecords, predictions: Predictions) -> Table:
    """How well hidden points are told from visible ones, at probability 0.5; unknown states are not counted."""
    known = (records.state != UNKNOWN) & predictions.found[:, None]
    said = np.nan_to_num(predictions.visible) > 0.5
    rows = []
    for name, state in (
        ("visible", VISIBLE),
        ("occluded by something", OCCLUDED),
        ("hidden by the head", SELF_OCCLUDED),
    ):
        group = known & (records.state == state)
        right = said == (state == VISIBLE)
        rows.append(Row(name, (100 * mean_of_counted(right[group].astype(np.float64)), int(group.sum()))))
    return Table("Visibility: percent of the points that are told rightly", ("percent", "points"), tuple(rows))


def w300(records: FaceRecords, predictions: Predictions) -> list[Table]:
    """300-W (Sagonas et al., 2013): all 68 points on the visible outline, by part.

    Normalisers: the distance of the outer eye corners (inter-ocular), and sqrt(w h) of the box. "common" is HELEN's and
    LFPW's test parts, "challenging" is iBUG, "full" is both (Ren et al., CVPR 2014); they appear when DIR holds them.
    """
    columns = w300_errors(records, predictions)
    source, tested = records.source, records.split == "test"
    hard = np.array([name.split("/")[-1] == "ibug" for name in source.tolist()])
    easy = tested & np.array([name.split("/")[-1] == "testset" for name in source.tolist()])
    groups = [(name, source == name) for name in dict.fromkeys(source.tolist())]
    if easy.any() and hard.any():
        groups += [("common", easy), ("challenging", hard), ("full", easy | hard)]
    rows = []
    for name, group in groups:
        label = f"{name} (training part)" if not tested[group].any() else name
        cells: tuple[Cell, ...] = tuple(mean_of_counted(values[group]) for values in columns.values())
        rows.append(Row(label, (*cells, int(group.sum()))))
    return [
        Table(
            "300-W: NME in percent, 2D output unless named",
            (*columns, "faces"),
            tuple(rows),
            ("inter-ocular: distance of the outer eye corners; box: sqrt(w h).", _missed_note(predictions)),
        )
    ]


def w300_errors(records: FaceRecords, predictions: Predictions) -> dict[str, np.ndarray]:
    """Column of 300-W's table -> (N,) NME of every face, percent."""
    eyes, size = interocular(records.points), box_size(records.points)
    contour = np.isin(np.arange(COUNT), CONTOUR)
    return {
        "inter-ocular": nme(predictions.landmarks, records.points, eyes),
        "inner 51": nme(predictions.landmarks, records.points, eyes, ~contour),
        "3D inter-ocular": nme(predictions.projection, records.points, eyes),
        "box": nme(predictions.landmarks, records.points, size),
        "3D box": nme(predictions.projection, records.points, size),
    }


def _quoted(name: str, mean: float) -> Row:
    return Row(name, (None, None, None, mean, None), quoted=SUPPLEMENT)


def _missed_note(predictions: Predictions) -> str:
    missed = int((~predictions.found).sum())
    return (
        f"{missed} of {len(predictions.found)} faces were not found and are in no mean."
        if missed
        else "All faces found."
    )
