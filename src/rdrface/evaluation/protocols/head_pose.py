"""Head pose: AFLW2000-3D (1,970 faces) and BIWI (15,678 frames), in Euler angles and as one angle.

Both sets' angles are HPEN's (`rdrface.datasets.readers.aflw2000`), and predicted rotations are written in them.
"""

from dataclasses import dataclass

import numpy as np

from rdrface.datasets.readers.aflw2000 import hpen_angles, hpen_rotation
from rdrface.datasets.records import FaceRecords
from rdrface.evaluation.metrics.errors import angle_errors, by_yaw, mean_of_counted
from rdrface.evaluation.predictions.predictions import Predictions
from rdrface.evaluation.protocols.notes import missed_note
from rdrface.evaluation.tables import published
from rdrface.evaluation.tables.tables import Row, Table
from rdrface.geometry.yaw_bins import YAW_BIN_NAMES

POSE_LIMIT = 99.0
"""Degrees: head-pose protocols leave out faces with an annotated angle beyond this: 30 of AFLW2000-3D's 2,000."""

TITLES = {"aflw2000_3d": "AFLW2000-3D", "biwi": "BIWI"}


@dataclass(frozen=True)
class Measured:
    """Errors of one method's rotations; NaN for faces that are left out or were not found.

    Attributes:
        signed: (N, 3) degrees, predicted - true pitch, yaw, roll.
        geodesic: (N,) degrees.
    """

    signed: np.ndarray
    geodesic: np.ndarray


def tables(annotations: FaceRecords, predictions: Predictions) -> list[Table]:
    """Mean absolute errors of the Euler angles, and the angle of the rotation in between, both in degrees.

    Euler angles (FSA-Net, Yang et al., CVPR 2019, protocol 1: trained elsewhere, tested on all of the set): the
    predicted rotation in the set's own angles, faces with an angle beyond `POSE_LIMIT` left out. The geodesic error is
    the angle of the one rotation that brings the prediction to the truth (Zhou et al., CVPR 2019; the loss of Hempel et
    al., ICIP 2022): it knows nothing of axes and has no poles.

    Two face models have two ideas of "looking straight ahead". That constant rotation is in every error, although no
    prediction is wrong by it (Cobo et al., arXiv 2401.05807, who align it before they measure). The signed means show
    it; rows called so have it removed. It is found with the very predictions it judges: `constant_rotation`.

    Raises:
        ValueError: the predictions have no rotation, or the annotations no angles, or their numbers differ.
    """
    truth, angles, rotation = _both(annotations, predictions)
    kept = _kept(angles)
    constant = constant_rotation(truth[kept], rotation[kept])
    plain, aligned = measure(annotations, rotation), measure(annotations, rotation @ constant.T)
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
    pitch, yaw, roll = np.degrees(hpen_angles(constant))
    of_constant = (
        f"Constant rotation between the face models: yaw {yaw:+.2f}, pitch {pitch:+.2f}, roll {roll:+.2f} degrees, one",
        "for all faces, found with the very predictions it judges.",
    )
    notes = [_left_out(angles, kept), missed_note(predictions), *of_constant]
    if name in published.HEAD_POSE:
        notes.append("The published methods were trained on 300W-LP.")
    if name == "biwi":
        notes += [
            f"{len(annotations)} of the set's {published.BIWI_FRAMES:,} frames. The first published rows are on the",
            "frames where a detector found the head, 13,219 for FSA-Net (github.com/kuhnkeF/headposeplus); the others",
            "are on all frames.",
        ]
    rows = [_geodesic(label, values, angles[:, 1], kept) for label, values in ((row, plain), (removed, aligned))]
    faces = by_yaw(plain.geodesic[kept], angles[kept, 1]).counts
    return [
        Table(
            f"{title}: head pose, mean absolute error of the Euler angles, degrees",
            ("yaw", "pitch", "roll", "mean", "faces"),
            euler,
            tuple(notes),
        ),
        Table(
            f"{title}: head pose, geodesic error, degrees; by |yaw|: means",
            ("mean", "median", *YAW_BIN_NAMES),
            (*rows, Row("faces", (counted, counted, *faces))),
            (_left_out(angles, kept), missed_note(predictions), *of_constant),
        ),
    ]


def errors(annotations: FaceRecords, predictions: Predictions) -> dict[str, np.ndarray]:
    """Name -> (N,) degrees: the mean of the three absolute Euler errors, and the geodesic error.

    NaN for faces that are left out or were not found.
    """
    _, _, rotation = _both(annotations, predictions)
    measured = measure(annotations, rotation)
    return {"mean of yaw, pitch, roll": np.abs(measured.signed).mean(1), "geodesic": measured.geodesic}


def measure(annotations: FaceRecords, rotation: np.ndarray) -> Measured:
    """Errors of predicted rotations (N, 3, 3) in rdrface's frame."""
    angles = _angles(annotations)
    predicted = np.degrees(hpen_angles(rotation))
    # Two triples of angles describe every rotation; AFLW2000-3D's yaw goes beyond 90 degrees, so take the nearer one.
    near, far = (angle_errors(reading, angles) for reading in (predicted, predicted * [1, -1, 1] + 180))
    signed = np.where((np.abs(near).sum(1) <= np.abs(far).sum(1))[:, None], near, far)
    distance = geodesic(rotation, _truth(annotations))
    lost = ~_kept(angles) | ~np.isfinite(distance)
    signed[lost], distance[lost] = np.nan, np.nan
    return Measured(signed, distance)


def geodesic(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """(...) degrees: the angle of the rotation between two rotations (..., 3, 3), 0..180; NaN where one is NaN."""
    between = np.asarray(first, np.float64).swapaxes(-1, -2) @ np.asarray(second, np.float64)
    # atan2, not acos of the trace alone: exact for small angles too.
    skew = between - between.swapaxes(-1, -2)
    sine = np.sqrt(skew[..., 2, 1] ** 2 + skew[..., 0, 2] ** 2 + skew[..., 1, 0] ** 2)
    return np.degrees(np.arctan2(sine, np.trace(between, axis1=-2, axis2=-1) - 1))


def constant_rotation(truth: np.ndarray, predicted: np.ndarray) -> np.ndarray:
    """The rotation C (3, 3) for which truth C is nearest to `predicted`, in the face model's frame.

    The chordal mean (Hartley et al., Rotation Averaging, IJCV 2013, section 5) of truth^T predicted, both (N, 3, 3),
    over the faces where both are known. The identity without such faces.
    """
    between = truth.swapaxes(-1, -2) @ predicted
    between = between[np.isfinite(between).all((1, 2))]
    if not len(between):
        return np.eye(3)
    left, _, right = np.linalg.svd(between.sum(0))
    return left @ np.diag([1, 1, np.sign(np.linalg.det(left @ right))]) @ right


def _both(annotations: FaceRecords, predictions: Predictions) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    # True rotations, the set's angles in degrees, predicted rotations.
    angles = _angles(annotations)
    if predictions.rotation is None:
        raise ValueError(
            f"{predictions.method} says nothing of head pose; files of predictions give it as yaw, pitch and roll"
        )
    if len(predictions.rotation) != len(annotations):
        raise ValueError(f"{len(predictions.rotation)} predictions for {len(annotations)} annotated faces")
    return _truth(annotations), angles, predictions.rotation


def _truth(annotations: FaceRecords) -> np.ndarray:
    if annotations.rotation is not None:
        return annotations.rotation
    return hpen_rotation(np.radians(_angles(annotations)))


def _angles(annotations: FaceRecords) -> np.ndarray:
    if annotations.angles is None:
        raise ValueError("the head-pose protocol needs the set's angles; these annotations have none")
    return annotations.angles


def _kept(angles: np.ndarray) -> np.ndarray:
    return (np.abs(angles) <= POSE_LIMIT).all(1)


def _left_out(angles: np.ndarray, kept: np.ndarray) -> str:
    unknown = np.isnan(angles).any(1)
    beyond = int((~kept & ~unknown).sum())
    note = f"{beyond} of {len(kept)} faces left out: an annotated angle beyond {POSE_LIMIT:g} degrees"
    return f"{note}; {int(unknown.sum())} without a pose." if unknown.any() else f"{note}."


def _means(values: np.ndarray) -> tuple[float, ...]:
    return tuple(mean_of_counted(values[:, axis]) for axis in (1, 0, 2))


def _absolute(measured: Measured) -> tuple[float, ...]:
    means = _means(np.abs(measured.signed))
    return (*means, sum(means) / 3)


def _geodesic(name: str, measured: Measured, yaw: np.ndarray, kept: np.ndarray) -> Row:
    values = measured.geodesic[np.isfinite(measured.geodesic)]
    median = float(np.median(values)) if len(values) else float("nan")
    return Row(name, (mean_of_counted(values), median, *by_yaw(measured.geodesic[kept], yaw[kept]).bins))
