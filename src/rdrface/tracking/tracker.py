"""The tracker: follows the faces of a video from frame to frame."""

import math
from collections.abc import Sequence

import numpy as np

from rdrface.aligner import Aligner
from rdrface.alignment.assembly import assemble
from rdrface.alignment.crop_alignment import CropAligner, CropAlignment
from rdrface.alignment.quarter_turns import rotated_back
from rdrface.alignment.retries import RETRY_ABOVE, align_with_retries
from rdrface.alignment.selection import MAX_UNCERTAINTY
from rdrface.crop import EXPANSION
from rdrface.detection.protocol import Detections
from rdrface.face import Face, packaged_model
from rdrface.image import read_image
from rdrface.tracking.association import converged, is_known
from rdrface.tracking.following import follow
from rdrface.tracking.landmark_shape import LandmarkShape
from rdrface.tracking.refinding import find_again
from rdrface.tracking.scene_cuts import SceneCuts
from rdrface.tracking.schedule import SEARCH_INTERVAL, DetectionSchedule
from rdrface.tracking.track import Track
from rdrface.tracking.tracked_face import TrackedFace

MAX_OCCLUSION = 3.0
"""Seconds after which a lost person is forgotten."""

MAX_GAP = 0.5
"""Seconds between two frames above which the faces are not followed but detected again."""

MAX_UNCONFIRMED = 2
"""Number of runs of the detector in a row that do not find an uncertain face, after which it is lost."""


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
            if isinstance(value, bool) or not isinstance(value, int | float | np.number) or not value > 0:
                raise ValueError(f"{name} must be a positive number of seconds; got {value!r}")
        size = aligner.session.input_size
        if size is None:
            raise ValueError("the aligner's session must run the graph of RDR, whose input size is fixed")
        self.aligner = aligner
        self.search_interval = search_interval
        self.max_occlusion = max_occlusion
        self._max_error = MAX_UNCERTAINTY if aligner.max_uncertainty is None else aligner.max_uncertainty
        self._shape = LandmarkShape(packaged_model() if aligner.model is None else aligner.model)
        self._crops = CropAligner(aligner.session, size, aligner.batch_size)
        self.reset()

    def reset(self) -> None:
        """Forget all people and the time: the next frame is the first one of a video, and ids start at 1."""
        self._schedule = DetectionSchedule(self.search_interval)
        self._cuts = SceneCuts()
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
        elapsed = self._elapsed(time)
        if self._cuts.is_cut(pixels):
            for track in (*self._followed, *self._lost):
                track.lost_by_cut = True
            self._lose(self._followed)
        elif elapsed > MAX_GAP:
            self._lose(self._followed)
        self._lost = [track for track in self._lost if time - track.time <= self.max_occlusion]
        faces = self._follow(pixels, time)
        if self._schedule.is_due(time, len(self._followed), len(self._lost)):
            faces |= self._search(pixels, time)
        return [
            TrackedFace(track.id, track.smoothed, faces[track.id], time)
            for track in sorted(self._followed, key=lambda track: track.id)
        ]

    def _elapsed(self, time: float) -> float:
        if isinstance(time, bool) or not isinstance(time, int | float | np.number) or not math.isfinite(time):
            raise ValueError(f"time must be a finite number of seconds; got {time!r}")
        last, self._time = self._time, float(time)
        if last is None or time > last:
            return 0.0 if last is None else float(time) - last
        self._time = last
        raise ValueError(
            f"time must increase from frame to frame; got {time!r} s after {last!r} s. Call reset() before the first "
            "frame of another video"
        )

    def _follow(self, pixels: np.ndarray, time: float) -> dict[int, Face]:
        """Follow the known faces; returns the network's output by the id of the person."""
        tracks = self._followed
        if not tracks:
            return {}
        aligned, lost = follow(self._crops, pixels, tracks, time, self._max_error)
        lost |= converged(aligned.landmarks)
        faces = self._faces(aligned, [track.score for track in tracks], pixels)
        self._lose([track for track, is_lost in zip(tracks, lost, strict=True) if is_lost])
        kept = [(track, face) for track, face, is_lost in zip(tracks, faces, lost, strict=True) if not is_lost]
        for track, face in kept:
            track.update(face, time)
        return {track.id: face for track, face in kept}

    def _lose(self, tracks: Sequence[Track]) -> None:
        if tracks:
            self._lost += tracks
            self._followed = [track for track in self._followed if track not in tracks]
            self._schedule.hurry()

    def _search(self, pixels: np.ndarray, time: float) -> dict[int, Face]:
        """Detect faces that are not followed; returns the network's output by the id of the person."""
        turns = self._schedule.quarter_turns(bool(self._followed))
        found = self.aligner.detector.detect(np.ascontiguousarray(np.rot90(pixels, turns)))
        found = rotated_back(found, pixels.shape[:2], turns)
        known = is_known(found.boxes, np.array([track.landmarks for track in self._followed]))
        if not turns:
            self._confirm(known)
        new = np.flatnonzero(~known.any(axis=1))
        faces = self._new_faces(found, new, pixels, time) if len(new) else {}
        self._schedule.done(time, bool(faces))
        return faces

    def _confirm(self, known: np.ndarray) -> None:
        """Lose uncertain faces that the detector does not find, given `is_known` of the detections."""
        lost = []
        for track, is_found in zip(self._followed, np.asarray(known.any(axis=0)), strict=True):
            track.unconfirmed = 0 if is_found or track.usual_error < RETRY_ABOVE else track.unconfirmed + 1
            if track.unconfirmed >= MAX_UNCONFIRMED:
                lost.append(track)
        if lost:
            self._lost += lost
            self._followed = [track for track in self._followed if track not in lost]

    def _new_faces(self, found: Detections, new: np.ndarray, pixels: np.ndarray, time: float) -> dict[int, Face]:
        found = Detections(found.boxes[new], found.scores[new], found.detector_boxes[new], found.angles[new])
        aligned = align_with_retries(self._crops, [pixels], np.zeros(len(found), int), found)
        # The most certain first: of two detections of one face, the second is dropped.
        candidates = sorted(self._faces(aligned, found.scores, pixels), key=lambda face: face.expected_error)
        known = [track.landmarks for track in self._followed]
        new_faces: list[Face] = []
        for face in candidates:
            landmarks = face.landmarks.astype(np.float64)
            if face.expected_error <= self._max_error and not converged(np.array([*known, landmarks]))[-1]:
                known.append(landmarks)
                new_faces.append(face)
        # People who appear in one frame are numbered from left to right.
        new_faces.sort(key=lambda face: float(face.landmarks[:, 0].mean()))
        again = find_again(new_faces, self._lost, time)
        return {self._start(face, track, time).id: face for face, track in zip(new_faces, again, strict=True)}

    def _start(self, face: Face, lost: Track | None, time: float) -> Track:
        """Follow a lost person, or a new one."""
        if lost is None:
            self._count += 1
            track = Track(self._count, face, time, self._shape)
        else:
            self._lost.remove(lost)
            lost.start(face, time)
            track = lost
        self._followed.append(track)
        return track

    def _faces(self, aligned: CropAlignment, scores: Sequence[float] | np.ndarray, pixels: np.ndarray) -> list[Face]:
        half = aligned.frame.half[:, None] / EXPANSION
        boxes = np.concatenate([aligned.frame.center - half, aligned.frame.center + half], axis=1)
        detections = Detections(boxes, np.asarray(scores), boxes)
        return assemble(aligned, detections, [pixels.shape[:2]] * len(aligned), self.aligner.model)
