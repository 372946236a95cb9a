"""The protocols of the public sets: which points, which normaliser, who is counted, and who said so.

Every function takes the records of a set and predictions for them, in the same order, and returns tables. Faces that
were not found have NaN predictions; they are left out of the means and their number stands in the table.
"""

from dataclasses import dataclass

import numpy as np

from rdrface.data.readers.aflw2000 import hpen_angles
from rdrface.data.records import OCCLUDED, SELF_OCCLUDED, UNKNOWN, VISIBLE, FaceRecords
from rdrface.evaluation.metrics import angle_errors, box_size, by_yaw, interocular, mean_of_counted, nme
from rdrface.evaluation.tables import Cell, Row, Table
from rdrface.landmarks import CONTOUR, COUNT, INNER

SUPPLEMENT = "RDR (ICCV 2017), supplement, section 3"

POSE_LIMIT = 99.0
"""Degrees: head-pose protocols leave out AFLW2000-3D's faces with an annotated angle beyond this, 30 of 2,000."""

_BINS = ("[0,30]", "(30,60]", "(60,90]", "mean of bins", "image mean")


@dataclass(frozen=True)
class Predictions:
    """What an aligner said about N annotated faces; NaN for faces that were not found.

    Attributes:
        landmarks: (N, 68, 2) photo pixels, the 2D output (3D+2D), visible outline.
        projection: (N, 68, 2) the 3D output, visible outline.
        jawline: (N, 68, 2) the 3D output, absolute jawline.
        visible: (N, 68) probability that the point is not hidden.
        rotation: (N, 3, 3) head rotation.
    """

    landmarks: np.ndarray
    projection: np.ndarray
    jawline: np.ndarray
    visible: np.ndarray
    rotation: np.ndarray

    @classmethod
    def empty(cls, count: int) -> "Predictions":
        """All NaN: nothing found yet."""

        def nothing(*shape: int) -> np.ndarray:
            return np.full((count, *shape), np.nan)

        return cls(nothing(68, 2), nothing(68, 2), nothing(68, 2), nothing(68), nothing(3, 3))

    @property
    def found(self) -> np.ndarray:
        """(N,) bool."""
        return np.isfinite(self.landmarks).all((1, 2))


def aflw2000_3d(records: FaceRecords, predictions: Predictions) -> list[Table]:
    """AFLW2000-3D (Zhu et al., CVPR 2016, section 5): 68 points on the absolute jawline, all of them counted.

    Normaliser: sqrt(w h) of the box of the 68 true points, also for the 51 inner points (supplement, section 3). Bins
    by |yaw| of the set's fitted pose; the papers' mean is the mean of the three bins. Only the jawline output has the
    set's contour convention; the outline outputs are printed because the paper's numbers are outline against jawline.
    """
    if records.annotated_pose is None:
        raise ValueError("AFLW2000-3D's protocol needs annotated_pose in the records; read them with read_aflw2000")
    yaw = np.degrees(records.annotated_pose[:, 1])
    size = box_size(records.points)
    inner = np.isin(np.arange(COUNT), INNER)
    outputs = (
        ("3D, jawline", predictions.jawline, None),
        ("3D, outline", predictions.projection, None),
        ("2D, outline", predictions.landmarks, None),
        ("3D, inner 51", predictions.jawline, inner),
        ("2D, inner 51", predictions.landmarks, inner),
    )
    rows: list[Row] = [
        _quoted("RDR 3D, 68", 5.36),
        _quoted("3DDFA, 68", 5.42),
        _quoted("RDR 2D (3D+2D), 68", 4.93),
        _quoted("3DDFA+SDM, 68", 4.94),
        _quoted("RDR 3D, inner 51", 3.69),
        _quoted("RDR 2D (3D+2D), inner 51", 3.25),
    ]
    counts: tuple[int, ...] = ()
    for name, points, mask in outputs:
        result = by_yaw(nme(points, records.points, size, mask), yaw)
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
    that have a position. Self-occluded points have none and are never counted.
    """
    size = box_size(records.points)
    side = np.array([source.split("/")[1] if "/" in source else source for source in records.source.tolist()])
    seen, occluded = records.state == VISIBLE, records.state == OCCLUDED
    columns: dict[str, np.ndarray] = {
        "visible": nme(predictions.landmarks, records.points, size, seen),
        "occluded": nme(predictions.landmarks, records.points, size, occluded),
        "all known": nme(predictions.landmarks, records.points, size),
        "3D, visible": nme(predictions.projection, records.points, size, seen),
        "3D, all known": nme(predictions.projection, records.points, size),
    }
    groups = [(name, side == name) for name in dict.fromkeys(side.tolist())] + [("all", np.ones(len(side), bool))]
    rows = tuple(
        Row(name, (*(mean_of_counted(values[group]) for values in columns.values()), int(group.sum())))
        for name, group in groups
    )
    points = Table(
        "MERL-RAV: NME in percent of sqrt(w h) of the box of the points with a position; 2D output unless named",
        (*columns, "faces"),
        rows,
        (_missed_note(predictions),),
    )
    return [points, visibility(records, predictions)]


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
    eyes, size = interocular(records.points), box_size(records.points)
    contour = np.isin(np.arange(COUNT), CONTOUR)
    columns = {
        "inter-ocular": nme(predictions.landmarks, records.points, eyes),
        "inner 51": nme(predictions.landmarks, records.points, eyes, ~contour),
        "3D inter-ocular": nme(predictions.projection, records.points, eyes),
        "box": nme(predictions.landmarks, records.points, size),
        "3D box": nme(predictions.projection, records.points, size),
    }
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


def _quoted(name: str, mean: float) -> Row:
    return Row(name, (None, None, None, mean, None), quoted=SUPPLEMENT)


def _missed_note(predictions: Predictions) -> str:
    missed = int((~predictions.found).sum())
    return (
        f"{missed} of {len(predictions.found)} faces were not found and are in no mean."
        if missed
        else "All faces found."
    )
