"""The crop of a face in the next frame."""

import numpy as np

from rdrface.crop import EXPANSION, CropFrame

FREE_ROLL = np.radians(15.0)
"""Roll up to which the crop stays upright. Training rotates faces by 15 degrees (standard deviation). Beyond it, the
crop is rotated by the rest: the rotation of the crop never jumps, unlike that of `corrected_frames`, and a jump would
move the landmarks by a few tenths of a percent."""

_EYES, _MOUTH = slice(36, 48), slice(48, 68)


def crop_around(landmarks: np.ndarray) -> tuple[np.ndarray, float, float]:
    """The crop around predicted landmarks.

    Args:
        landmarks: (68, 2) image pixels.

    Returns:
        Center (2,) and half side, image pixels, and the angle in radians, clockwise as seen.
    """
    up = landmarks[_EYES].sum(axis=0) / 12 - landmarks[_MOUTH].sum(axis=0) / 20
    roll = float(np.arctan2(up[0], -up[1]))
    angle = roll - min(max(roll, -FREE_ROLL), FREE_ROLL)
    if angle:
        cos, sin = np.cos(angle), np.sin(angle)
        matrix = np.array([[cos, -sin], [sin, cos]])
        landmarks = landmarks @ matrix  # upright
    low, high = landmarks.min(axis=0), landmarks.max(axis=0)
    center = (low + high) / 2
    if angle:
        center = matrix @ center
    width, height = (high - low).tolist()
    return center, max(float(np.sqrt(width * height)), 1e-3) * EXPANSION / 2, angle


def crops_around(landmarks: list[np.ndarray]) -> CropFrame:
    """The crops of several faces, each (68, 2)."""
    centers, halves, angles = zip(*map(crop_around, landmarks), strict=True)
    return CropFrame(np.array(centers), np.array(halves), np.array(angles))
