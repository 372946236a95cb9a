"""Finds the faces of encoded images, in this process."""

import traceback
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from rdrface.face import Face
from rdrface.prefetch import MAX_THREADS
from rdrface.serving.decoding import EncodedImage, decode_image
from rdrface.serving.request_errors import ImageRefused
from rdrface.worker_process import num_cores


@dataclass(frozen=True)
class FoundFaces:
    """Result of one image.

    Attributes:
        width: pixels of the upright image.
        height: pixels of the upright image.
        faces: its faces.
    """

    width: int
    height: int
    faces: list[Face]


@dataclass(frozen=True)
class Failed:
    """An image on which the server failed, which is no fault of the client.

    Attributes:
        reason: for the log; clients do not see it.
    """

    reason: str


Outcome = FoundFaces | ImageRefused | Failed
"""What becomes of an image."""


@dataclass(frozen=True)
class Network:
    """Facts about the network that an answer contains.

    Attributes:
        crop_size: side of its crops, pixels.
        precision: its precision.
    """

    crop_size: int
    precision: str


class BatchAligner(Protocol):
    """The part of `rdrface.aligner.Aligner` that the server uses."""

    @property
    def crop_size(self) -> int:
        """Side of the network's crops, pixels."""

    @property
    def precision(self) -> str:
        """Precision of the network."""

    def detect_batch_with_dropped(self, images: Sequence[np.ndarray]) -> list[tuple[list[Face], list[Face]]]:
        """Faces and dropped detections of each image."""


class Finder(Protocol):
    """What `rdrface.serving.batching.Batcher` needs: this process or another one that finds faces."""

    def ready(self) -> Network:
        """Wait until the finder can find faces, and describe its network."""

    def find(self, images: Sequence[EncodedImage]) -> list[Outcome]:
        """The outcome of each image. It never raises for an image."""

    def stop(self) -> None:
        """Free what the finder holds."""


class FaceFinder:
    """A `Finder` in this process.

    Args:
        aligner: finds the faces; see `rdrface.serving.limited_detector.with_limited_detector`.
        max_faces: an image with more detections is refused.
    """

    def __init__(self, aligner: BatchAligner, max_faces: int) -> None:
        self._aligner = aligner
        self._max_faces = max_faces
        self._decoders = ThreadPoolExecutor(min(MAX_THREADS, num_cores()), thread_name_prefix="rdrface-decode")

    def ready(self) -> Network:
        """See `Finder.ready`."""
        return Network(self._aligner.crop_size, self._aligner.precision)

    def find(self, images: Sequence[EncodedImage]) -> list[Outcome]:
        """Decode the images and find their faces, all in one batch."""
        decoded = list(self._decoders.map(_decoded, images))
        pixels = [one for one in decoded if isinstance(one, np.ndarray)]
        found = iter(self._found(pixels))
        return [next(found) if isinstance(one, np.ndarray) else one for one in decoded]

    def stop(self) -> None:
        """See `Finder.stop`."""
        self._decoders.shutdown()

    def _found(self, images: Sequence[np.ndarray]) -> list[Outcome]:
        if not images:
            return []
        try:
            found = self._aligner.detect_batch_with_dropped(images)
        except Exception:
            if len(images) > 1:  # the other images must not suffer from the one that failed
                return [outcome for image in images for outcome in self._found([image])]
            height, width = images[0].shape[:2]
            return [Failed(f"an image of {width}x{height} pixels failed:\n{traceback.format_exc()}")]
        return [self._checked(image, *one) for image, one in zip(images, found, strict=True)]

    def _checked(self, image: np.ndarray, faces: list[Face], dropped: list[Face]) -> Outcome:
        if len(faces) + len(dropped) > self._max_faces:
            return ImageRefused(
                "too_many_faces",
                f"the image has more than {self._max_faces} faces, the limit of this server (--max-faces); cut it into "
                "parts",
            )
        height, width = image.shape[:2]
        return FoundFaces(width, height, faces)


def _decoded(image: EncodedImage) -> np.ndarray | ImageRefused | Failed:
    try:
        return decode_image(image)
    except ImageRefused as refused:
        return refused
    except MemoryError:
        return Failed(f"no memory for an image of {image.width}x{image.height} pixels")
