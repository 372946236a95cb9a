"""What the fitter sees of a face: its labelled points in a frame of its own, and how far each is to be trusted."""

from dataclasses import dataclass, fields

import numpy as np

from rdrface.data.records import OCCLUDED, SELF_OCCLUDED, FaceRecords
from rdrface.landmarks import CONTOUR

LEAST_POINTS = 6
"""Points with a position that a face needs: fewer do not hold a pose."""
OCCLUDED_WEIGHT = 0.3
"""A point hidden by hair or hands was guessed by its annotator."""
CONTOUR_WEIGHT = 0.5
"""Contour points have no corner to sit on: annotators space them along the outline as they like."""


@dataclass(frozen=True)
class Observations:
    """B faces' points in frames of their own: origin at the middle of the known points, y up, unit sqrt(w h).

    Attributes:
        points: (B, 68, 2) float32, 0 where there is none.
        weight: (B, 68) float32, 0 where there is no position.
        outline: (B,) bool, the contour follows the visible outline.
        absent: (B, 68) bool, annotated as hidden by the head itself.
        centre: (B, 2) and size: (B,) float64, photo pixels: where the frames lie.
    """

    points: np.ndarray
    weight: np.ndarray
    outline: np.ndarray
    absent: np.ndarray
    centre: np.ndarray
    size: np.ndarray

    @classmethod
    def of(cls, records: FaceRecords) -> "Observations":
        """Take the labels of records.

        Raises:
            ValueError: a face has fewer than `LEAST_POINTS` points with a position.
        """
        known = np.isfinite(records.points).all(axis=-1)
        if (few := known.sum(axis=1) < LEAST_POINTS).any():
            names = ", ".join(records.image[few][:3].tolist())
            raise ValueError(
                f"fitting needs {LEAST_POINTS} points with a position; {few.sum()} faces have fewer: {names}"
            )
        points = records.points.astype(np.float64)
        low = np.where(known[..., None], points, np.inf).min(axis=1)
        high = np.where(known[..., None], points, -np.inf).max(axis=1)
        centre, size = (low + high) / 2, np.sqrt(np.maximum((high - low).prod(axis=1), 1e-6))
        local = (points - centre[:, None]) / size[:, None, None] * (1, -1)
        weight = known * np.where(records.state == OCCLUDED, OCCLUDED_WEIGHT, 1.0)
        weight[:, CONTOUR] *= CONTOUR_WEIGHT
        return cls(
            points=np.where(known[..., None], local, 0).astype(np.float32),
            weight=weight.astype(np.float32),
            outline=records.contour == "outline",
            absent=~known & (records.state == SELF_OCCLUDED),
            centre=centre,
            size=size,
        )

    def select(self, index: np.ndarray) -> "Observations":
        """The faces named by an index array."""
        return Observations(*(getattr(self, field.name)[index] for field in fields(self)))
