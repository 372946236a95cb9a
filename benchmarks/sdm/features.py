"""Features of the cascade: SIFT descriptors at the 68 points of a gray crop of the face."""

import cv2
import numpy as np

from rdrface.crop import EXPANSION, CropFrame, cut
from rdrface.landmarks import NUM_LANDMARKS

CROP = 200
"""Side of the crop in pixels. The landmark box takes 1 / EXPANSION of it."""

WINDOW = 32
"""Side in pixels of a descriptor's window, as in the paper. The stages resize the crop to different sizes, so that the
windows of the first stages cover a large part of the face and those of the last stages a small part."""

LENGTH = 128
"""Length of a descriptor: 4 x 4 cells of 8 directions."""

_DIAMETER = WINDOW / 6
"""OpenCV's keypoint size for this window: cells are 1.5 diameters wide, four to a row."""

MAX_FACE = int(CROP / EXPANSION)
"""Side of the landmark box in the crop, pixels: the largest face size of a stage."""


def gray_crops(image: np.ndarray, frame: CropFrame) -> np.ndarray:
    """(H, W, 3) uint8 RGB and B crop frames in it -> (B, CROP, CROP) uint8."""
    crops = np.empty((len(frame.half), CROP, CROP), np.uint8)
    for i, crop in enumerate(cut(image, frame, CROP)):
        crops[i] = cv2.cvtColor(np.rint(crop.transpose(1, 2, 0)).astype(np.uint8), cv2.COLOR_RGB2GRAY)
    return crops


def descriptors(crops: np.ndarray, points: np.ndarray, face: int) -> np.ndarray:
    """Upright SIFT descriptors at given points.

    Args:
        crops: (B, CROP, CROP) uint8.
        points: (B, 68, 2) crop frame; points outside the crop are moved to its edge.
        face: side in pixels of the landmark box after resizing the crop, at most `MAX_FACE`.

    Returns:
        (B, 68, 128) uint8: OpenCV's descriptors consist of integers.

    Raises:
        ValueError: the shapes do not match.
    """
    if crops.ndim != 3 or crops.shape[1:] != (CROP, CROP) or points.shape != (len(crops), NUM_LANDMARKS, 2):
        raise ValueError(
            f"crops must be (n, {CROP}, {CROP}) and points (n, {NUM_LANDMARKS}, 2); "
            f"got {crops.shape} and {points.shape}"
        )
    side = min(round(face * EXPANSION), CROP)
    # One layer per octave: the keypoints are given, so the other blurred copies are not needed.
    sift = cv2.SIFT_create(nOctaveLayers=1)
    result = np.empty((len(crops), NUM_LANDMARKS, LENGTH), np.uint8)
    for i, (crop, face_points) in enumerate(zip(crops, points, strict=True)):
        resized = cv2.resize(crop, (side, side), interpolation=cv2.INTER_AREA)
        # Pixel i of N has its center at (2 i + 1) / N - 1.
        pixels = ((np.clip(face_points, -1, 1) + 1) * side - 1) / 2
        keypoints = [cv2.KeyPoint(float(x), float(y), _DIAMETER, 0.0) for x, y in pixels]
        result[i] = sift.compute(resized, keypoints)[1]
    return result
