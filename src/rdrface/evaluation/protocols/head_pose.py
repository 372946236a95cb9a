"""Head pose: AFLW2000-3D (1,970 faces) and BIWI (15,678 frames), errors of the Euler angles and geodesic error.

Both datasets use HPEN's angles (`rdrface.datasets.readers.aflw2000`); predicted rotations are converted to them. The
errors of the angles that `Face.pose` reports are a table of their own (`rdrface.evaluation.protocols.reported_angles`).

Unverified on BIWI: the reader and protocol were tested on small files in the published format, not on the full dataset.
Run on 200 images of AFLW2000-3D.
"""

from dataclasses import dataclass

import numpy as np

from rdrface.datasets.readers.aflw2000 import hpen_angles, hpen_rotation
from rdrface.datasets.records import FaceRecords
from rdrface.evaluation.metrics.errors import angle_errors, by_yaw, geodesic, mean_of_counted
from rdrface.evaluation.metrics.hpen_model import HpenModel
from rdrface.evaluation.predictions.predictions import Predictions
from rdrface.evaluation.protocols.notes import UNVERIFIED, missed_note
from rdrface.evaluation.protocols.reported_angles import reported_angles_table
from rdrface.evaluation.tables import published
from rdrface.evaluation.tables.tables import Row, Table
from rdrface.geometry.yaw_bins import YAW_BIN_NAMES

POSE_LIMIT = 99.0
"""Degrees; protocols of head pose leave out faces with a larger annotated angle: 30 of AFLW2000-3D's 2,000."""

TITLES = {"aflw2000_3d": "AFLW2000-3D", "biwi": "BIWI"}


@dataclass(frozen=True)
class PoseErrors:
    """Errors of predicted rotations; NaN for faces that are left out or were not found.

    Attributes:
        signed: (N, 3) degrees, predicted - true pitch, yaw, roll.
        geodesic: (N,) degrees, angle of the rotation between prediction and truth.
    """

    signed: np.ndarray
    geodesic: np.ndarray


def tables(annotations: FaceRecords, predictions: Predictions) -> list[Table]:
    """Mean absolute errors of the dataset's Euler angles, the geodesic error, and errors of the reported angles.

    All are in degrees. The dataset's Euler angles are those of FSA-Net (Yang et al., CVPR 2019, protocol 1: trained on
    another dataset, tested on all of this one): the predicted rotation in the dataset's angles; faces with an angle
    beyond `POSE_LIMIT` are left out. The geodesic error is the angle of the rotation between prediction and truth (Zhou
    et al., CVPR 2019; the loss of Hempel et al., ICIP 2022). It does not depend on the choice of axes and has no
    singularities.

    Face models differ in which orientation they call frontal. This constant rotation is part of every error, although
    it is not an error of the predictions (Cobo et al., arXiv 2401.05807, remove it before measuring). The signed means
    show it, and it is removed in the rows "constant rotation removed". It is estimated from the evaluated predictions
    (`constant_rotation`). The rows "in HPEN's face model" use nothing of the evaluated set: their conversion was fitted
    to 300W-LP (`HpenModel`). They need predicted expressions.

    Raises:
        ValueError: the predictions have no rotation, the annotations have no angles, or the numbers of faces differ.
    """
    truth, angles, rotation = _both(annotations, predictions)
    kept = _kept(angles)
    constant = constant_rotation(truth[kept], rotation[kept])
    plain, aligned = pose_errors(annotations, rotation), pose_errors(annotations, rotation @ constant.T)
    name = annotations.source[0].split("/")[0] if len(annotations) else ""
    title = TITLES.get(name, name)
    row, removed = predictions.row(""), f"{predictions.method}, constant rotation removed"
    counted = int(np.isfinite(plain.geodesic).sum())
    euler = (
        *published.HEAD_POSE.get(name, ()),
        Row(row, (*_absolute(plain), counted)),
        Row(f"{predictions.method}, signed mean", (*_means(plain.signed), None, counted)),
        Row(removed, (*_absolute(aligned), counted)),
    )
    of_rows = [(row, plain), (removed, aligned)]
    conversion = []
    if predictions.expression is not None:
        converted = pose_errors(annotations, HpenModel.load().hpen(rotation, predictions.expression))
        of_rows.append((f"{predictions.method}, in HPEN's face model", converted))
        euler = (*euler, Row(of_rows[-1][0], (*_absolute(converted), counted)))
        conversion.append(
            "In HPEN's face model: converted by a rotation linear in alpha_exp that was fitted to 300W-LP."
        )
    pitch, yaw, roll = np.degrees(hpen_angles(constant))
    of_constant = (
        f"Constant rotation between the face models: yaw {yaw:+.2f}, pitch {pitch:+.2f}, roll {roll:+.2f} degrees",
        "in the dataset's angles; it is the same for all faces and estimated from the evaluated predictions.",
    )
    notes = [_left_out(angles, kept), missed_note(predictions), *of_constant, *conversion]
    if name in published.HEAD_POSE:
        notes.append("The published methods were trained on 300W-LP.")
    if name == "biwi":
        notes += [
            f"{len(annotations)} of the dataset's {published.BIWI_FRAMES:,} frames. Published rows without a number of",
            "faces are on the frames in which a detector found the head, 13,219 for FSA-Net",
            "(github.com/kuhnkeF/headposeplus).",
        ]
    unverified = (UNVERIFIED,) if name == "biwi" else ()
    rows = [_geodesic(label, values, angles[:, 1], kept) for label, values in of_rows]
    faces = by_yaw(plain.geodesic[kept], angles[kept, 1]).counts
    return [
        Table(
            f"{title}: head pose, mean absolute error of the dataset's Euler angles, degrees",
            ("yaw", "pitch", "roll", "mean", "faces"),
            euler,
            (*notes, *unverified),
        ),
        Table(
            f"{title}: head pose, geodesic error, degrees; bins by |yaw|: mean",
            ("mean", "median", *YAW_BIN_NAMES),
            (*rows, Row("faces", (counted, counted, *faces))),
            (_left_out(angles, kept), missed_note(predictions), *of_constant, *conversion, *unverified),
        ),
        reported_angles_table(title, truth, predictions, angles[:, 1]),
    ]


def errors(annotations: FaceRecords, predictions: Predictions) -> dict[str, np.ndarray]:
    """Name -> (N,) degrees: mean of the three absolute errors of the dataset's Euler angles, and geodesic error.

    NaN for faces that are left out or were not found.
    """
    _, _, rotation = _both(annotations, predictions)
    of_faces = pose_errors(annotations, rotation)
    return {"mean of yaw, pitch, roll": np.abs(of_faces.signed).mean(1), "geodesic": of_faces.geodesic}


def pose_errors(annotations: FaceRecords, rotation: np.ndarray) -> PoseErrors:
    """Errors of predicted rotations (N, 3, 3), given in rdrface's frame."""
    angles = _angles(annotations)
    predicted = np.degrees(hpen_angles(rotation))
    # Two triples of angles describe each rotation. Use the closer one, since AFLW2000-3D's yaw exceeds 90 degrees.
    first, second = (angle_errors(triple, angles) for triple in (predicted, predicted * [1, -1, 1] + 180))
    signed = np.where((np.abs(first).sum(1) <= np.abs(second).sum(1))[:, None], first, second)
    distance = geodesic(rotation, annotated_rotation(annotations))
    excluded = ~_kept(angles) | ~np.isfinite(distance)
    signed[excluded], distance[excluded] = np.nan, np.nan
    return PoseErrors(signed, distance)


def annotated_rotation(annotations: FaceRecords) -> np.ndarray:
    """(N, 3, 3) annotated rotations in rdrface's frame, converted from the dataset's angles if it has no matrices.

    Raises:
        ValueError: the annotations have neither rotations nor angles.
    """
    if annotations.rotation is not None:
        return annotations.rotation
    return hpen_rotation(np.radians(_angles(annotations)))


def constant_rotation(truth: np.ndarray, predicted: np.ndarray) -> np.ndarray:
    """Rotation C (3, 3) in the face model's frame for which truth C is closest to `predicted`.

    Chordal mean (Hartley et al., Rotation Averaging, IJCV 2013, section 5) of truth^T predicted, both (N, 3, 3), over
    the faces where both are finite. The identity when there are no such faces.
    """
    between = truth.swapaxes(-1, -2) @ predicted
    between = between[np.isfinite(between).all((1, 2))]
    if not len(between):
        return np.eye(3)
    left, _, right = np.linalg.svd(between.sum(0))
    rotation: np.ndarray = left @ np.diag([1, 1, np.sign(np.linalg.det(left @ right))]) @ right
    return rotation


def _both(annotations: FaceRecords, predictions: Predictions) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    # True rotations, the set's angles in degrees, predicted rotations.
    angles = _angles(annotations)
    if predictions.rotation is None:
        raise ValueError(
            f"the predictions of {predictions.method} have no head pose; add yaw, pitch and roll to the file"
        )
    if len(predictions.rotation) != len(annotations):
        raise ValueError(f"{len(predictions.rotation)} predictions for {len(annotations)} annotated faces")
    return annotated_rotation(annotations), angles, predictions.rotation


def _angles(annotations: FaceRecords) -> np.ndarray:
    if annotations.angles is None:
        raise ValueError("the head pose protocol needs annotated angles; these annotations have none")
    return annotations.angles


def _kept(angles: np.ndarray) -> np.ndarray:
    kept: np.ndarray = (np.abs(angles) <= POSE_LIMIT).all(1)
    return kept


def _left_out(angles: np.ndarray, kept: np.ndarray) -> str:
    unknown = np.isnan(angles).any(1)
    beyond = int((~kept & ~unknown).sum())
    note = f"{beyond} of {len(kept)} faces left out: an annotated angle beyond {POSE_LIMIT:g} degrees"
    return f"{note}; {int(unknown.sum())} without a pose." if unknown.any() else f"{note}."


def _means(values: np.ndarray) -> tuple[float, ...]:
    return tuple(mean_of_counted(values[:, axis]) for axis in (1, 0, 2))


def _absolute(pose: PoseErrors) -> tuple[float, ...]:
    means = _means(np.abs(pose.signed))
    return (*means, sum(means) / 3)


def _geodesic(name: str, pose: PoseErrors, yaw: np.ndarray, kept: np.ndarray) -> Row:
    values = pose.geodesic[np.isfinite(pose.geodesic)]
    median = float(np.median(values)) if len(values) else float("nan")
    return Row(name, (mean_of_counted(values), median, *by_yaw(pose.geodesic[kept], yaw[kept]).bins))
