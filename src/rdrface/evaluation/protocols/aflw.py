"""AFLW's points, visible ones only: AFLW-PIFA with 21 and 34, 3DDFA's list by yaw, and MERL-RAV's share of them.

Where the files come from, and what of the points is our choice: docs/aflw.md.
"""

import numpy as np

from rdrface.datasets.records import OCCLUDED, SELF_OCCLUDED, VISIBLE, FaceRecords
from rdrface.evaluation.metrics.errors import bounding_box_size, by_yaw, mean_of_counted, nme
from rdrface.evaluation.predictions.predictions import Predictions
from rdrface.evaluation.protocols.aflw_points import COUNTS, POINTS, from68
from rdrface.evaluation.protocols.notes import check_points, missed_note
from rdrface.evaluation.tables import published
from rdrface.evaluation.tables.tables import Row, Table
from rdrface.geometry.yaw_bins import YAW_BIN_NAMES
from rdrface.landmarks import NUM_LANDMARKS

_CHOICE = "Which 13 points follow AFLW's 21 is our choice: compare with quoted rows only if the next table agrees."


def errors(annotations: FaceRecords, predictions: Predictions) -> dict[str, np.ndarray]:
    """Output -> (N,) mean error of the visible points of every test face, percent of the set's own normalizer.

    NaN for training faces, for faces that were not found and for faces without a visible point. Points that the method
    does not have are counted for no face.

    Raises:
        ValueError: neither 21 nor 34 points, predictions of other shapes, or no normalizer.
    """
    count = annotations.points.shape[1]
    if count not in COUNTS:
        raise ValueError(f"AFLW's protocols are about 21 or 34 points: annotations must have them, got {count}")
    check_points(annotations, predictions, count, "AFLW")
    if annotations.normalizer is None:
        raise ValueError(
            "AFLW's protocols need the set's own normalizer; read the set with rdrface.datasets.readers.aflw"
        )
    counted = annotations.state == VISIBLE
    result = {}
    for name, points in predictions.outputs.items():
        values = nme(points, annotations.points, annotations.normalizer, counted & _offered(points))
        result[name or f"{count} points"] = np.where(annotations.is_test, values, np.nan)
    return result


def tables(annotations: FaceRecords, predictions: Predictions) -> list[Table]:
    """AFLW-PIFA (Jourabloo & Liu, ICCV 2015 with 21 points; CVPR 2016 with 34), 1,299 test faces.

    Points: those marked as visible; the mean over faces of every face's mean. Normalizer: the root of the area of the
    set's face box (ICCV 2015, section 4). Only test faces count.

    Raises:
        ValueError: see `errors`.
    """
    measured = errors(annotations, predictions)
    count = annotations.points.shape[1]
    seen = (annotations.state == VISIBLE)[annotations.is_test]
    rows = list(published.AFLW_PIFA[count])
    rows += [_row(name, values, count, predictions) for name, values in measured.items()]
    notes = (
        f"{int(seen.sum())} of {seen.size} points of {len(seen)} test faces are marked as visible.",
        *((_CHOICE,) if count == 34 else ()),
        *_notes(annotations, predictions, count),
    )
    title = f"AFLW-PIFA, {count} points: NME of visible points in percent of the root of the face box's area"
    result = [Table(title, ("NME", "faces"), tuple(rows), notes)]
    return result if count == 21 else [*result, _thirteen(annotations, predictions)]


def tables_by_yaw(annotations: FaceRecords, predictions: Predictions) -> list[Table]:
    """AFLW as 3DDFA measures on it (Zhu et al., CVPR 2016, section 5): visible ones of the 21 points, 21,080 faces.

    Bins by |yaw| of the set's list; the mean is that of the three bins, the deviation that of the three bins' means
    (as a population, as 3DDFA's code has it). Normalizer: sqrt(w h) of the box of the set's 68 fitted points, as in
    that code.

    Raises:
        ValueError: not 21 points, no yaw, and see `errors`.
    """
    if annotations.points.shape[1] != 21 or annotations.yaw is None:
        raise ValueError("3DDFA's protocol on AFLW needs 21 points and the set's yaw; read it with read_aflw21")
    counts: tuple[int, ...] = ()
    rows = list(published.AFLW_21)
    for name, values in errors(annotations, predictions).items():
        result = by_yaw(values, annotations.yaw)
        counts = result.counts
        title = predictions.row("" if name == "21 points" else name)
        rows.append(Row(title, (*result.bins, result.mean_of_bins, float(np.std(result.bins)), result.mean)))
    return [
        Table(
            "AFLW, 21 points: NME of visible points in percent of sqrt(w h) of the box of 68 points, by |yaw|",
            (*YAW_BIN_NAMES, "mean of bins", "deviation of bins", "image mean"),
            (*rows, Row("faces", (*counts, None, None, sum(counts)))),
            (
                "Deviations of Zhu et al. are those of a sample of three, the others as of a population.",
                "3DDFA's code takes the ear lobes from contour points 2 and 14 of the 68.",
                *_notes(annotations, predictions, 21),
            ),
        )
    ]


def of_merl_rav(annotations: FaceRecords, count: int) -> FaceRecords:
    """The 21 or 34 points of faces that are annotated with the 68, as far as the 68 hold them (`from68`).

    A point is visible when all that it is made of are; it has a position when all of those have one. `normalizer` is
    sqrt(w h) of the box of those of the 68 that have a position.

    Raises:
        ValueError: not 68 points, or another count.
    """
    points = from68(annotations.points, count)
    visible = annotations.state == VISIBLE
    seen = np.stack([visible[:, list(of)].all(1) for of in list(POINTS.values())[:count]], axis=1)
    placed = np.isfinite(points).all(-1)
    return FaceRecords(
        image=annotations.image,
        points=points,
        state=np.where(placed, np.where(seen, VISIBLE, OCCLUDED), SELF_OCCLUDED),
        box=annotations.box,
        source=annotations.source,
        is_test=annotations.is_test,
        normalizer=bounding_box_size(annotations.points),
        angles=annotations.angles,
        open_image=annotations.open_image,
    )


def tables_on_merl_rav(annotations: FaceRecords, predictions: Predictions) -> list[Table]:
    """AFLW's 21 and 34 points, as far as MERL-RAV's 68 hold them: 19 and 32; visible ones, test faces.

    Not AFLW-PIFA: other faces, other labels, another normalizer. So no published row stands beside them. Outputs on the
    absolute jawline are left out, MERL-RAV's contour is the visible outline.

    Args:
        annotations: MERL-RAV's, 68 points.
        predictions: of the 68 points.

    Raises:
        ValueError: not 68 points.
    """
    check_points(annotations, predictions, NUM_LANDMARKS, "MERL-RAV")
    outlines = predictions.outlines
    columns = {}
    for count in COUNTS:
        derived = Predictions(
            {name: from68(points, count) for name, points in outlines.items()}, method=predictions.method
        )
        held = sum(bool(of) for of in list(POINTS.values())[:count])
        columns[f"{held} of {count}"] = errors(of_merl_rav(annotations, count), derived)
    rows = []
    for name in outlines:
        cells = tuple(mean_of_counted(values[name or f"{head.split()[-1]} points"]) for head, values in columns.items())
        rows.append(Row(predictions.row(name), cells))
    faces = tuple(int(np.isfinite(next(iter(values.values()))).sum()) for values in columns.values())
    return [
        Table(
            "AFLW's points on MERL-RAV: NME of visible points in percent of sqrt(w h) of the box of the known 68",
            tuple(columns),
            (*rows, Row("faces", faces)),
            (
                "Not AFLW-PIFA: MERL-RAV's faces and labels, so no published row stands here. The ear lobes are not",
                "annotated. Eye and mouth centers are means of the lids' and inner lips' points, visible if all are.",
                missed_note(predictions),
            ),
        )
    ]


def _thirteen(annotations: FaceRecords, predictions: Predictions) -> Table:
    """Errors of each of the 13 points whose definition is our choice: one that means another point stands out."""
    assert annotations.normalizer is not None
    counted = (annotations.state == VISIBLE) & annotations.is_test[:, None]
    rows = []
    for k, name in list(enumerate(POINTS))[21:]:
        cells = []
        for points in predictions.outputs.values():
            alone = np.arange(len(POINTS)) == k
            cells.append(mean_of_counted(nme(points, annotations.points, annotations.normalizer, counted & alone)))
        rows.append(Row(f"{k}: {name}", tuple(cells)))
    return Table(
        "AFLW-PIFA, the 13 points beyond AFLW's: mean error of each, percent as above",
        tuple(name or "all" for name in predictions.outputs),
        tuple(rows),
        ("Which points the set's files mean is not known here: a row far above the others means another point.",),
    )


def _row(name: str, values: np.ndarray, count: int, predictions: Predictions) -> Row:
    title = predictions.row("" if name == f"{count} points" else name)
    return Row(title, (mean_of_counted(values), int(np.isfinite(values).sum())))


def _offered(points: np.ndarray) -> np.ndarray:
    """(P,) bool: the output has this point in some face; all when nothing was found."""
    offered = np.isfinite(points).all(-1).any(0)
    return offered if offered.any() else ~offered


def _notes(annotations: FaceRecords, predictions: Predictions, count: int) -> tuple[str, ...]:
    tested, found = annotations.is_test, predictions.found
    lacking = [
        name for name, there in zip(list(POINTS)[:count], _offered(predictions.landmarks), strict=True) if not there
    ]
    blind = int((tested & ~(annotations.state == VISIBLE).any(1)).sum())
    missed = int((tested & ~found).sum())
    return (
        *(
            [f"Points {predictions.method} does not have, counted for no face: {', '.join(lacking)}."]
            if lacking
            else ()
        ),
        *([f"{blind} faces have no visible point and are in no mean."] if blind else ()),
        f"{missed} of {int(tested.sum())} faces were not found and are in no mean." if missed else "All faces found.",
    )
