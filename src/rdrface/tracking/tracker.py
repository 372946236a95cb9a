"""The tracker: follows the faces of a video from frame to frame."""

import math

import numpy as np

from rdrface.aligner import Aligner
from rdrface.alignment.assembly import assemble
from rdrface.alignment.crop_alignment import CropAligner, CropAlignment
from rdrface.alignment.retries import align_with_retries
from rdrface.alignment.selection import MAX_UNCERTAINTY
from rdrface.crop import EXPANSION, CropFrame
from rdrface.detection.protocol import Detections
from rdrface.image import read_image
from rdrface.tracking.association import converged, is_known
from rdrface.tracking.schedule import SEARCH_INTERVAL, DetectionSchedule
from rdrface.tracking.track import Track
from rdrface.tracking.tracked_face import TrackedFace

MAX_OCCLUSION = 3.0
"""Seconds after which a lost person is forgotten."""


class Tracker:
    """Follows the faces of a video.

    A tracker belongs to one video and to one thread.

    Args:
        aligner: finds the faces and aligns them, see `rdrface.load`.
        search_interval: seconds between two runs of the detector while all known faces are followed.
        max_occlusion: seconds for which a lost person keeps the number.

    Raises:
        ValueError: a number of seconds is not positive.
    """

    def __init__(
        self, aligner: Aligner, *, search_interval: float = SEARCH_INTERVAL, max_occlusion: float = MAX_OCCLUSION
    ) -> None:
        for name, value in (("search_interval", search_interval), ("max_occlusion", max_occlusion)):
            if not value > 0:
                raise ValueError(f"{name} must be a positive number of seconds; got {value!r}")
        self.aligner = aligner
        self.search_interval = search_interval
        self.max_occlusion = max_occlusion
        size = aligner.session.input_size
        assert size is not None  # checked by Aligner
        self._crops = CropAligner(aligner.session, size, aligner.batch_size)
        self.reset()

    def reset(self) -> None:
        """Forget all people and the time: the next frame is the first one of a video."""
        self._schedule = DetectionSchedule(self.search_interval)
        self._followed: list[Track] = []
        self._lost: list[Track] = []
        self._count = 0
        self._time: float | None = None

    def update(self, image: np.ndarray, time: float) -> list[TrackedFace]:
        """The faces of the next frame.

        Args:
            image: (H, W, 3) uint8 RGB.
            time: time of the frame, seconds; later than that of the frame before.

        Returns:
            The faces in the order of their ids; an empty list if there are none.

        Raises:
            ImageError: `image` is not an image.
            ValueError: `time` is not finite, or is not later than the last one.
        """
        pixels = read_image(image)
        if not math.isfinite(time):
            raise ValueError(f"time must be a finite number of seconds; got {time!r}")
        if self._time is not None and not time > self._time:
            raise ValueError(
                f"time must increase from frame to frame; got {time!r} s after {self._time!r} s. Call reset() before "
                "the first frame of another video"
            )
        self._time = time
        self._lost = [track for track in self._lost if time - track.time <= self.max_occlusion]
        aligned = self._follow(pixels, time)
        if self._schedule.is_due(time, len(self._followed), len(self._lost)):
            aligned += self._search(pixels, time)
        aligned.sort(key=lambda pair: pair[0].id)
        return [self._result(track, alignment, pixels, time) for track, alignment in aligned]

    def _follow(self, pixels: np.ndarray, time: float) -> list[tuple[Track, CropAlignment]]:
        if not self._followed:
            return []
        predicted = [track.motion.predict(time) for track in self._followed]
        frame = CropFrame(
            *(np.concatenate([getattr(one, name) for one in predicted]) for name in ("center", "half", "angle"))
        )
        aligned = self._crops.align([pixels], np.zeros(len(frame), int), frame)
        limit = MAX_UNCERTAINTY if self.aligner.max_uncertainty is None else self.aligner.max_uncertainty
        lost = (aligned.expected_error > limit) | converged(aligned.landmarks)
        kept = []
        for i, track in enumerate(self._followed):
            if lost[i]:
                self._lost.append(track)
                self._schedule.hurry()
            else:
                track.update(aligned.landmarks[i], time)
                kept.append((track, aligned.select(np.array([i]))))
        self._followed = [track for track, _ in kept]
        return kept

    def _search(self, pixels: np.ndarray, time: float) -> list[tuple[Track, CropAlignment]]:
        found = self.aligner.detector.detect(pixels)
        new = ~is_known(found.boxes, np.array([track.landmarks for track in self._followed]))
        if not new.any():
            self._schedule.done(time, False)
            return []
        found = Detections(found.boxes[new], found.scores[new], found.detector_boxes[new], found.angles[new])
        aligned = align_with_retries(self._crops, [pixels], np.zeros(len(found), int), found)
        limit = MAX_UNCERTAINTY if self.aligner.max_uncertainty is None else self.aligner.max_uncertainty
        results = []
        for i in range(len(found)):
            landmarks = aligned.landmarks[i]
            known = np.array([track.landmarks for track in self._followed] + [landmarks])
            if aligned.expected_error[i] > limit or converged(known)[-1]:
                continue
            track = self._person(landmarks, float(found.scores[i]), time)
            self._followed.append(track)
            results.append((track, aligned.select(np.array([i]))))
        self._schedule.done(time, bool(results))
        return results

    def _person(self, landmarks: np.ndarray, score: float, time: float) -> Track:
        """The lost track that the face belongs to, or a new one."""
        center = landmarks.mean(axis=0)
        for track in self._lost:
            if np.linalg.norm(track.landmarks.mean(axis=0) - center) < 2 * track.motion.frame.half[0]:
                self._lost.remove(track)
                track.score = score
                track.start(landmarks, time)
                return track
        self._count += 1
        return Track(self._count, landmarks, score, time)

    def _result(self, track: Track, aligned: CropAlignment, pixels: np.ndarray, time: float) -> TrackedFace:
        half = aligned.frame.half[:, None] / EXPANSION
        box = np.concatenate([aligned.frame.center - half, aligned.frame.center + half], axis=1)
        detections = Detections(box, np.array([track.score]), box)
        (face,) = assemble(aligned, detections, [pixels.shape[:2]], self.aligner.model)
        return TrackedFace(track.id, face, face, time)
