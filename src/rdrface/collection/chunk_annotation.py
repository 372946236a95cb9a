"""Finding the faces of the photos of one chunk."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from rdrface.aligner import Aligner
from rdrface.collection.attempts import CRASHED
from rdrface.collection.counts import Counts
from rdrface.collection.photo import Photo
from rdrface.errors import RdrError
from rdrface.face import Face
from rdrface.files import is_disk_full, printable
from rdrface.image import read_first_frame


@dataclass
class AnnotatedPhoto:
    """A photo and its faces.

    Attributes:
        name: see `Photo`.
        error: the reason why it has no result; empty otherwise.
        width, height: size of the upright image, pixels.
        num_frames: number of pages or frames in its file.
        faces: the faces.
        dropped: number of dropped detections.
    """

    name: str | None
    error: str = ""
    width: int = 0
    height: int = 0
    num_frames: int = 0
    faces: Sequence[Face] = ()
    dropped: int = 0


def annotate(
    aligner: Aligner,
    photos: Callable[[], Iterable[Photo]],
    excluded: set[int] | None = None,
    at: Callable[[int], None] = lambda index: None,
) -> list[AnnotatedPhoto]:
    """Find the faces of photos. Errors of a photo do not end the work.

    Args:
        aligner: finds the faces.
        photos: the photos; called again after an error of the network.
        excluded: indices of photos that are not read, see `Attempts`.
        at: called with the index of each photo before it is read.
    """
    excluded = excluded or set()
    results: list[AnnotatedPhoto] = []
    try:
        pixels = _pixels(photos(), results, excluded, at)
        found = aligner.detect_batch_with_dropped(pixels)
    except (MemoryError, RuntimeError):  # of the inference backend; it does not state which photo it is
        return _one_by_one(aligner, photos(), excluded, at)
    readable = [one for one in results if not one.error]
    for one, (faces, dropped) in zip(readable, found, strict=True):
        one.faces, one.dropped = faces, len(dropped)
    return results


def count(results: Iterable[AnnotatedPhoto]) -> Counts:
    """The counts of some photos."""
    return sum(
        (Counts(1, len(one.faces), not one.error and not one.faces, bool(one.error), one.dropped) for one in results),
        Counts(),
    )


def _pixels(
    photos: Iterable[Photo], results: list[AnnotatedPhoto], excluded: set[int], at: Callable[[int], None]
) -> Iterator[np.ndarray]:
    """The pixels of the photos that can be read. A result is added for each photo."""
    for i, photo in enumerate(photos):
        at(i)
        result = AnnotatedPhoto(photo.name, photo.error)
        results.append(result)
        if i in excluded:
            result.error = CRASHED
        if result.error or photo.content is None:
            continue
        try:
            frame = read_first_frame(photo.content)
        except (RdrError, OSError, MemoryError) as error:
            result.error = _reason(error)
            continue
        result.height, result.width = frame.pixels.shape[:2]
        result.num_frames = frame.num_frames
        yield frame.pixels


def _one_by_one(
    aligner: Aligner, photos: Iterable[Photo], excluded: set[int], at: Callable[[int], None]
) -> list[AnnotatedPhoto]:
    results: list[AnnotatedPhoto] = []
    for pixels in _pixels(photos, results, excluded, at):
        result = results[-1]
        try:
            result.faces, dropped = aligner.detect_with_dropped(pixels)
            result.dropped = len(dropped)
        except (MemoryError, RuntimeError) as error:
            result.error = _reason(error)
    return results


def _reason(error: Exception) -> str:
    if is_disk_full(error):  # of a decoder's temporary file, for example: it is no error of the photo
        raise error
    if isinstance(error, MemoryError):
        return "not enough memory"
    if isinstance(error, RuntimeError):
        return f"cannot be processed: {printable(' '.join(str(error).split()))}"
    return printable(str(error))
