"""Alignment of the followed faces in the next frame, and the decision which of them are lost."""

from collections.abc import Sequence

import numpy as np

from rdrface.alignment.crop_alignment import CropAligner, CropAlignment
from rdrface.alignment.retries import CLEARLY_BETTER, MAX_SCALE, RETRY_ABOVE
from rdrface.crop import CropFrame
from rdrface.tracking.crop_path import crops_around
from rdrface.tracking.track import Track

MAX_SHIFT = 0.12
"""Distance of the crop's center from that of the crop around the landmarks, along x or y in face sizes, above which the
face is aligned again there. It is smaller than that of detected faces (`rdrface.alignment.retries`): the additional
error of a shifted crop lasts for one frame, which is seen as a jump."""

DOUBT = 1.5
"""A face is in doubt if its expected error exceeds its usual one by this factor and is above `RETRY_ABOVE`."""

RETRY_INTERVAL = 0.3
"""Seconds between two retries of a face whose expected error stays high."""

WIDER = 1.35
"""Factor by which a crop is wider in the retry of a face that may have moved out of its crop."""

MAX_JUMP = 0.5
"""Distance between predicted and observed center, in face sizes, above which an uncertain face is lost."""


def follow(
    aligner: CropAligner, image: np.ndarray, tracks: Sequence[Track], time: float, max_error: float
) -> tuple[CropAlignment, np.ndarray]:
    """Align faces in the crops where they are expected.

    The network runs once per face. A face that moved out of the middle of its crop, or whose expected error is
    unusually high, is aligned again in other crops.

    Args:
        aligner: runs the network.
        image: (H, W, 3) uint8 RGB.
        tracks: the B people who are followed; B > 0.
        time: time of the frame, seconds.
        max_error: expected error above which a face is lost, percent of the face size.

    Returns:
        The B faces, and (B,) bool: the face is lost.
    """
    predicted = [track.predict(time) for track in tracks]
    frame = crops_around(predicted)
    aligned = aligner.align([image], np.zeros(len(tracks), int), frame)
    doubtful = _retried(aligned, tracks, time, max_error)
    if len(doubtful):
        for i in doubtful:
            tracks[i].last_retry = time
        aligned = _retry(aligner, image, aligned, doubtful)
    shift = np.linalg.norm(aligned.landmarks.mean(axis=1) - [points.mean(axis=0) for points in predicted], axis=1)
    jumped = (shift > MAX_JUMP * aligned.sizes) & (aligned.expected_error > RETRY_ABOVE)
    lost: np.ndarray = jumped | (aligned.expected_error > max_error)
    return aligned, lost


def _retried(aligned: CropAlignment, tracks: Sequence[Track], time: float, max_error: float) -> np.ndarray:
    """(M,) indices of the faces that are aligned again."""
    target = crops_around(list(aligned.landmarks))
    shift = np.abs(target.center - aligned.frame.center).max(axis=1)
    ratio = aligned.frame.half / target.half
    misplaced = (shift > MAX_SHIFT * aligned.sizes) | (ratio > MAX_SCALE) | (ratio < 1 / MAX_SCALE)
    error = aligned.expected_error
    usual = np.array([track.usual_error for track in tracks])
    waited = np.array([time - track.last_retry > RETRY_INTERVAL for track in tracks])
    uncertain = (error > RETRY_ABOVE) & ((error > DOUBT * usual) & waited | (error > max_error))
    return np.flatnonzero(misplaced | uncertain)


def _retry(aligner: CropAligner, image: np.ndarray, aligned: CropAlignment, index: np.ndarray) -> CropAlignment:
    first = aligned.select(index)
    images, image_of = [image], np.zeros(len(index), int)
    around = crops_around(list(first.landmarks))
    aligned = aligned.improved_by(aligner.align(images, image_of, around), index)
    uncertain = aligned.expected_error[index] > RETRY_ABOVE
    if uncertain.any():
        index, frame, image_of = index[uncertain], first.frame.select(uncertain), image_of[uncertain]
        wider = aligner.align(images, image_of, CropFrame(frame.center, WIDER * frame.half, frame.angle))
        aligned = aligned.improved_by(wider, index, CLEARLY_BETTER)
        # What the wider crop found is better centered in its own crop.
        again = aligner.align(images, image_of, crops_around(list(wider.landmarks)))
        aligned = aligned.improved_by(again, index, CLEARLY_BETTER)
    return aligned
