"""Predicted faces of clips: of the tracker, of the detector frame by frame, and of recorded other methods."""

import json
import queue
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from rdrface.errors import DataError
from rdrface.evaluation.clips.clip import Clip
from rdrface.face import Face
from rdrface.landmarks import NUM_LANDMARKS
from rdrface.tracking.tracked_face import TrackedFace

_AHEAD = 4
"""Frames that are prepared while the faces of one are found."""

_BLINKS = ("eyeBlinkLeft", "eyeBlinkRight")


@dataclass(frozen=True)
class TrackedFaces:
    """Faces of the T frames of a clip.

    Attributes:
        landmarks: T arrays (n, 68, 2) float64 image pixels, n faces in each frame.
        ids: T arrays (n,) int, positive numbers of the tracks; None for a method without numbers.
        blink: T arrays (n, 2), eyeBlinkLeft and eyeBlinkRight; None for a method without coefficients.
        milliseconds: (T,) time per frame.
    """

    landmarks: tuple[np.ndarray, ...]
    ids: tuple[np.ndarray, ...] | None
    blink: tuple[np.ndarray, ...] | None
    milliseconds: np.ndarray


def run_tracker(update: Callable[[np.ndarray, float], Sequence[TrackedFace]], clip: Clip) -> tuple[TrackedFaces, ...]:
    """Run a tracker on a clip.

    Args:
        update: `rdrface.Tracker.update` of a new tracker.
        clip: the clip.

    Returns:
        The smoothed faces, and the same faces without smoothing. The time is the same for both.
    """
    results, milliseconds = _run(update, clip)
    ids = tuple(np.array([face.id for face in faces], int) for faces in results)
    smoothed = [[one.face for one in faces] for faces in results]
    unsmoothed = [[one.unsmoothed for one in faces] for faces in results]
    return tuple(TrackedFaces(_landmarks(faces), ids, _blink(faces), milliseconds) for faces in (smoothed, unsmoothed))


def run_detector(detect: Callable[[np.ndarray], Sequence[Face]], clip: Clip) -> TrackedFaces:
    """Run `rdrface.Aligner.detect` on every frame of a clip, without tracking."""
    results, milliseconds = _run(lambda image, _: detect(image), clip)
    return TrackedFaces(_landmarks(results), None, _blink(results), milliseconds)


def read_recorded(path: Path, clips: Sequence[Clip]) -> tuple[str, list[TrackedFaces]]:
    """Read the predictions that another method recorded for clips, see `benchmarks/video`.

    Args:
        path: JSON: ``method``, its name, and ``clips``: {`Clip.key`: {"checksum": `Clip.checksum`, "milliseconds": T
            numbers, "landmarks": T lists of faces of 68 points}}.
        clips: the clips.

    Returns:
        The name of the method, and the faces of every clip.

    Raises:
        DataError: the file cannot be read, or was not recorded for these clips.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        recorded, method = dict(content["clips"]), str(content["method"])
        missing = [clip.key for clip in clips if recorded.get(clip.key, {}).get("checksum") != clip.checksum]
        if missing:
            raise DataError(
                f"{path} does not belong to these clips: {len(missing)} of them are missing or were recorded with "
                f"other photos or another seed, e.g. {missing[0]!r}; record them again with benchmarks/video"
            )
        return method, [_recorded(recorded[clip.key], len(clip)) for clip in clips]
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise DataError(
            f"{path} is not a file of predictions for clips, recorded by benchmarks/video: {error}"
        ) from error


def _recorded(entry: dict[str, Any], count: int) -> TrackedFaces:
    landmarks = tuple(np.array(faces, float).reshape(-1, NUM_LANDMARKS, 2) for faces in entry["landmarks"])
    milliseconds = np.array(entry["milliseconds"], float)
    if len(landmarks) != count or milliseconds.shape != (count,):
        raise ValueError(f"{len(landmarks)} frames of a clip with {count}")
    return TrackedFaces(landmarks, None, None, milliseconds)


def _run(find: Callable[[np.ndarray, float], Sequence[Any]], clip: Clip) -> tuple[list[Sequence[Any]], np.ndarray]:
    results, milliseconds = [], []
    for image, now in zip(_ahead(clip), clip.times.tolist(), strict=True):
        begin = time.perf_counter()
        results.append(find(image, now))
        milliseconds.append(1000 * (time.perf_counter() - begin))
    return results, np.array(milliseconds)


def _ahead(clip: Clip) -> Iterator[np.ndarray]:
    """The frames of a clip, prepared in another thread."""
    frames: queue.Queue[np.ndarray | BaseException | None] = queue.Queue(_AHEAD)

    def prepare() -> None:
        try:
            for frame in clip.frames():
                frames.put(frame)
            frames.put(None)
        except BaseException as error:  # raised again below
            frames.put(error)

    threading.Thread(target=prepare, daemon=True).start()
    while (item := frames.get()) is not None:
        if isinstance(item, BaseException):
            raise item
        yield item


def _landmarks(results: Sequence[Sequence[Face]]) -> tuple[np.ndarray, ...]:
    empty = np.empty((0, NUM_LANDMARKS, 2))
    return tuple(
        np.stack([face.landmarks for face in faces]).astype(np.float64) if faces else empty for faces in results
    )


def _blink(results: Sequence[Sequence[Face]]) -> tuple[np.ndarray, ...]:
    return tuple(
        np.array([[face.blendshapes[name] for name in _BLINKS] for face in faces]).reshape(-1, 2) for faces in results
    )
