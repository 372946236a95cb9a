"""Faces of the images of concurrent requests, found together in batches by several finders."""

import asyncio
import queue
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np

from rdrface.prefetch import MAX_THREADS
from rdrface.serving.decoding import EncodedImage, decode_image
from rdrface.serving.face_finder import Failed, Finder, FoundFaces
from rdrface.serving.limits import Limits
from rdrface.serving.memory_budget import MemoryBudget
from rdrface.serving.metrics import Metrics
from rdrface.serving.request_errors import ImageRefused, queue_full, stopping

MAX_BATCH_IMAGES = 32
"""Maximum number of images that are processed together: results of a batch are ready at the same time."""

Result = TypeVar("Result")


@dataclass
class _Job:
    image: EncodedImage
    result: Future[FoundFaces | ImageRefused] = field(default_factory=Future)


class Batcher:
    """Gives images to finders, each of which has a thread here.

    While the finders work, the images that arrive wait; then each finder takes its share of them as its next batch. So
    a single client waits for nobody, and the requests of many clients share the runs of the network.

    Args:
        finders: find the faces.
        limits: `max_queue` and `max_decoded_bytes` are used.
        metrics: counts batches and times.
    """

    def __init__(self, finders: Sequence[Finder], limits: Limits, metrics: Metrics) -> None:
        self._finders = finders
        self._limits = limits
        self._metrics = metrics
        self._budget = MemoryBudget(limits.max_decoded_bytes)
        self._helpers = ThreadPoolExecutor(MAX_THREADS, thread_name_prefix="rdrface-helper")
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._num_images = 0
        self._is_stopping = False
        self._threads = [
            threading.Thread(target=self._work, args=(finder,), name="rdrface-batches", daemon=True)
            for finder in finders
        ]
        for thread in self._threads:
            thread.start()

    @property
    def is_ready(self) -> bool:
        """Whether images are accepted."""
        return any(thread.is_alive() for thread in self._threads) and not self._is_stopping

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
        """Decode an image and call a function on its pixels, in another thread."""
        return await self._budget.run(
            image.decoding_bytes, lambda: self._helpers.submit(lambda: function(decode_image(image)))
        )

    async def in_thread(self, function: Callable[..., Result], *arguments: Any) -> Result:
        """Call a function in another thread; a few run at the same time."""
        return await asyncio.get_running_loop().run_in_executor(self._helpers, function, *arguments)

    def stop(self) -> None:
        """Process the images that wait, then end the threads and the finders. Waits for them."""
        self._is_stopping = True
        self._jobs.put(None)
        for thread in self._threads:
            thread.join()
        for finder in self._finders:
            finder.stop()
        self._helpers.shutdown()

    def _add(self, count: int) -> None:
        self._num_images += count
        self._metrics.waiting_images.set(self._num_images)

    async def _find(self, image: EncodedImage) -> FoundFaces | ImageRefused:
        return await self._budget.run(image.decoding_bytes, lambda: self._put(image))

    def _put(self, image: EncodedImage) -> Future[FoundFaces | ImageRefused]:
        job = _Job(image)
        self._jobs.put(job)
        return job.result

    def _work(self, finder: Finder) -> None:
        is_stopping = False
        while not is_stopping:
            waiting = [self._jobs.get()]
            # The other finders get their share of the images that wait.
            share = -(-(1 + self._jobs.qsize()) // len(self._finders))
            while len(waiting) < min(share, MAX_BATCH_IMAGES) and None not in waiting:
                try:
                    waiting.append(self._jobs.get_nowait())
                except queue.Empty:
                    break
            is_stopping = None in waiting
            jobs = [job for job in waiting if job is not None and job.result.set_running_or_notify_cancel()]
            if jobs:
                self._process(finder, jobs)
        self._jobs.put(None)  # for the other threads; all images were before it

    def _process(self, finder: Finder, jobs: Sequence[_Job]) -> None:
        start = time.perf_counter()
        try:
            outcomes = finder.find([job.image for job in jobs])
        except Exception as error:
            outcomes = [Failed(repr(error)) for _ in jobs]
        self._metrics.batch_finished(len(jobs), time.perf_counter() - start)
        for job, outcome in zip(jobs, outcomes, strict=True):
            if isinstance(outcome, Failed):
                job.result.set_exception(RuntimeError(outcome.reason))
            else:
                job.result.set_result(outcome)
