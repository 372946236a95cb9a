"""Finds faces in a process of its own: the threads of Python share one core, processes do not."""

import logging
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from rdrface.errors import DataError
from rdrface.serving.decoding import EncodedImage
from rdrface.serving.face_finder import BatchAligner, FaceFinder, Failed, Network, Outcome
from rdrface.worker_process import WorkerProcess

_MAX_FAILED_STARTS = 3
"""Processes that may end in a row before they have opened the network."""

_LOG = logging.getLogger("rdrface.serving")


class FinderProcess:
    """A `Finder` that is a process. If it ends, it is replaced, and its images are tried again one by one.

    The process starts with the object; `ready` waits until it can find faces, so that several processes start together.

    Args:
        open_aligner: opens the network, in the process; a function of a module, or a `functools.partial` of one.
        max_faces: see `FaceFinder`.
    """

    def __init__(self, open_aligner: Callable[[], BatchAligner], max_faces: int) -> None:
        self._open = partial(_open_finder, open_aligner, max_faces)
        self._process = WorkerProcess(self._open)
        self._network: Network | None = None

    def ready(self) -> Network:
        """See `Finder.ready`.

        Raises:
            RdrError: the network cannot be opened.
        """
        failed_starts = 0
        while self._network is None:
            try:
                self._received()  # ready
                self._process.connection.send(None)
                self._network = self._received()
            except (EOFError, OSError):
                failed_starts += 1
                ending = self._process.end()
                if failed_starts >= _MAX_FAILED_STARTS:
                    raise DataError(
                        f"{failed_starts} worker processes ended ({ending}) before the network was open; the memory "
                        "may be too small for so many processes: pass a smaller number of --workers"
                    ) from None
                self._process = WorkerProcess(self._open)
        return self._network

    def find(self, images: Sequence[EncodedImage]) -> list[Outcome]:
        """See `Finder.find`."""
        try:
            return self._answered(images)
        except (EOFError, OSError):
            return [self._found_alone(image) for image in images]

    def stop(self) -> None:
        """End the process."""
        self._process.stop()

    def _found_alone(self, image: EncodedImage) -> Outcome:
        try:
            return self._answered([image])[0]
        except (EOFError, OSError):
            return Failed(f"two processes ended while they worked on an image of {image.width}x{image.height} pixels")

    def _answered(self, images: Sequence[EncodedImage]) -> list[Outcome]:
        try:
            self.ready()  # a process that was replaced may not be
            self._process.connection.send(list(images))
            outcomes: list[Outcome] = self._received()
        except (EOFError, OSError):
            _LOG.error("a worker process ended (%s) and is replaced", self._process.end())
            self._network, self._process = None, WorkerProcess(self._open)
            raise
        except Exception as error:  # the process ends after it has sent an error
            _LOG.error("a worker process cannot go on and is replaced: %s", error)
            self._process.stop()
            self._network, self._process = None, WorkerProcess(self._open)
            return [Failed(str(error)) for _ in images]
        return outcomes

    def _received(self) -> Any:
        message = self._process.connection.recv()
        if isinstance(message, Exception):
            raise message
        return message


def _open_finder(open_aligner: Callable[[], BatchAligner], max_faces: int) -> Callable[[Any], Any]:
    return partial(_answer, FaceFinder(open_aligner(), max_faces))


def _answer(finder: FaceFinder, images: list[EncodedImage] | None) -> Any:
    """The outcomes of images; the network if there are none."""
    return finder.ready() if images is None else finder.find(images)
