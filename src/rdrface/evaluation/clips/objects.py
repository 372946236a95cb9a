"""Objects that cover a face."""

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

Position = Callable[[float], tuple[float, float]]
"""Function from the time in seconds to the center in the frame, pixels."""


@dataclass(frozen=True)
class Occluder:
    """An object in front of all people.

    Attributes:
        image: (h, w, 3) uint8 RGB.
        alpha: (h, w) float32 opacity.
        position: center as a function of time.
    """

    image: np.ndarray
    alpha: np.ndarray
    position: Position

    def layer(self, time: float, width: int, height: int) -> tuple[np.ndarray, np.ndarray]:
        """Pixels (H, W, 3) and opacity (H, W) of the object in a frame."""
        rows, columns = self.alpha.shape
        x, y = self.position(time)
        matrix = np.array([[1, 0, x - (columns - 1) / 2], [0, 1, y - (rows - 1) / 2]])
        image = cv2.warpAffine(self.image, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE)
        return np.asarray(image), np.asarray(cv2.warpAffine(self.alpha, matrix, (width, height)))


def textured_occluder(width: float, height: float, position: Position, rng: np.random.Generator) -> Occluder:
    """A rounded rectangle with a random color and texture; width and height in pixels."""
    shape = (round(height), round(width))
    coarse = rng.uniform(-25, 25, (6, 6, 3)).astype(np.float32) + rng.uniform(60, 190, 3).astype(np.float32)
    image = cv2.resize(coarse, shape[::-1], interpolation=cv2.INTER_CUBIC) + rng.normal(0, 4, (*shape, 1))
    radius = round(0.15 * min(shape))
    alpha = np.zeros(shape, np.float32)
    cv2.rectangle(alpha, (2 * radius, 2 * radius), (shape[1] - 2 * radius, shape[0] - 2 * radius), 1.0, -1)
    alpha = np.asarray(cv2.dilate(alpha, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (3 * radius, 3 * radius))))
    soft = np.asarray(cv2.GaussianBlur(alpha, (0, 0), 1.0))
    return Occluder(np.rint(image).clip(0, 255).astype(np.uint8), soft, position)
