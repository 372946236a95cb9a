"""Retries for faces with a high expected error, and crops corrected by the landmarks.

The detector's box and angle can be wrong: it often reports an upside-down face as upright. In such a crop the expected
error is high. Of several crops of one face, the one with the lowest expected error is kept; another angle must be
clearly better.
"""

from collections.abc import Sequence

import numpy as np

from rdrface.alignment.crop_alignment import CropAligner, CropAlignment, face_angles
from rdrface.crop import EXPANSION, CropFrame
from rdrface.detection.protocol import Detections
from rdrface.geometry.boxes import box_size
from rdrface.geometry.rotation import wrap_degrees

RETRY_ABOVE = 3.5
"""Expected error, percent of the face size, above which a face is aligned at other angles too. 99 % of the faces of
300-W are below (docs/reliability.md), but some faces of old scans that are aligned upside down are hardly above."""

CLEARLY_BETTER = 0.7
"""Ratio of the expected errors below which the alignment at another angle is kept: a smaller difference does not show
which of two alignments is right. A higher ratio turns more upright faces of degraded images upside down. A lower one
leaves more faces at a wrong angle that the detector reported."""

QUARTER_TURNS = (0.0, 90.0, 180.0, 270.0)
"""Angles of the crops that are tried, degrees."""

UPRIGHT_WITHIN = 25.0
"""Faces that are rotated by less, degrees, are cut out upright: training rotates faces by 15 degrees (standard
deviation), so the network does not need more, and the detector's five points are inexact."""

MIN_SIZE = 1e-3
"""Pixels: minimum size of a face whose landmarks are all in one place."""

MAX_SHIFT = 0.2
"""Distance of the crop's center from the landmarks' center, in face sizes, above which the crop is corrected."""

MAX_SCALE = 1.25
"""Ratio of the crop's size to the right size, or its inverse, above which the crop is corrected."""


def align_with_retries(
    aligner: CropAligner, images: Sequence[np.ndarray], image_of: np.ndarray, detections: Detections
) -> CropAlignment:
    """Align detected faces, and align uncertain ones again in other crops.

    Args:
        aligner: runs the network.
        images: (H, W, 3) uint8 RGB.
        image_of: (B,) int, index of the image of each face; B > 0.
        detections: B faces, of all images.

    Returns:
        The B faces in the same order.
    """
    first = CropFrame.from_boxes(detections.boxes, without_small_rotations(detections.angles))
    best = _align_and_correct(aligner, images, image_of, first)
    # The landmark box depends on the detector's angle, which may be wrong: use the center of the detector's box.
    center = (detections.detector_boxes[:, :2] + detections.detector_boxes[:, 2:]) / 2
    for angle in QUARTER_TURNS:
        is_new = np.abs(wrap_degrees(np.degrees(first.angle) - angle)) > UPRIGHT_WITHIN
        retried = np.flatnonzero((best.expected_error > RETRY_ABOVE) & is_new)
        if len(retried):
            frame = CropFrame(center[retried], first.half[retried], np.full(len(retried), np.radians(angle)))
            again = _align_and_correct(aligner, images, image_of[retried], frame)
            best = best.improved_by(again, retried, CLEARLY_BETTER)
    return best


def _align_and_correct(
    aligner: CropAligner, images: Sequence[np.ndarray], image_of: np.ndarray, frame: CropFrame
) -> CropAlignment:
    """Align B faces, and align those whose crop is off once more in the crop around their landmarks."""
    aligned = aligner.align(images, image_of, frame)
    corrected = corrected_frames(aligned.landmarks)
    misplaced = np.flatnonzero(_differs(frame, corrected))
    if not len(misplaced):
        return aligned
    again = aligner.align(images, image_of[misplaced], corrected.select(misplaced))
    return aligned.improved_by(again, misplaced)


def corrected_frames(landmarks: np.ndarray) -> CropFrame:
    """Crops around landmarks, upright if the face is rotated by less than `UPRIGHT_WITHIN`.

    Args:
        landmarks: (B, 68, 2) image pixels.

    Returns:
        B crops.
    """
    angle = np.radians(without_small_rotations(face_angles(landmarks)))
    upright = CropFrame(np.zeros((len(angle), 2)), np.ones(len(angle)), angle)
    points = upright.to_crop(landmarks)
    low, high = points.min(axis=1), points.max(axis=1)
    center = upright.to_image(((low + high) / 2)[:, None])[:, 0]
    size = np.maximum(box_size(np.concatenate([low, high], axis=1)), MIN_SIZE)
    return CropFrame(center, size * EXPANSION / 2, angle)


def without_small_rotations(angles: np.ndarray) -> np.ndarray:
    """(B,) degrees, with 0 in place of angles below `UPRIGHT_WITHIN`."""
    wrapped = wrap_degrees(angles)
    return np.where(np.abs(wrapped) < UPRIGHT_WITHIN, 0.0, wrapped)


def _differs(used: CropFrame, corrected: CropFrame) -> np.ndarray:
    """(B,) bool: the crop was shifted, scaled or rotated so much that another alignment is worth its time."""
    size = 2 * corrected.half / EXPANSION
    shift = np.linalg.norm(used.center - corrected.center, axis=1) / size
    scale = np.abs(np.log(used.half / corrected.half))
    rotation = np.abs(wrap_degrees(np.degrees(used.angle - corrected.angle)))
    differs: np.ndarray = (shift > MAX_SHIFT) | (scale > np.log(MAX_SCALE)) | (rotation > UPRIGHT_WITHIN)
    return differs
