"""Cuts from one camera to another."""

import numpy as np

GRID = 16
"""Side of the grid of pixels that are compared between frames."""

MAX_CHANGE = 30.0
"""Mean absolute difference of the grid's pixels, gray levels, above which a frame may be the first after a cut."""

UNUSUAL = 4.0
"""Factor by which the change must exceed the recent ones: a moving camera changes all frames."""


class SceneCuts:
    """Compares a coarse grid of each frame with that of the frame before.

    A cut that is reported wrongly costs a run of the detector; a cut that is missed is noticed by the expected error of
    the faces, unless another face appears in the same place.
    """

    def __init__(self) -> None:
        self._grid: np.ndarray | None = None
        self._usual = 0.0

    def is_cut(self, image: np.ndarray) -> bool:
        """Whether the scene changed.

        Args:
            image: the next frame, (H, W, 3) uint8.
        """
        height, width = image.shape[:2]
        rows, columns = max(height // GRID, 1), max(width // GRID, 1)
        grid = image[rows // 2 :: rows, columns // 2 :: columns].astype(np.int16)
        previous, self._grid = self._grid, grid
        if previous is None or previous.shape != grid.shape:
            self._usual = 0.0
            return previous is not None
        change = float(np.abs(grid - previous).mean())
        is_cut = change > MAX_CHANGE and change > UNUSUAL * self._usual
        self._usual += 0.3 * (min(change, MAX_CHANGE) - self._usual)
        return is_cut
