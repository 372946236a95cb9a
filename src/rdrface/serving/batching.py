"""Faces of the images of concurrent requests, found together in batches."""

import asyncio
import logging
import queue
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

import numpy as np

from rdrface.face import Face
from rdrface.prefetch import MAX_THREADS
from rdrface.serving.decoding import EncodedImage, decode_image
from rdrface.serving.limits import Limits
from rdrface.serving.memory_budget import MemoryBudget
from rdrface.serving.metrics import Metrics
from rdrface.serving.request_errors import ImageRefused, queue_full, stopping

MAX_BATCH_IMAGES = 32
"""Maximum number of images that are processed together: results of a batch are ready at the same time."""

Result = TypeVar("Result")

_LOG = logging.getLogger("rdrface.serving")


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


@dataclass
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


@dataclass
class _Job:
    pixels: np.ndarray
    result: Future[FoundFaces] = field(default_factory=Future)


class Batcher:
    """Decodes images in a few threads and finds their faces in one thread, many images at a time.

    While the network runs, the images that arrive wait; then all of them are the next batch. So a single client waits
    for nobody, and many clients get the throughput of `Aligner.detect_batch`.

    Args:
        aligner: finds the faces.
        limits: `max_queue`, `max_decoded_bytes` and `max_faces` are used.
        metrics: counts batches and times.
    """

    def __init__(self, aligner: BatchAligner, limits: Limits, metrics: Metrics) -> None:
        self._aligner = aligner
        self._limits = limits
        self._metrics = metrics
        self._budget = MemoryBudget(limits.max_decoded_bytes)
        self._decoders = ThreadPoolExecutor(MAX_THREADS, thread_name_prefix="rdrface-decode")
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._num_images = 0
        self._is_stopping = False
        self._thread = threading.Thread(target=self._work, name="rdrface-batches", daemon=True)
        self._thread.start()

    @property
    def is_ready(self) -> bool:
        """Whether images are accepted."""
        return self._thread.is_alive() and not self._is_stopping

    async def find_faces(self, images: Sequence[EncodedImage]) -> list[FoundFaces | ImageRefused]:
        """Faces of the images of one request.

        Cancelling the call drops the images that wait.

        Raises:
            RequestError: the queue has no room for all of the images, or the server is stopping.
        """
        if not self.is_ready:
            raise stopping()
        if self._num_images + len(images) > self._limits.max_queue:
            raise queue_full(self._limits.max_queue)
        self._add(len(images))
        try:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(self._find(image)) for image in images]
            return [task.result() for task in tasks]
        except ExceptionGroup as errors:
            raise errors.exceptions[0] from None
        finally:
            self._add(-len(images))

    async def with_pixels(self, image: EncodedImage, function: Callable[[np.ndarray], Result]) -> Result:
        """Decode an image once more and call a function on its pixels, in another thread."""
        async with self._budget.reserved(image.decoding_bytes):
            return await self.in_thread(lambda: function(decode_image(image)))

    async def in_thread(self, function: Callable[..., Result], *arguments: Any) -> Result:
        """Call a function in one of the threads that decode images; a few run at the same time."""
        return await asyncio.get_running_loop().run_in_executor(self._decoders, function, *arguments)

    def stop(self) -> None:
        """Process the images that wait, then end the threads. Waits for them."""
        self._is_stopping = True
        self._jobs.put(None)
        self._thread.join()
        self._decoders.shutdown()

    def _add(self, count: int) -> None:
        self._num_images += count
        self._metrics.waiting_images.set(self._num_images)

    async def _find(self, image: EncodedImage) -> FoundFaces | ImageRefused:
        async with self._budget.reserved(image.decoding_bytes) as reservation:
            try:
                pixels = await self.in_thread(decode_image, image)
                reservation.shrink(pixels.nbytes)
                job = _Job(pixels)
                self._jobs.put(job)
                return await asyncio.wrap_future(job.result)
            except ImageRefused as refused:
                return refused

    def _work(self) -> None:
        is_stopping = False
        while not is_stopping:
            waiting = [self._jobs.get()]
            while len(waiting) < MAX_BATCH_IMAGES and not self._jobs.empty():
                waiting.append(self._jobs.get())
            is_stopping = None in waiting
            jobs = [job for job in waiting if job is not None and job.result.set_running_or_notify_cancel()]
            if jobs:
                self._process(jobs)

    def _process(self, jobs: Sequence[_Job]) -> None:
        start = time.perf_counter()
        try:
            found = self._aligner.detect_batch_with_dropped([job.pixels for job in jobs])
        except Exception as error:
            if len(jobs) > 1:  # the other images must not suffer from the one that failed
                for job in jobs:
                    self._process([job])
                return
            _LOG.exception("an image of %s pixels failed", jobs[0].pixels.shape[:2])
            jobs[0].result.set_exception(error)
            return
        self._metrics.batch_finished(len(jobs), time.perf_counter() - start)
        for job, (faces, dropped) in zip(jobs, found, strict=True):
            if len(faces) + len(dropped) > self._limits.max_faces:
                job.result.set_exception(_too_many_faces(self._limits.max_faces))
            else:
                height, width = job.pixels.shape[:2]
                job.result.set_result(FoundFaces(width, height, faces))


def _too_many_faces(max_faces: int) -> ImageRefused:
    return ImageRefused(
        "too_many_faces",
        f"the image has more than {max_faces} faces, the limit of this server (--max-faces); cut it into parts",
    )
