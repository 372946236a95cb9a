"""The fitter's input: annotated points in a normalized frame per face, with a weight for each point."""

from dataclasses import dataclass, fields

import numpy as np

from rdrface.datasets.records import OCCLUDED, SELF_OCCLUDED, FaceRecords
from rdrface.geometry.boxes import bounding_boxes, box_size
from rdrface.landmarks import CONTOUR, EYE_CORNERS, NUM_CONTOUR, NUM_LANDMARKS

MIN_POINTS = 6
"""Number of points with a position that a face needs: fewer do not determine a pose."""
OCCLUDED_WEIGHT = 0.3
"""Weight of a point behind hair, hands or objects: its annotator guessed the position."""
CONTOUR_WEIGHT = 0.5
"""Weight of a contour point: it has no distinctive position, and annotators space these points freely along the
outline."""


@dataclass(frozen=True)
class Observations:
    """Annotated points of B faces, each in its own frame: origin at the center of the known points' box, y up, unit
    sqrt(w h) of that box.

    Attributes:
        points: (B, L, 2) float32, 0 without a position. The first 68 are the landmarks; others may follow.
        weight: (B, L) float32, 0 without a position.
        outline: (B,) bool, the contour points are on the visible outline.
        self_occluded: (B, L) bool, annotated as hidden by the head itself, without a position.
        lid_aperture: (B, 2) float32, distance between the lids of the left and right eye in the image, for datasets
            that annotate it but not the lids' points; else NaN.
        center: (B, 2) float64 and size: (B,) float64, origin and unit of the frames in image pixels.
    """

    points: np.ndarray
    weight: np.ndarray
    outline: np.ndarray
    self_occluded: np.ndarray
    lid_aperture: np.ndarray
    center: np.ndarray
    size: np.ndarray

    @classmethod
    def of(cls, records: FaceRecords) -> "Observations":
        """Observations of annotated faces. A jawline annotated in addition to the outline becomes points 68-84.

        Raises:
            ValueError: a face has fewer than `MIN_POINTS` points with a position.
        """
        points = records.points.astype(np.float64)
        state = records.state
        if records.jawline_contour is not None:
            points = np.concatenate((points, records.jawline_contour), axis=1)
            state = np.concatenate((state, np.zeros((len(state), NUM_CONTOUR), state.dtype)), axis=1)
        known = np.logical_and.reduce(np.isfinite(points), axis=-1)
        if (few := known.sum(axis=1) < MIN_POINTS).any():
            names = ", ".join(records.image[few][:3].tolist())
            raise ValueError(
                f"fitting needs {MIN_POINTS} points with a position; {few.sum()} faces have fewer: {names}. Leave "
                "these faces out"
            )
        center, size = center_and_size(points, known)
        local = (points - center[:, None]) / size[:, None, None] * (1, -1)
        weight = known * np.where(state == OCCLUDED, OCCLUDED_WEIGHT, 1.0)
        weight[:, CONTOUR] *= CONTOUR_WEIGHT
        weight[:, NUM_LANDMARKS:] *= CONTOUR_WEIGHT
        return cls(
            points=np.where(known[..., None], local, 0).astype(np.float32),
            weight=weight.astype(np.float32),
            outline=~records.on_jawline,
            self_occluded=~known & (state == SELF_OCCLUDED),
            lid_aperture=_lid_apertures(records, local),
            center=center,
            size=size,
        )

    def select(self, index: np.ndarray) -> "Observations":
        """The faces of an index array, in its order."""
        return Observations(*(getattr(self, field.name)[index] for field in fields(self)))

    def to_image(self, points: np.ndarray) -> np.ndarray:
        """Frames of the faces -> image pixels: (B, N, 2) -> (B, N, 2)."""
        pixels: np.ndarray = points * (1, -1) * self.size[:, None, None] + self.center[:, None]
        return pixels


def center_and_size(points: np.ndarray, known: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Centers (B, 2) and sizes (B,), sqrt(w h), of the boxes of points (B, N, 2) with a position, known (B, N) bool."""
    boxes = bounding_boxes(np.where(known[..., None], points, np.nan))
    return (boxes[:, :2] + boxes[:, 2:]) / 2, np.maximum(box_size(boxes), 1e-3)


def _lid_apertures(records: FaceRecords, local: np.ndarray) -> np.ndarray:
    if records.eye_aspect is None:
        return np.full((len(records), 2), np.nan, np.float32)
    corners = local[:, np.array(EYE_CORNERS)]  # (B, 2 eyes, 2 corners, 2)
    width = np.linalg.norm(corners[:, :, 1] - corners[:, :, 0], axis=-1)
    aperture: np.ndarray = (records.eye_aspect * width).astype(np.float32)
    return aperture
