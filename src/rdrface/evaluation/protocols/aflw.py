"""Visible points of AFLW: AFLW-PIFA with 21 and 34 points, 3DDFA's list by yaw, and the same points on MERL-RAV.

Unverified: AFLW-PIFA and 3DDFA's list (`tables`, `tables_by_yaw`) were tested on small files in the published format,
not on the full datasets. `tables_on_merl_rav` was run on MERL-RAV. docs/aflw.md describes the file formats and lists
the points that were chosen by this project.
"""

import numpy as np

from rdrface.datasets.records import OCCLUDED, SELF_OCCLUDED, VISIBLE, FaceRecords
from rdrface.evaluation.metrics.errors import bounding_box_size, by_yaw, mean_of_counted, nme
from rdrface.evaluation.predictions.predictions import Predictions
from rdrface.evaluation.protocols.aflw_points import COUNTS, POINTS, from68
from rdrface.evaluation.protocols.notes import UNVERIFIED, check_points, missed_note
from rdrface.evaluation.tables import published
from rdrface.evaluation.tables.tables import Row, Table
from rdrface.geometry.yaw_bins import YAW_BIN_NAMES
from rdrface.landmarks import NUM_LANDMARKS

_CHOICE = (
    "The definition of the 13 points after AFLW's 21 is not published; check this project's choice in the next table."
)


def errors(annotations: FaceRecords, predictions: Predictions) -> dict[str, np.ndarray]:
    """Output -> (N,) mean error of the visible points of every test face, percent of the dataset's normalizer.

    NaN for training faces, for faces that were not found and for faces without a visible point. Points that the method
    does not predict are not counted.

    Raises:
        ValueError: neither 21 nor 34 points, predictions of another shape, or annotations without a normalizer.
    """
    count = annotations.points.shape[1]
    if count not in COUNTS:
        raise ValueError(f"the AFLW protocols need annotations of 21 or 34 points, got {count}")
    check_points(annotations, predictions, count, "AFLW")
    if annotations.normalizer is None:
        raise ValueError(
            "the AFLW protocols need annotations with a normalizer; read them with rdrface.datasets.readers.aflw"
        )
    counted = annotations.state == VISIBLE
    result = {}
    for name, points in predictions.outputs.items():
        values = nme(points, annotations.points, annotations.normalizer, counted & _offered(points))
        result[name or f"{count} points"] = np.where(annotations.is_test, values, np.nan)
    return result


def tables(annotations: FaceRecords, predictions: Predictions) -> list[Table]:
    """AFLW-PIFA (Jourabloo & Liu, ICCV 2015 with 21 points; CVPR 2016 with 34), 1,299 test faces. Unverified.

    Points: those marked as visible; mean over faces of the mean error of each face. Normalizer: square root of the area
    of the annotated face box (ICCV 2015, section 4). Only test faces count.

    Raises:
        ValueError: see `errors`.
    """
    by_output = errors(annotations, predictions)
    count = annotations.points.shape[1]
    visible = (annotations.state == VISIBLE)[annotations.is_test]
    rows = list(published.AFLW_PIFA[count])
    rows += [_row(name, values, count, predictions) for name, values in by_output.items()]
    notes = (
        f"{int(visible.sum())} of {visible.size} points of {len(visible)} test faces are marked as visible.",
        *((_CHOICE,) if count == 34 else ()),
        *_notes(annotations, predictions, count),
    )
    title = f"AFLW-PIFA, {count} points: NME of visible points in percent of the square root of the face box area"
    result = [Table(title, ("NME", "faces"), tuple(rows), notes)]
    return result if count == 21 else [*result, _thirteen(annotations, predictions)]


def tables_by_yaw(annotations: FaceRecords, predictions: Predictions) -> list[Table]:
    """AFLW, 3DDFA's protocol (Zhu et al., CVPR 2016, section 5): visible points of the 21, 21,080 faces. Unverified.

    Bins by |yaw| of the published list. The mean is over the three bins; the standard deviation is that of the three
    bin means as a population, as in 3DDFA's code. Normalizer: sqrt(w h) of the box of the 68 published fitted points,
    as in that code.

    Raises:
        ValueError: not 21 points, no yaw, and see `errors`.
    """
    if annotations.points.shape[1] != 21 or annotations.yaw is None:
        raise ValueError(
            "3DDFA's protocol on AFLW needs 21 points and the annotated yaw; read the dataset with read_aflw21"
        )
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
            (*YAW_BIN_NAMES, "mean of bins", "std of bins", "image mean"),
            (*rows, Row("faces", (*counts, None, None, sum(counts)))),
            (
                "std of bins: sample standard deviation for Zhu et al., population standard deviation for the others.",
                "3DDFA's code uses contour points 2 and 14 of the 68 as the ear lobes.",
                *_notes(annotations, predictions, 21),
            ),
        )
    ]


def of_merl_rav(annotations: FaceRecords, count: int) -> FaceRecords:
    """The 21 or 34 points of faces annotated with 68 points, as far as they can be derived from the 68 (`from68`).

    A point is visible when all landmarks that it is computed from are visible, and has a position when all of them have
    one. `normalizer` is sqrt(w h) of the box of the annotated points of the 68.

    Raises:
        ValueError: not 68 points, or `count` is neither 21 nor 34.
    """
    points = from68(annotations.points, count)
    visible = annotations.state == VISIBLE
    all_visible = np.stack([visible[:, list(of)].all(1) for of in list(POINTS.values())[:count]], axis=1)
    placed = np.isfinite(points).all(-1)
    return FaceRecords(
        image=annotations.image,
        points=points,
        state=np.where(placed, np.where(all_visible, VISIBLE, OCCLUDED), SELF_OCCLUDED),
        box=annotations.box,
        source=annotations.source,
        is_test=annotations.is_test,
        normalizer=bounding_box_size(annotations.points),
        angles=annotations.angles,
        open_image=annotations.open_image,
    )


def tables_on_merl_rav(annotations: FaceRecords, predictions: Predictions) -> list[Table]:
    """NME of AFLW's points derived from MERL-RAV's 68: 19 of 21 and 32 of 34; visible points of test faces.

    This is not AFLW-PIFA: faces, annotations and normalizer differ, so there are no published rows. Outputs on the
    absolute jawline are left out, because MERL-RAV annotates the visible outline.

    Args:
        annotations: MERL-RAV's faces, 68 points.
        predictions: 68 points of the same faces.

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
        available = sum(bool(of) for of in list(POINTS.values())[:count])
        columns[f"{available} of {count}"] = errors(of_merl_rav(annotations, count), derived)
    rows = []
    for name in outlines:
        cells = tuple(mean_of_counted(values[name or f"{head.split()[-1]} points"]) for head, values in columns.items())
        rows.append(Row(predictions.row(name), cells))
    faces = tuple(int(np.isfinite(next(iter(values.values()))).sum()) for values in columns.values())
    return [
        Table(
            "AFLW's points on MERL-RAV: NME of visible points in percent of sqrt(w h) of the annotated landmark box",
            tuple(columns),
            (*rows, Row("faces", faces)),
            (
                "Not comparable with AFLW-PIFA: the faces and annotations are MERL-RAV's. Ear lobes are not annotated.",
                "Eye and mouth centers are means of the eyelid and inner lip points; visible if all of these are.",
                missed_note(predictions),
            ),
        )
    ]


def _thirteen(annotations: FaceRecords, predictions: Predictions) -> Table:
    """Error of each of the 13 points that this project chose: a wrongly chosen point has a much larger error."""
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
        "AFLW-PIFA, the 13 points after AFLW's 21: mean error of each, percent as above",
        tuple(name or "all" for name in predictions.outputs),
        tuple(rows),
        (
            "A row far above the others means that the dataset's point is not the one chosen here.",
            UNVERIFIED,
        ),
    )


def _row(name: str, values: np.ndarray, count: int, predictions: Predictions) -> Row:
    title = predictions.row("" if name == f"{count} points" else name)
    return Row(title, (mean_of_counted(values), int(np.isfinite(values).sum())))


def _offered(points: np.ndarray) -> np.ndarray:
    """(P,) bool: the output has this point in at least one face; all True when no face was found."""
    offered: np.ndarray = np.isfinite(points).all(-1).any(0)
    return offered if offered.any() else ~offered


def _notes(annotations: FaceRecords, predictions: Predictions, count: int) -> tuple[str, ...]:
    is_test, found = annotations.is_test, predictions.found
    offered = _offered(predictions.landmarks)
    lacking = [name for name, has_point in zip(list(POINTS)[:count], offered, strict=True) if not has_point]
    all_hidden = int((is_test & ~(annotations.state == VISIBLE).any(1)).sum())
    missed = int((is_test & ~found).sum())
    return (
        *(
            [f"Points that {predictions.method} does not predict, not counted for any face: {', '.join(lacking)}."]
            if lacking
            else ()
        ),
        *([f"{all_hidden} faces have no visible point and are excluded from all means."] if all_hidden else ()),
        f"{missed} of {int(is_test.sum())} faces were not found and are excluded from all means."
        if missed
        else "All faces found.",
        UNVERIFIED,
    )
