"""What a method said about the faces of a set: the arrays that every protocol reads."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from rdrface.morphable.params import NUM_EXPRESSION

OWN = ("2D, outline", "3D, outline", "2D, jawline", "3D, jawline")
"""Names of our outputs of 68 points: `Face.landmarks`, `.projection`, `.landmarks_jawline`, `.landmarks_3d`."""


@dataclass(frozen=True)
class Predictions:
    """What one method said about N annotated faces; NaN for faces that were not found.

    Attributes:
        outputs: name of an output -> (N, P, 2) photo pixels; the first is the principal one. A point that is NaN in all
            faces is one that the method does not have.
        visibility: (N, P) probability that the point of the principal output is not hidden; None: not said.
        uncertainty: (N, P) the expected error of the principal output, percent of `size`; None: not said.
        rotation: (N, 3, 3) head rotation in rdrface's frame; None: not said.
        expression: (N, 46) alpha_exp of the 3D face; None: not said.
        milliseconds: (N,) from the photo to the face; None: not measured.
        method: its name, for the rows of the tables.
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
            raise ValueError("Predictions need at least one output")
        outputs = {name: np.asarray(values, np.float64) for name, values in self.outputs.items()}
        shape = next(iter(outputs.values())).shape
        for name, values in outputs.items():
            if values.ndim != 3 or values.shape[2] != 2 or values.shape != shape:
                raise ValueError(f"all outputs must have one shape (N, P, 2); {name!r} has {values.shape}, not {shape}")
        object.__setattr__(self, "outputs", outputs)
        for name, wanted in (
            ("visibility", shape[:2]),
            ("uncertainty", shape[:2]),
            ("rotation", (shape[0], 3, 3)),
            ("expression", (shape[0], NUM_EXPRESSION)),
            ("milliseconds", shape[:1]),
        ):
            values = getattr(self, name)
            if values is None:
                continue
            if np.shape(values) != wanted:
                raise ValueError(f"Predictions.{name} must have shape {wanted}, got {np.shape(values)}")
            object.__setattr__(self, name, np.asarray(values, np.float64))

    @property
    def landmarks(self) -> np.ndarray:
        """(N, P, 2) photo pixels, the principal output."""
        return next(iter(self.outputs.values()))

    @property
    def outlines(self) -> dict[str, np.ndarray]:
        """The outputs without those on the absolute jawline, for sets whose contour is the visible outline."""
        return {name: points for name, points in self.outputs.items() if not name.endswith("jawline")}

    @property
    def found(self) -> np.ndarray:
        """(N,) bool: the method found a face there: it has a point, or a rotation where a set has no points."""
        if self.landmarks.shape[1] or self.rotation is None:
            return np.isfinite(self.landmarks).any((1, 2))
        return np.isfinite(self.rotation).all((1, 2))

    @property
    def offered(self) -> np.ndarray:
        """(P,) bool: the method has this point, in some face at least."""
        return np.isfinite(self.landmarks).all(2).any(0)

    @property
    def size(self) -> np.ndarray:
        """(N,) photo pixels, sqrt(w h) of the box of the points of the principal output, as `Face.size`; NaN if not
        found."""
        return np.sqrt(np.ptp(self.landmarks, axis=1).prod(axis=1))

    def row(self, output: str) -> str:
        """How an output is called in a table: the method's name, and the output's if it has one."""
        return f"{self.method} {output}".strip()
