"""Datasets of `rdrface evaluate`: reader, compared outputs and protocol of each."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rdrface.datasets.readers import read_merl_rav, read_set, read_w300
from rdrface.datasets.readers.aflw import read_aflw21, read_aflw_pifa
from rdrface.datasets.readers.biwi import read_biwi
from rdrface.datasets.readers.cofw import read_cofw68
from rdrface.datasets.readers.wflw import read_wflw
from rdrface.datasets.records import FaceRecords
from rdrface.evaluation.predictions.predictions import OUTPUT_NAMES, Predictions
from rdrface.evaluation.protocols import aflw, aflw2000, aflw_points, cofw, head_pose, merl_rav, w300, w300lp, wflw
from rdrface.evaluation.tables.tables import Table
from rdrface.face import Face
from rdrface.fitting.estimated_boxes import with_landmark_boxes


@dataclass(frozen=True)
class EvaluationSet:
    """One public dataset and its protocol.

    Attributes:
        title: name of the dataset in papers.
        read: folder -> faces that the protocol counts.
        outputs: one predicted face -> name of an output -> (P, 2) image pixels, the dataset's points, the principal
            output first.
        errors: (annotations, predictions) -> name -> (N,) error of every face, for curves and JSON.
        tables: (annotations, predictions) -> tables to print.
        unit: unit of the errors, for axes and tables.
        limit: threshold of the area under the curve and of a failure, in `unit`; from papers on the dataset.
        from68: 68 points of other methods (n, 68, 2) -> (n, P, 2), NaN for points that the 68 do not define; None where
            the points cannot be derived from the 68.
        read_training: folder -> faces of the training part, annotated as the protocol needs them; None for datasets
            that rdrface is not trained on.
    """

    title: str
    read: Callable[[Path], FaceRecords]
    outputs: Callable[[Face], Mapping[str, np.ndarray]]
    errors: Callable[[FaceRecords, Predictions], dict[str, np.ndarray]]
    tables: Callable[[FaceRecords, Predictions], list[Table]]
    unit: str
    limit: float
    from68: Callable[[np.ndarray], np.ndarray] | None = None
    read_training: Callable[[Path], FaceRecords] | None = None


def own68(face: Face) -> dict[str, np.ndarray]:
    """The four outputs of a face, each (68, 2) image pixels, by `evaluation.predictions.predictions.OUTPUT_NAMES`."""
    points = (face.landmarks, face.projection, face.landmarks_jawline, face.landmarks_3d[:, :2])
    return dict(zip(OUTPUT_NAMES, points, strict=True))


def own68_jawline(face: Face) -> dict[str, np.ndarray]:
    """The outputs of `own68`, (68, 2) each, with those on the absolute jawline first, for datasets annotated there."""
    outputs = own68(face)
    return {name: outputs[name] for name in sorted(outputs, key=lambda name: "jawline" not in name)}


def _aflw_pifa(folder: Path) -> FaceRecords:
    return with_landmark_boxes(read_aflw_pifa(folder, 21), "aflw21")


def _aflw_lfpa(folder: Path) -> FaceRecords:
    return with_landmark_boxes(read_aflw_pifa(folder, 34), "aflw34")


def _no_points(face: Face) -> dict[str, np.ndarray]:
    return {"": np.empty((0, 2))}


def _aflw2000(folder: Path) -> FaceRecords:
    return read_set("aflw2000-3d", folder, "test")


def _merl_rav(folder: Path) -> FaceRecords:
    return read_merl_rav(folder, "test")


def _w300(folder: Path) -> FaceRecords:
    return read_w300(folder)


def _merl_rav_training(folder: Path) -> FaceRecords:
    return read_set("merl-rav", folder, "train")


def _w300_training(folder: Path) -> FaceRecords:
    return read_set("300w", folder, "train")


_BOX = "% of sqrt(w h) of the landmark box"
_FACE_BOX = "% of the square root of the face box area"
_EYES = "% of the inter-ocular distance"

SETS: dict[str, EvaluationSet] = {
    "aflw2000-3d": EvaluationSet("AFLW2000-3D", _aflw2000, own68_jawline, aflw2000.errors, aflw2000.tables, _BOX, 7.0),
    "merl-rav": EvaluationSet(
        "MERL-RAV",
        _merl_rav,
        own68,
        merl_rav.errors,
        merl_rav.tables,
        _BOX,
        7.0,
        read_training=_merl_rav_training,
    ),
    "300w": EvaluationSet("300-W", _w300, own68, w300.errors, w300.tables, _EYES, 8.0, read_training=_w300_training),
    "aflw-pifa": EvaluationSet(
        "AFLW-PIFA", _aflw_pifa, aflw_points.outputs, aflw.errors, aflw.tables, _FACE_BOX, 10.0, aflw_points.from68
    ),
    "aflw-lfpa": EvaluationSet(
        "AFLW-LFPA",
        _aflw_lfpa,
        aflw_points.outputs34,
        aflw.errors,
        aflw.tables,
        _FACE_BOX,
        10.0,
        aflw_points.from68_to_34,
    ),
    "aflw-21": EvaluationSet(
        "AFLW, 3DDFA's list",
        read_aflw21,
        aflw_points.outputs,
        aflw.errors,
        aflw.tables_by_yaw,
        _BOX,
        10.0,
        aflw_points.from68,
    ),
    "wflw": EvaluationSet("WFLW", read_wflw, wflw.outputs, wflw.errors, wflw.tables, _EYES, wflw.LIMIT, wflw.from68),
    "300w-lp": EvaluationSet(
        "300W-LP", w300lp.read, own68, w300lp.errors, w300lp.tables, _BOX, 7.0, read_training=w300lp.read
    ),
    "cofw68": EvaluationSet("COFW68", read_cofw68, own68, cofw.errors, cofw.tables, _EYES, cofw.LIMIT),
    "biwi": EvaluationSet("BIWI", read_biwi, _no_points, head_pose.errors, head_pose.tables, "degrees", 10.0),
}
"""Name on the command line -> dataset."""
