"""Face parameters and landmarks of faces with closed eyes."""

import numpy as np

from rdrface.datasets.crops import PackedCrops
from rdrface.landmarks import GROUPS, NUM_LANDMARKS
from rdrface.morphable.landmark_model import LandmarkModel
from rdrface.morphable.model import FaceModel
from rdrface.morphable.params import EXPRESSION

EYES = ("Right", "Left")
"""Sides of the subject's eyes in the names of coefficients; the first is on the left of the image (points 36-41)."""

EYELIDS = (np.array(GROUPS["left_eye"]), np.array(GROUPS["right_eye"]))
BROWS = (np.array(GROUPS["left_brow"]), np.array(GROUPS["right_brow"]))
"""Indices of the landmarks of `EYES` and of the brows above them; the names of the groups are sides of the image."""

_UPPER, _LOWER = [1, 2], [5, 4]  # points of the upper and lower eyelid among the 6 points of an eye
_RESET = ("eyeWide", "eyeSquint", "eyeLookUp", "eyeLookDown")  # coefficients that become 0 for a closed eye
_CHUNK = 256  # faces whose landmarks are computed at once


def with_closed_eyes(q: np.ndarray, closing: np.ndarray) -> np.ndarray:
    """Close the eyes of fitted faces.

    Args:
        q: (M, 103) float32 Q.
        closing: (M, 2) closing of the eyes of `EYES`: 0 does not change the eye, 1 closes it.

    Returns:
        (M, 103) float32 Q. eyeBlink never decreases.
    """
    result, blink = q.copy(), _indices("eyeBlink")
    for unit in _RESET:
        result[:, _indices(unit)] = np.where(closing > 0, 0, q[:, _indices(unit)])
    closed = closing * closing_blink(q).clip(0.9, 1.0)
    result[:, blink] = np.where(closing > 0, np.maximum(closed, q[:, blink]), q[:, blink])
    return result


def closing_blink(q: np.ndarray) -> np.ndarray:
    """eyeBlink at which the eyelids of fitted faces meet, (M, 2) for the eyes of `EYES`; q is (M, 103)."""
    neutral = q.copy()
    for unit in _RESET:
        neutral[:, _indices(unit)] = 0
    apertures = []
    for value in (0.0, 1.0):
        neutral[:, _indices("eyeBlink")] = value
        outline, _ = projected_landmarks(neutral)
        apertures.append(np.stack([_aperture(outline[:, lids]) for lids in EYELIDS], axis=1))
    strength: np.ndarray = apertures[0] / (apertures[0] - apertures[1])
    return strength


def projected_landmarks(q: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Outline and jawline (M, 68, 2) float32 of parameters (M, 103), in the frame of the parameters."""
    landmarks = LandmarkModel.from_face_model(FaceModel.load())
    parts = [landmarks.outline68(q[k : k + _CHUNK]) for k in range(0, len(q), _CHUNK)]
    if not parts:
        return np.zeros((0, NUM_LANDMARKS, 2), np.float32), np.zeros((0, NUM_LANDMARKS, 2), np.float32)
    outline, jawline = (np.concatenate([part[i][..., :2] for part in parts]).astype(np.float32) for i in range(2))
    return outline, jawline


def closed_points(source: PackedCrops, outline: np.ndarray, lids: np.ndarray, closing: np.ndarray) -> np.ndarray:
    """Labels of a closed eye.

    Args:
        source: M faces with the eye open.
        outline: (M, 68, 2) landmarks of the fitted faces with the eye closed.
        lids: (6,) indices of the eye's landmarks.
        closing: (M,) 0 open to 1 closed.

    Returns:
        (M, 6, 2) packed frame; upper eyelids are never below lower ones.
    """
    deviation = source.points[:, lids] - source.outline[:, lids]
    # The deviations of the corners, interpolated at a third and two thirds: the positions of the eyelid points.
    ramp = np.array([0, 1, 2, 3, 2, 1], np.float32)[:, None] / 3
    corners = deviation[:, :1] * (1 - ramp) + deviation[:, 3:4] * ramp
    weight = closing[:, None, None].astype(np.float32)
    eye: np.ndarray = outline[:, lids] + deviation * (1 - weight) + corners * weight
    up = _up(eye)
    for upper, lower in zip(_UPPER, _LOWER, strict=True):
        gap = ((eye[:, upper] - eye[:, lower]) * up).sum(axis=1, keepdims=True)
        # Fully closed eyelids meet in the middle, even if those of the fitted face do not.
        excess = np.where(closing[:, None] >= 1, gap, np.minimum(gap, 0)) / 2
        eye[:, upper] -= excess * up
        eye[:, lower] += excess * up
    return eye


def _indices(unit: str) -> list[int]:
    """Indices in Q of an expression unit of both `EYES`."""
    names = FaceModel.load().expression_names
    return [EXPRESSION.start + names.index(unit + side) for side in EYES]


def _aperture(eye: np.ndarray) -> np.ndarray:
    """(M,) mean distance of the upper from the lower eyelid, negative where they cross; eye is (M, 6, 2), y down."""
    aperture: np.ndarray = np.einsum("nkc,nc->n", eye[:, _UPPER] - eye[:, _LOWER], _up(eye)) / 2
    return aperture


def _up(eye: np.ndarray) -> np.ndarray:
    """(M, 2) unit vectors perpendicular to the line between the corners of eyes (M, 6, 2), towards the brow."""
    across = eye[:, 3] - eye[:, 0]
    up: np.ndarray = np.stack([across[:, 1], -across[:, 0]], axis=1) / np.linalg.norm(across, axis=1, keepdims=True)
    return up
