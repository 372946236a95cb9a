"""Predictions of one method for the faces of a set: the type that every protocol reads."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from rdrface.geometry.boxes import box_size
from rdrface.morphable.params import NUM_EXPRESSION

OUTPUT_NAMES = ("landmarks", "projection", "landmarks_jawline", "projection_jawline")
"""Names of our outputs of 68 points, as in `Face`; `projection_jawline` is x and y of `Face.landmarks_3d`."""


@dataclass(frozen=True)
class Predictions:
    """Predictions of one method for N annotated faces with P points; NaN for faces that were not found.

    Attributes:
        outputs: label of an output -> (N, P, 2) image pixels; the first output is the principal one. A point that is
            NaN in all faces is not predicted by the method.
        visibility: (N, P) probability that the point of the principal output is visible; None if not predicted.
        uncertainty: (N, P) predicted error of the principal output, percent of `size`; None if not predicted.
        rotation: (N, 3, 3) head rotation in rdrface's frame; None if not predicted.
        expression: (N, 46) expression coefficients of the 3D face; None if not predicted.
        milliseconds: (N,) time from the image to the face; None if not measured.
        method: name of the method in tables.
    """

    outputs: Mapping[str, np.ndarray]
    visibility: np.ndarray | None = None
    uncertainty: np.ndarray | None = None
    rotation: np.ndarray | None = None
    expression: np.ndarray | None = None
    milliseconds: np.ndarray | None = None
    method: str = "rdrface"

    def __post_init__(self) -> None:
        if not self.outputs:
            raise ValueError("Predictions need at least one output, got none")
        outputs = {label: np.asarray(values, np.float64) for label, values in self.outputs.items()}
        shape = next(iter(outputs.values())).shape
        for label, values in outputs.items():
            if values.ndim != 3 or values.shape[2] != 2 or values.shape != shape:
                raise ValueError(
                    f"all outputs must have the same shape (N, P, 2); {label!r} has {values.shape}, not {shape}"
                )
        object.__setattr__(self, "outputs", outputs)
        for name, expected in (
            ("visibility", shape[:2]),
            ("uncertainty", shape[:2]),
            ("rotation", (shape[0], 3, 3)),
            ("expression", (shape[0], NUM_EXPRESSION)),
            ("milliseconds", shape[:1]),
        ):
            values = getattr(self, name)
            if values is None:
                continue
            if np.shape(values) != expected:
                raise ValueError(f"Predictions.{name} must have shape {expected}, got {np.shape(values)}")
            object.__setattr__(self, name, np.asarray(values, np.float64))

    @property
    def landmarks(self) -> np.ndarray:
        """(N, P, 2) image pixels, the principal output."""
        return next(iter(self.outputs.values()))

    @property
    def outlines(self) -> dict[str, np.ndarray]:
        """The outputs without those on the absolute jawline, for sets whose contour is the visible outline."""
        return {label: points for label, points in self.outputs.items() if not label.endswith("jawline")}

    @property
    def found(self) -> np.ndarray:
        """(N,) bool, faces that the method found: those with a point, or with a rotation if the set has no points."""
        if self.landmarks.shape[1] or self.rotation is None:
            found: np.ndarray = np.isfinite(self.landmarks).any((1, 2))
        else:
            found = np.isfinite(self.rotation).all((1, 2))
        return found

    @property
    def offered(self) -> np.ndarray:
        """(P,) bool, points that the method predicts in at least one face."""
        offered: np.ndarray = np.isfinite(self.landmarks).all(2).any(0)
        return offered

    @property
    def size(self) -> np.ndarray:
        """(N,) image pixels, sqrt(w h) of the box of the principal output, as `Face.size`; NaN if not found."""
        return box_size(np.concatenate([self.landmarks.min(axis=1), self.landmarks.max(axis=1)], axis=1))

    def row(self, output: str) -> str:
        """Name of a table row: the method's name, followed by the output's label if it has one."""
        return f"{self.method} {output}".strip()
