"""Worker processes on this machine."""

from collections.abc import Callable, Generator, Sequence
from functools import partial
from multiprocessing.connection import Connection, wait
from typing import Any

from rdrface.collection.counts import Counts
from rdrface.collection.work import Work, Worker
from rdrface.errors import DataError
from rdrface.worker_process import WorkerProcess

_MAX_FAILED_STARTS = 3
"""Processes that may end in a row before they have opened the model."""


def annotate_locally(work: Work, chunks: Sequence[int], num_workers: int) -> Generator[Counts, None, None]:
    """Annotate chunks in worker processes. A process that ends is replaced, and its chunk is started again.

    Args:
        work: what to do.
        chunks: numbers of the chunks.
        num_workers: number of processes.

    Yields:
        The counts of each chunk when its file is written.

    Raises:
        RdrError: a worker cannot open the model or write a file.
        RuntimeError: an error that no input should cause; the message contains its traceback.
    """
    waiting = list(reversed(chunks))
    workers: dict[Connection, _Process] = {}
    failed_starts = 0
    try:
        for _ in range(min(num_workers, len(waiting))):
            process = _Process(work)
            workers[process.connection] = process
        num_left = len(waiting)
        while num_left:
            for ready in wait(list(workers)):
                assert isinstance(ready, Connection)
                process = workers[ready]
                try:
                    message = ready.recv()
                except (EOFError, OSError):
                    del workers[ready]
                    failed_starts += not process.is_ready
                    if failed_starts >= _MAX_FAILED_STARTS:
                        raise DataError(
                            f"{failed_starts} worker processes ended ({process.end()}) before the model was open; the "
                            "memory may be too small for so many processes: pass a smaller number of --workers"
                        ) from None
                    if process.chunk is not None:
                        waiting.append(process.chunk)
                    process = _Process(work)
                    workers[process.connection] = process
                    continue
                if isinstance(message, Exception):
                    raise message
                process.is_ready, failed_starts = True, 0
                process.chunk = waiting.pop() if waiting else None
                if process.chunk is not None:
                    process.connection.send(process.chunk)
                if isinstance(message, Counts):
                    num_left -= 1
                    yield message
    finally:
        for process in workers.values():
            process.stop()  # a file that it writes is not completed


class _Process(WorkerProcess):
    """A worker process and what it does.

    Attributes:
        is_ready: whether it has opened the model.
        chunk: the chunk that it works on.
    """

    def __init__(self, work: Work) -> None:
        super().__init__(partial(_open, work))
        self.is_ready = False
        self.chunk: int | None = None


def _open(work: Work) -> Callable[[Any], Any]:
    return Worker(work).annotate
