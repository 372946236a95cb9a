"""300-W: 68 points on the visible outline of faces within about 45 degrees of yaw.

Run on the training parts (AFW, HELEN, LFPW). The test parts, and with them the table of the common, challenging and
full subsets, were tested only on small files in the published format.
"""

import numpy as np

from rdrface.datasets.records import FaceRecords
from rdrface.evaluation.metrics.errors import bounding_box_size, interocular, interpupil, mean_of_counted, nme
from rdrface.evaluation.predictions.predictions import Predictions
from rdrface.evaluation.protocols.notes import check_points, missed_note
from rdrface.evaluation.tables import published
from rdrface.evaluation.tables.tables import Row, Table
from rdrface.landmarks import CONTOUR, NUM_LANDMARKS

SUBSETS = ("common", "challenging", "full")


def tables(annotations: FaceRecords, predictions: Predictions) -> list[Table]:
    """300-W (Sagonas et al., 2013): all 68 points on the visible outline, by part.

    Normalizers, named in the columns: inter-ocular, the distance of the outer eye corners (the benchmark's own, and the
    usual one today); inter-pupil, the distance of the means of the two eyes' six points (Ren et al., CVPR 2014); box,
    sqrt(w h) of the box of the 68 points. "common" is the test parts of HELEN and LFPW (554 faces), "challenging" is
    iBUG (135 faces), "full" is both (Ren et al.); they are printed when the folder contains them. Training parts have
    separate rows, marked "(training part)".

    Raises:
        ValueError: not 68 points.
    """
    columns = errors(annotations, predictions)
    groups = subsets(annotations)
    result = []
    if all(name in groups for name in SUBSETS):
        rows = [
            Row(predictions.row(name), tuple(mean_of_counted(values[groups[s]]) for s in SUBSETS))
            for name, values in columns.items()
            if "inter-ocular" in name
        ]
        result.append(
            Table(
                "300-W, 68 points: NME in percent of the inter-ocular distance (outer eye corners)",
                SUBSETS,
                (*published.W300_INTEROCULAR, *rows, Row("faces", tuple(int(groups[s].sum()) for s in SUBSETS))),
                (missed_note(predictions),),
            )
        )
    rows = []
    for name, group in groups.items():
        label = f"{name} (training part)" if not annotations.is_test[group].any() else name
        rows.append(Row(label, (*(mean_of_counted(values[group]) for values in columns.values()), int(group.sum()))))
    notes = (
        "inter-ocular: distance of the outer eye corners; inter-pupil: distance of the means of each eye's points;",
        "box: sqrt(w h) of the box of the 68 points.",
        missed_note(predictions),
    )
    by_part = Table(f"300-W, by part: NME in percent, {predictions.method}", (*columns, "faces"), tuple(rows), notes)
    return [*result, by_part]


def errors(annotations: FaceRecords, predictions: Predictions) -> dict[str, np.ndarray]:
    """Column of the table -> (N,) NME of every face, percent; only outputs on the visible outline."""
    check_points(annotations, predictions, NUM_LANDMARKS, "300-W")
    truth = annotations.points
    eyes, pupils, size = interocular(truth), interpupil(truth), bounding_box_size(truth)
    inner = ~np.isin(np.arange(NUM_LANDMARKS), CONTOUR)
    result = {}
    for i, (name, points) in enumerate(predictions.outlines.items()):
        head = f"{name}, " if name else ""
        result[f"{head}inter-ocular"] = nme(points, truth, eyes)
        if i == 0:
            result[f"{head}inter-pupil"] = nme(points, truth, pupils)
            result[f"{head}inner 51, inter-ocular"] = nme(points, truth, eyes, inner)
        result[f"{head}box"] = nme(points, truth, size)
    return result


def subsets(annotations: FaceRecords) -> dict[str, np.ndarray]:
    """Name of a part -> (N,) bool: every folder, then common, challenging and full if their parts are present."""
    source = annotations.source
    hard = np.array([name.split("/")[-1] == "ibug" for name in source.tolist()], bool)
    easy = annotations.is_test & np.array([name.split("/")[-1] == "testset" for name in source.tolist()], bool)
    groups = {name: source == name for name in dict.fromkeys(source.tolist())}
    if easy.any() and hard.any():
        groups |= {"common": easy, "challenging": hard, "full": easy | hard}
    return groups
