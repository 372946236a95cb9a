"""300W-LP: 122,450 faces made by face profiling, with the 68 points of a fitted face model. A training set.

Run on the part AFW (5,207 images).
"""

from dataclasses import replace
from pathlib import Path

import numpy as np

from rdrface.datasets.readers.w300lp import read_300wlp
from rdrface.datasets.records import CONTOURS, FaceRecords
from rdrface.evaluation.metrics.errors import bounding_box_size, by_yaw, mean_of_counted, nme
from rdrface.evaluation.predictions.predictions import Predictions
from rdrface.evaluation.protocols.notes import BINS, check_points, faces_row, missed_note
from rdrface.evaluation.tables.tables import Row, Table
from rdrface.geometry.boxes import bounding_boxes
from rdrface.landmarks import CONTOUR, INNER, NUM_LANDMARKS

NOTES = (
    "Nearly all published methods for large poses were trained on this dataset, and rdrface on its part AFW: for them",
    "these numbers do not measure generalization.",
)

WHOLE = "68 points"
_INNER = "inner 51"


def read(root: str | Path, flipped: bool = True) -> FaceRecords:
    """All faces of the folder 300W_LP; arguments and errors as in `rdrface.datasets.readers.read_300wlp`.

    Faces annotated with both contours are compared on the absolute jawline. `source` ends in the contour convention of
    the face's points: "300w_lp/AFW_Flip/jawline". The dataset has no test part: all faces are training faces, and all
    of them are counted.
    """
    records = _on_jawline(read_300wlp(root, flipped))
    pairs = zip(records.source.tolist(), np.where(records.on_jawline, "jawline", "outline").tolist(), strict=True)
    return replace(records, source=np.array([f"{source}/{contour}" for source, contour in pairs]))


def _on_jawline(records: FaceRecords) -> FaceRecords:
    if records.jawline_contour is None:
        return records
    has = np.isfinite(records.jawline_contour).all((1, 2))
    points = records.points.copy()
    points[:, CONTOUR] = np.where(has[:, None, None], records.jawline_contour, points[:, CONTOUR])
    return replace(
        records,
        points=points,
        box=bounding_boxes(points),
        contour=np.where(has | records.on_jawline, "jawline", "outline"),
        jawline_contour=None,
    )


def tables(annotations: FaceRecords, predictions: Predictions) -> list[Table]:
    """300W-LP (Zhu et al., CVPR 2016): 68 points, by |yaw| of the dataset's fitted pose and by part.

    Normalizer: sqrt(w h) of the box of the 68 true points, as for AFLW2000-3D. Faces with 3D points are annotated on
    the absolute jawline, faces with `pt2d` alone on the visible outline. Each face is compared with the output of its
    own convention if the method has both.

    Raises:
        ValueError: not 68 points, or annotations that were not read with `read`.
    """
    by_row = errors(annotations, predictions)
    yaw = annotations.yaw
    if yaw is None:
        raise ValueError(
            "the 300W-LP protocol needs annotated angles; read it with rdrface.evaluation.protocols.w300lp"
        )
    rows = [
        Row(predictions.row("" if name == WHOLE else name), by_yaw(values, yaw).cells)
        for name, values in by_row.items()
    ]
    contour = _contour(annotations)
    conventions = ", ".join(f"{int((contour == name).sum())} on the {name}" for name in CONTOURS)
    notes = (f"Faces by annotated contour: {conventions}.", missed_note(predictions), *NOTES)
    return [
        Table(
            "300W-LP: NME in percent of sqrt(w h) of the true landmark box, by |yaw| in degrees",
            BINS,
            (*rows, faces_row(predictions, yaw)),
            notes,
        ),
        Table(
            f"300W-LP, by part: NME in percent of sqrt(w h) of the true landmark box, {predictions.method}",
            (*by_row, "faces"),
            tuple(
                Row(name, (*(mean_of_counted(values[group]) for values in by_row.values()), int(group.sum())))
                for name, group in _groups(annotations, contour)
            ),
            notes,
        ),
    ]


def errors(annotations: FaceRecords, predictions: Predictions) -> dict[str, np.ndarray]:
    """Row of the table -> (N,) NME of every face, percent.

    An output and its "*_jawline" counterpart become one row, which takes for each face the output in the convention of
    its annotations. The rows of the 51 inner points follow; these do not depend on the convention.

    Raises:
        ValueError: as `tables`.
    """
    check_points(annotations, predictions, NUM_LANDMARKS, "300W-LP")
    size = bounding_box_size(annotations.points)
    inner = np.isin(np.arange(NUM_LANDMARKS), INNER)
    outputs = _outputs(annotations, predictions)
    result = {name or WHOLE: nme(points, annotations.points, size) for name, points in outputs.items()}
    for name, points in outputs.items():
        result[f"{name}, {_INNER}" if name else _INNER] = nme(points, annotations.points, size, inner)
    return result


def _outputs(annotations: FaceRecords, predictions: Predictions) -> dict[str, np.ndarray]:
    jawline = (_contour(annotations) == "jawline")[:, None, None]
    given = predictions.outputs
    chosen: dict[str, np.ndarray] = {}
    for name, points in given.items():
        outline = name.removesuffix("_jawline")
        if outline in given and f"{outline}_jawline" in given:
            chosen[outline] = np.where(jawline, given[f"{outline}_jawline"], given[outline])
        else:
            chosen[name] = points
    return chosen


def _contour(annotations: FaceRecords) -> np.ndarray:
    contour = np.array([source.rpartition("/")[2] for source in annotations.source.tolist()], np.str_)
    if not np.isin(contour, CONTOURS).all():
        raise ValueError(
            f"the sources of 300W-LP's faces must end in {' or '.join(CONTOURS)}, got {str(annotations.source[0])!r}; "
            "read the dataset with rdrface.evaluation.protocols.w300lp.read"
        )
    return contour


def _groups(annotations: FaceRecords, contour: np.ndarray) -> list[tuple[str, np.ndarray]]:
    part = np.array([source.rpartition("/")[0] for source in annotations.source.tolist()], np.str_)
    groups = [(name, part == name) for name in dict.fromkeys(part.tolist())]
    if len(set(contour.tolist())) > 1:
        groups += [(f"annotated on the {name}", contour == name) for name in CONTOURS]
    return [*groups, ("all", np.ones(len(part), bool))]
