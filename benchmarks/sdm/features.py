"""What the cascade sees: SIFT descriptors at the 68 points of a gray crop of the face."""

import cv2
import numpy as np

from rdrface.crop import EXPANSION, CropFrame, cut
from rdrface.landmarks import NUM_LANDMARKS

CROP = 200
"""Side in pixels of the crop that is kept of a face; the face itself, the landmark box, is 1 / EXPANSION of that."""

WINDOW = 32
"""Side in pixels of the window that a descriptor describes, as in the paper. The pictures of the stages differ in size,
so the windows of the first see much of the face and those of the last little."""

LENGTH = 128
"""Numbers of a descriptor: 4 x 4 cells of 8 directions."""

_DIAMETER = WINDOW / 6
"""OpenCV's size of a keypoint with such a window: its cells are 1.5 diameters wide and there are four in a row."""

MAX_FACE = int(CROP / EXPANSION)
"""Side of the landmark box in the crop: the largest face that a stage can look at."""


def gray_crops(photo: np.ndarray, frame: CropFrame) -> np.ndarray:
    """(H, W, 3) uint8 RGB and B crop frames in it -> (B, CROP, CROP) uint8."""
    crops = np.empty((len(frame.half), CROP, CROP), np.uint8)
    for i, crop in enumerate(cut(photo, frame, CROP)):
        crops[i] = cv2.cvtColor(np.rint(crop.transpose(1, 2, 0)).astype(np.uint8), cv2.COLOR_RGB2GRAY)
    return crops


def descriptors(crops: np.ndarray, points: np.ndarray, face: int) -> np.ndarray:
    """Upright SIFT descriptors at given points.

    Args:
        crops: (B, CROP, CROP) uint8.
        points: (B, 68, 2) crop frame; points beyond the crop are taken to its edge.
        face: side of the landmark box in pixels in the picture that is described, at most `MAX_FACE`.

    Returns:
        (B, 68, 128) uint8: OpenCV computes whole numbers.

    Raises:
        ValueError: shapes that do not fit.
    """
    if crops.ndim != 3 or crops.shape[1:] != (CROP, CROP) or points.shape != (len(crops), NUM_LANDMARKS, 2):
        raise ValueError(
            f"wanted crops (n, {CROP}, {CROP}) and points (n, {NUM_LANDMARKS}, 2); got {crops.shape} and {points.shape}"
        )
    side = min(round(face * EXPANSION), CROP)
    # One layer per octave: the keypoints are given, so all other blurred copies would be made in vain.
    sift = cv2.SIFT_create(nOctaveLayers=1)
    result = np.empty((len(crops), NUM_LANDMARKS, LENGTH), np.uint8)
    for i, (crop, places) in enumerate(zip(crops, points, strict=True)):
        picture = cv2.resize(crop, (side, side), interpolation=cv2.INTER_AREA)
        # Pixel i of N has its center at (2 i + 1) / N - 1.
        pixels = ((np.clip(places, -1, 1) + 1) * side - 1) / 2
        keypoints = [cv2.KeyPoint(float(x), float(y), _DIAMETER, 0.0) for x, y in pixels]
        result[i] = sift.compute(picture, keypoints)[1]
    return result
