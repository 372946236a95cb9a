"""Worker processes on this machine."""

import multiprocessing
import os
import signal
import sys
import threading
import traceback
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection, wait
from typing import Any

from rdrface.collection.counts import Counts
from rdrface.collection.work import Work, Worker
from rdrface.errors import DataError, RdrError

_MAX_FAILED_STARTS = 3
"""Processes that may end in a row before they have opened the model."""

_THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")

_READY = "ready"


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
            process.stop()


class _Process:
    """A worker process.

    Attributes:
        connection: to the process.
        is_ready: whether it has opened the model.
        chunk: the chunk that it works on.
    """

    def __init__(self, work: Work) -> None:
        # Not "fork": the inference backends have threads.
        context = multiprocessing.get_context("spawn")
        self.connection, others = context.Pipe()
        self.is_ready = False
        self.chunk: int | None = None
        self._process = context.Process(target=_serve, args=(work, others), daemon=True)
        with _without_interrupts(), _one_thread():
            self._process.start()
        # Otherwise this end would not notice when the process ends.
        others.close()

    def end(self) -> str:
        """How the process ended."""
        self._process.join()
        code = self._process.exitcode or 0
        return f"exit status {code}" if code >= 0 else f"signal {-code}"

    def stop(self) -> None:
        """End the process. The file that it writes is not completed."""
        self._process.terminate()
        self._process.join()
        self.connection.close()


def _serve(work: Work, connection: Any) -> None:
    """Annotate the chunks whose numbers are received until the process is ended."""
    # Ctrl-C goes to all processes of a terminal; the main process ends this one.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        worker = Worker(work)
        connection.send(_READY)
        while True:
            connection.send(worker.annotate(connection.recv()))
    except EOFError:
        return
    except RdrError as error:
        connection.send(error)
    except OSError as error:
        connection.send(DataError(f"a worker process cannot go on: {error}"))
    except Exception:
        connection.send(RuntimeError(f"in a worker process:\n{traceback.format_exc()}"))


def _end_with_parent() -> None:
    """End this process when the main process is killed: it could otherwise write while a later run does."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)


@contextmanager
def _without_interrupts() -> Iterator[None]:
    """Start processes that do not see Ctrl-C, not even before their first line; it is delivered here afterwards."""
    if sys.platform == "win32":
        yield
        return
    resource_tracker.ensure_running()  # its start would end the block
    previous = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, previous)


@contextmanager
def _one_thread() -> Iterator[None]:
    """Start processes in which NumPy uses one thread, as each has one core."""
    added = [name for name in _THREAD_VARIABLES if name not in os.environ]
    os.environ.update(dict.fromkeys(added, "1"))
    try:
        yield
    finally:
        for name in added:
            del os.environ[name]
