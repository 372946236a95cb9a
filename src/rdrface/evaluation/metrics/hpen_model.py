"""Difference between the rotation of HPEN's face model and that of rdrface's.

The angles of 300W-LP and AFLW2000-3D are those of HPEN's face model, fitted to the landmarks. Two face models disagree
about the rotation of a face for two reasons: they call another orientation frontal, and they explain the same
landmarks by different shares of rotation and expression. The first is a constant rotation, the second is linear in
alpha_exp here. Both are fitted to 300W-LP by ``tools/fit_hpen_model.py``. Published methods learn this difference by
training on 300W-LP's angles.
"""

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rdrface.files import write_aside
from rdrface.geometry.rotation import rotation_about, rotation_vector

PACKAGED = Path(__file__).with_name("hpen_model.csv")
"""The difference that `rdrface evaluate` uses, fitted with the weights after run 11 (docs/history.md)."""

OUTLIER = 20.0
"""Degrees; faces whose rotations differ more are not used in a fit."""

_HEADER = ["", "x", "y", "z"]
_CONSTANT = "constant"


@dataclass(frozen=True)
class HpenModel:
    """The rotation C(alpha_exp) for which (HPEN's rotation) C is rdrface's rotation of the same face.

    Attributes:
        constant: (3,) degrees, rotation vector in the face's frame for an expression of zero.
        expression: (46, 3) degrees per unit of each coefficient.
    """

    constant: np.ndarray
    expression: np.ndarray

    def hpen(self, rotation: np.ndarray, expression: np.ndarray) -> np.ndarray:
        """Convert rotations of rdrface's face model to those of HPEN's.

        Args:
            rotation: (N, 3, 3) in rdrface's frame.
            expression: (N, 46) alpha_exp of the same faces.

        Returns:
            (N, 3, 3) in rdrface's frame; NaN where an argument is NaN.
        """
        vectors = np.radians(self.constant + expression @ self.expression)
        converted: np.ndarray = rotation @ rotation_about(vectors).swapaxes(-1, -2)
        return converted

    @classmethod
    def fit(
        cls, hpen: np.ndarray, rotation: np.ndarray, expression: np.ndarray, mirror: np.ndarray, penalty: float
    ) -> "HpenModel":
        """Least squares with a penalty on the squared effect of each coefficient's standard deviation.

        Every face also counts as its mirror image, so the constant rotation has no yaw and no roll.

        Args:
            hpen: (N, 3, 3) rotations of HPEN's model, in rdrface's frame.
            rotation: (N, 3, 3) rotations of rdrface's model; faces that differ by more than `OUTLIER` are left out.
            expression: (N, 46) alpha_exp.
            mirror: (46,) `FaceModel.expression_mirror`.
            penalty: in faces; infinite for a constant rotation.
        """
        vectors = np.degrees(rotation_vector(hpen.swapaxes(-1, -2) @ rotation))
        used = np.linalg.norm(vectors, axis=1) < OUTLIER
        vectors, expression = vectors[used], expression[used]
        # The mirror image turns about x in the same direction, about y and z in the other.
        vectors = np.concatenate([vectors, vectors * [1, -1, -1]])
        expression = np.concatenate([expression, expression[:, mirror]])
        constant, mean = vectors.mean(0), expression.mean(0)
        if np.isinf(penalty):
            return cls(constant, np.zeros((expression.shape[1], 3)))
        deviation = expression.std(0)
        # A coefficient that never moves has no effect.
        scale = np.where(deviation > 0, deviation, np.inf)
        x = (expression - mean) / scale
        # Every face is there twice, so the penalty is too.
        normal = x.T @ x + 2 * penalty * np.eye(x.shape[1])
        effect = np.linalg.solve(normal, x.T @ (vectors - constant)) / scale[:, None]
        return cls(constant - mean @ effect, effect)

    @classmethod
    def load(cls, path: Path = PACKAGED) -> "HpenModel":
        """Read a file of `save`; default: the one for the packaged weights."""
        with path.open(newline="", encoding="utf-8") as stream:
            values = np.array([row[1:] for row in csv.reader(stream)][1:], np.float64)
        return cls(values[0], values[1:])

    def save(self, path: Path, names: tuple[str, ...]) -> None:
        """Write a CSV file: one row for the constant and one for each coefficient.

        Args:
            path: an existing file is replaced.
            names: names of the 46 coefficients.
        """
        with write_aside(path) as aside, aside.open("w", newline="", encoding="utf-8") as stream:
            rows = csv.writer(stream, lineterminator="\n")
            rows.writerow(_HEADER)
            for name, vector in zip((_CONSTANT, *names), (self.constant, *self.expression), strict=True):
                rows.writerow([name, *(f"{round(value, 3) + 0.0:.3f}" for value in vector.tolist())])
