"""Errors of the angles that `Face.pose` reports, by yaw, for datasets with annotated head poses.

Published protocols compare the dataset's own Euler angles (`rdrface.evaluation.protocols.head_pose`). Those of
AFLW2000-3D, 300W-LP and BIWI, and those of P, are singular at a yaw of +-90 degrees: near it, pitch and roll have large
errors of opposite sign although the rotation is accurate.
"""

import numpy as np

from rdrface.evaluation.metrics.errors import angle_errors, by_yaw, geodesic, mean_of_counted
from rdrface.evaluation.predictions.predictions import Predictions
from rdrface.evaluation.protocols.notes import missed_note
from rdrface.evaluation.tables.tables import Row, Table
from rdrface.geometry.camera import PITCH, ROLL, YAW
from rdrface.geometry.rotation import euler_angles, head_angles
from rdrface.geometry.yaw_bins import YAW_BIN_NAMES

PROFILE = 75.0
"""Degrees of |yaw|; faces beyond it are also counted separately."""

_ANGLES = {"yaw": YAW, "pitch": PITCH, "roll": ROLL}


def reported_angles_table(title: str, truth: np.ndarray, predictions: Predictions, yaw: np.ndarray) -> Table:
    """Mean absolute errors of yaw, pitch and roll and of the rotation, in degrees, by |yaw|.

    The annotated and the predicted rotation are decomposed in the same way: first as `Face.pose`, R_y(yaw) R_x(pitch)
    R_z(roll), then as P, R_z(roll) R_y(yaw) R_x(pitch). Every face with a pose counts, also those that published
    protocols leave out because an angle is large: near the singularity of these angles, ordinary poses have large ones.

    Args:
        title: name of the dataset.
        truth: (N, 3, 3) annotated rotations in rdrface's frame; NaN = unknown.
        predictions: of the same faces, with rotations.
        yaw: (N,) degrees, the dataset's own yaw, which defines the bins; NaN = unknown.

    Raises:
        ValueError: the predictions have no rotation.
    """
    if predictions.rotation is None:
        raise ValueError(f"the predictions of {predictions.method} have no head pose")
    known = np.isfinite(truth).all((1, 2)) & np.isfinite(predictions.rotation).all((1, 2)) & np.isfinite(yaw)
    truth, predicted, yaw = truth[known], predictions.rotation[known], yaw[known]
    reported, of_p = (
        np.abs(angle_errors(np.degrees(decompose(predicted)), np.degrees(decompose(truth))))
        for decompose in (head_angles, euler_angles)
    )
    method = predictions.method
    rows = [Row(f"{method}, {name}", _cells(reported[:, axis], yaw)) for name, axis in _ANGLES.items()]
    rows.append(Row(f"{method}, rotation", _cells(geodesic(predicted, truth), yaw)))
    rows += [Row(f"{method}, {name} of P", _cells(of_p[:, axis], yaw)) for name, axis in _ANGLES.items()]
    counts = (*by_yaw(np.zeros(len(yaw)), yaw).counts, int((np.abs(yaw) > PROFILE).sum()), len(yaw))
    return Table(
        f"{title}: head pose, mean absolute error of the reported angles, degrees, by |yaw|",
        (*YAW_BIN_NAMES, f"beyond {PROFILE:.0f}", "all"),
        (*rows, Row("faces", counts)),
        (
            "yaw, pitch, roll: angles of Face.pose, R_y(yaw) R_x(pitch) R_z(roll). rotation: geodesic error.",
            "of P: angles of Face.parameters.pose, R_z(roll) R_y(yaw) R_x(pitch), singular at a yaw of 90 degrees.",
            "Bins by the dataset's own yaw. All faces with a pose are counted.",
            missed_note(predictions),
        ),
    )


def _cells(errors: np.ndarray, yaw: np.ndarray) -> tuple[float, ...]:
    return (*by_yaw(errors, yaw).bins, mean_of_counted(errors[np.abs(yaw) > PROFILE]), mean_of_counted(errors))
