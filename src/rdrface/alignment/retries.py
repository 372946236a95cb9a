"""Second attempts for faces that the network is not certain about, and crops corrected by the landmarks.

The detector's box and angle can be wrong: for an upside-down face it often reports an upright one. The network's own
expected error reveals this, and of several crops of one face the one with the lowest expected error is kept.
"""

from collections.abc import Sequence

import numpy as np

from rdrface.alignment.crop_alignment import CropAligner, CropAlignment
from rdrface.crop import EXPANSION, CropFrame
from rdrface.detection.protocol import Detections

RETRY_ABOVE = 5.0
"""Expected error, percent of the face size, above which a face is aligned at other angles too. 97 % of upright faces
are below 4; faces aligned at a wrong angle are above 5.6."""

QUARTER_TURNS = (0.0, 90.0, 180.0, 270.0)
"""Angles of the crops that are tried, degrees."""

UPRIGHT_WITHIN = 25.0
"""Faces that are rotated by less, degrees, are cut out upright: training rotates faces by 15 degrees (standard
deviation), so the network does not need more, and the detector's five points are inexact."""

MAX_SHIFT = 0.2
"""Distance of the crop's center from the landmarks' center, in face sizes, above which the crop is corrected."""

MAX_SCALE = 1.25
"""Ratio of the crop's size to the right size, or its inverse, above which the crop is corrected."""


def crop_frames(detections: Detections) -> CropFrame:
    """First crops of detected faces; faces that are rotated little are cut out upright."""
    turned = np.where(np.abs(wrapped(detections.angles)) < UPRIGHT_WITHIN, 0.0, detections.angles)
    return CropFrame.from_boxes(detections.boxes, turned)


def align_with_retries(
    aligner: CropAligner, images: Sequence[np.ndarray], image_of: np.ndarray, detections: Detections
) -> CropAlignment:
    """Align detected faces, and align uncertain ones again in other crops.

    Args:
        aligner: runs the network.
        images: (H, W, 3) uint8 RGB.
        image_of: (B,) int, index of the image of each face; B > 0.
        detections: B faces, of all images.
    """
    first = crop_frames(detections)
    best = aligner.align(images, image_of, first)
    doubtful = np.flatnonzero(best.expected_error > RETRY_ABOVE)
    if len(doubtful):
        # The detector places the landmark box by its points, which are wrong if its angle is: use its own box's center.
        middle = (detections.detector_boxes[:, :2] + detections.detector_boxes[:, 2:]) / 2
        for angle in QUARTER_TURNS:
            tried = doubtful[np.abs(wrapped(np.degrees(first.angle[doubtful]) - angle)) > UPRIGHT_WITHIN]
            if len(tried):
                frame = CropFrame(middle[tried], first.half[tried], np.full(len(tried), np.radians(angle)))
                best = best.improved_by(aligner.align(images, image_of[tried], frame), tried)
    corrected = corrected_frames(best)
    wrong = np.flatnonzero(_differs(best.frame, corrected))
    if len(wrong):
        best = best.improved_by(aligner.align(images, image_of[wrong], corrected.select(wrong)), wrong)
    return best


def corrected_frames(alignment: CropAlignment) -> CropFrame:
    """The crops that the landmarks of an alignment ask for: around their box, upright within `UPRIGHT_WITHIN`."""
    turned = np.where(np.abs(wrapped(alignment.angles)) < UPRIGHT_WITHIN, 0.0, alignment.angles)
    angle = np.radians(turned)
    upright = CropFrame(np.zeros((len(angle), 2)), np.ones(len(angle)), angle)
    points = upright.to_crop(alignment.landmarks)
    low, high = points.min(axis=1), points.max(axis=1)
    center = upright.to_image(((low + high) / 2)[:, None])[:, 0]
    half = np.maximum(np.sqrt((high - low).prod(axis=1)), 1e-3) * EXPANSION / 2
    return CropFrame(center, half, angle)


def wrapped(degrees: np.ndarray) -> np.ndarray:
    """Angles in -180..180 degrees."""
    result: np.ndarray = (np.asarray(degrees, np.float64) + 180) % 360 - 180
    return result


def _differs(used: CropFrame, corrected: CropFrame) -> np.ndarray:
    """(B,) bool: the crop was shifted, scaled or rotated so much that another alignment is worth its time."""
    size = 2 * corrected.half / EXPANSION
    shift = np.linalg.norm(used.center - corrected.center, axis=1) / size
    scale = np.abs(np.log(used.half / corrected.half))
    rotation = np.abs(wrapped(np.degrees(used.angle - corrected.angle)))
    differs: np.ndarray = (shift > MAX_SHIFT) | (scale > np.log(MAX_SCALE)) | (rotation > UPRIGHT_WITHIN)
    return differs
