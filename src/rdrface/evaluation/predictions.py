"""What an aligner said about the faces of a set: the arrays that every protocol reads."""

from dataclasses import dataclass

import numpy as np

from rdrface.landmarks import COUNT


@dataclass(frozen=True)
class Predictions:
    """What an aligner said about N annotated faces; NaN for faces that were not found.

    Attributes:
        landmarks: (N, 68, 2) photo pixels, the 2D output (3D+2D), visible outline.
        absolute: (N, 68, 2) the 2D output, contour on the absolute jawline.
        projection: (N, 68, 2) the 3D output, visible outline.
        jawline: (N, 68, 2) the 3D output, absolute jawline.
        visible: (N, 68) probability that the point is not hidden.
        error: (N, 68) the expected error of `landmarks`, percent of `size`.
        rotation: (N, 3, 3) head rotation.
    """

    landmarks: np.ndarray
    absolute: np.ndarray
    projection: np.ndarray
    jawline: np.ndarray
    visible: np.ndarray
    error: np.ndarray
    rotation: np.ndarray

    @classmethod
    def empty(cls, count: int) -> "Predictions":
        """All NaN: nothing found yet."""

        def nothing(*shape: int) -> np.ndarray:
            return np.full((count, *shape), np.nan)

        return cls(
            landmarks=nothing(COUNT, 2),
            absolute=nothing(COUNT, 2),
            projection=nothing(COUNT, 2),
            jawline=nothing(COUNT, 2),
            visible=nothing(COUNT),
            error=nothing(COUNT),
            rotation=nothing(3, 3),
        )

    @property
    def found(self) -> np.ndarray:
        """(N,) bool."""
        return np.isfinite(self.landmarks).all((1, 2))

    @property
    def size(self) -> np.ndarray:
        """(N,) photo pixels, sqrt(w h) of the box of the 68 predicted landmarks, as `Face.size`; NaN if not found."""
        return np.sqrt(np.ptp(self.landmarks, axis=1).prod(axis=1))
