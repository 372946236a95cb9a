"""What the fitter sees of a face: its labeled points in a frame of its own, and how far each is to be trusted."""

from dataclasses import dataclass, fields

import numpy as np

from rdrface.datasets.records import OCCLUDED, SELF_OCCLUDED, FaceRecords
from rdrface.landmarks import CONTOUR, EYE_CORNERS

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
        points: (B, L, 2) float32, 0 where there is none. The first 68 are the landmarks; behind them may be others.
        weight: (B, L) float32, 0 where there is no position.
        outline: (B,) bool, the contour follows the visible outline.
        absent: (B, L) bool, annotated as hidden by the head itself.
        lid_gap: (B, 2) float32, distance of the lids of the picture's left and right eye where a set gives it without
            the lids' points; NaN elsewhere.
        center: (B, 2) and size: (B,) float64, photo pixels: where the frames lie.
    """

    points: np.ndarray
    weight: np.ndarray
    outline: np.ndarray
    absent: np.ndarray
    lid_gap: np.ndarray
    center: np.ndarray
    size: np.ndarray

    @classmethod
    def of(cls, records: FaceRecords) -> "Observations":
        """Take the labels of records; a jawline annotated besides the outline follows the 68 as points 68-84.

        Raises:
            ValueError: a face has fewer than `LEAST_POINTS` points with a position.
        """
        points = records.points.astype(np.float64)
        state = records.state
        if records.jawline_contour is not None:
            points = np.concatenate((points, records.jawline_contour), axis=1)
            state = np.concatenate((state, np.zeros((len(state), len(CONTOUR)), state.dtype)), axis=1)
        known = np.logical_and.reduce(np.isfinite(points), axis=-1)
        if (few := known.sum(axis=1) < LEAST_POINTS).any():
            names = ", ".join(records.image[few][:3].tolist())
            raise ValueError(
                f"fitting needs {LEAST_POINTS} points with a position; {few.sum()} faces have fewer: {names}"
            )
        low = np.where(known[..., None], points, np.inf).min(axis=1)
        high = np.where(known[..., None], points, -np.inf).max(axis=1)
        center, size = (low + high) / 2, np.sqrt(np.maximum((high - low).prod(axis=1), 1e-6))
        local = (points - center[:, None]) / size[:, None, None] * (1, -1)
        weight = known * np.where(state == OCCLUDED, OCCLUDED_WEIGHT, 1.0)
        weight[:, CONTOUR] *= CONTOUR_WEIGHT
        weight[:, 68:] *= CONTOUR_WEIGHT
        return cls(
            points=np.where(known[..., None], local, 0).astype(np.float32),
            weight=weight.astype(np.float32),
            outline=~records.on_jawline,
            absent=~known & (state == SELF_OCCLUDED),
            lid_gap=_lid_gaps(records, local),
            center=center,
            size=size,
        )

    def select(self, index: np.ndarray) -> "Observations":
        """The faces named by an index array."""
        return Observations(*(getattr(self, field.name)[index] for field in fields(self)))


def _lid_gaps(records: FaceRecords, local: np.ndarray) -> np.ndarray:
    if records.eye_aspect is None:
        return np.full((len(records), 2), np.nan, np.float32)
    corners = local[:, np.array(EYE_CORNERS)]  # (B, 2 eyes, 2 corners, 2)
    width = np.linalg.norm(corners[:, :, 1] - corners[:, :, 0], axis=-1)
    return (records.eye_aspect * width).astype(np.float32)
