"""Finds faces in a process of its own: the threads of Python share one core, processes do not."""

import logging
import threading
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from rdrface.errors import DataError, RdrError
from rdrface.serving.decoding import EncodedImage
from rdrface.serving.face_finder import BatchAligner, FaceFinder, Failed, Network, Outcome
from rdrface.worker_process import WorkerProcess

_MAX_FAILED_STARTS = 3
"""Processes that may end in a row before they have opened the network."""

_LOG = logging.getLogger("rdrface.serving")


class FinderProcess:
    """A `Finder` that is a process. If it ends, it is replaced, and its images are tried again one by one.

    Two batches can be sent at the same time: the process begins the second one as soon as it has finished the first,
    without waiting for this process to read the results.

    The process starts with the object; `network` waits until it is ready, so that several processes start together.

    Args:
        open_aligner: opens the network, in the process; a function of a module, or a `functools.partial` of one.
        max_faces: see `FaceFinder`.
    """

    def __init__(self, open_aligner: Callable[[], BatchAligner], max_faces: int) -> None:
        self._open = partial(_open_finder, open_aligner, max_faces)
        self._process = WorkerProcess(self._open)
        self._network: Network | None = None
        self._sending, self._retrying = threading.RLock(), threading.Lock()
        self._last_received = threading.Event()
        self._last_received.set()

    @property
    def num_batches(self) -> int:
        """One that is processed, and one that waits in the process."""
        return 2

    @property
    def network(self) -> Network:
        """The network; waits until the process is ready.

        Raises:
            RdrError: the network cannot be opened.
        """
        with self._sending:
            failed_starts = 0
            while self._network is None:
                try:
                    _received(self._process)  # ready
                    self._process.connection.send(None)
                    self._network = _received(self._process)
                except (EOFError, OSError):
                    failed_starts += 1
                    ending = self._process.end()
                    if failed_starts >= _MAX_FAILED_STARTS:
                        raise DataError(
                            f"{failed_starts} worker processes ended ({ending}) before the network was open; the "
                            "memory may be too small for so many processes: pass a smaller number of --workers"
                        ) from None
                    self._process = WorkerProcess(self._open)
            return self._network

    def find(self, images: Sequence[EncodedImage]) -> list[Outcome]:
        """See `Finder.find`."""
        try:
            with self._retrying:  # not while images of the other batch are tried again
                answer = self._send(images)
            return answer()
        except _Ended as ended:
            # Until the retries are over, no other batch is sent: an image that ends the process again harms no other.
            with self._retrying:
                self._replace(ended.process)
                return [self._found_alone(image) for image in images]

    def stop(self) -> None:
        """End the process."""
        self._process.stop()

    def _found_alone(self, image: EncodedImage) -> Outcome:
        try:
            return self._send([image])()[0]
        except _Ended as ended:
            self._replace(ended.process)
            return Failed(f"two processes ended while they worked on an image of {image.width}x{image.height} pixels")

    def _send(self, images: Sequence[EncodedImage]) -> Callable[[], list[Outcome]]:
        """Send a batch; the function waits for its outcomes. Both raise `_Ended`."""
        with self._sending:
            try:
                self.network  # noqa: B018 a process that was replaced must be ready
            except RdrError as error:
                failed: list[Outcome] = [Failed(str(error)) for _ in images]
                return lambda: failed
            process = self._process
            try:
                process.connection.send(list(images))
            except OSError as error:
                raise _Ended(process) from error
            # Results come in the order of the batches.
            previous_received, self._last_received = self._last_received, threading.Event()
            return partial(_outcomes, process, previous_received, self._last_received)

    def _replace(self, process: WorkerProcess) -> None:
        """Start another process, unless the other batch has already done so."""
        with self._sending:
            if self._process is process:
                _LOG.error("a worker process ended (%s) and is replaced", process.end())
                self._network, self._process = None, WorkerProcess(self._open)


class _Ended(Exception):
    """A process ended before it answered."""

    def __init__(self, process: WorkerProcess) -> None:
        super().__init__("a worker process ended")
        self.process = process


def _outcomes(process: WorkerProcess, previous_received: threading.Event, received: threading.Event) -> list[Outcome]:
    """The outcomes of a batch, when those of the batch before it have been received."""
    try:
        previous_received.wait()
        outcomes: list[Outcome] = _received(process)
    except (EOFError, OSError) as error:
        raise _Ended(process) from error
    except Exception as error:  # the process ends after it has sent an error
        _LOG.error("a worker process cannot go on: %s", error)
        raise _Ended(process) from error
    finally:
        received.set()
    return outcomes


def _received(process: WorkerProcess) -> Any:
    message = process.connection.recv()
    if isinstance(message, Exception):
        raise message
    return message


def _open_finder(open_aligner: Callable[[], BatchAligner], max_faces: int) -> Callable[[Any], Any]:
    return partial(_answer, FaceFinder(open_aligner(), max_faces))


def _answer(finder: FaceFinder, images: list[EncodedImage] | None) -> Any:
    """The outcomes of images; the network if there are none."""
    return finder.network if images is None else finder.find(images)
