"""Processes that hold an object, such as a loaded model, and answer messages with it, one at a time."""

import multiprocessing
import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing import resource_tracker
from multiprocessing.connection import wait
from typing import Any

from rdrface.errors import DataError, RdrError

READY = "ready"
"""First message of a process, when it has opened what it holds."""

_THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


class WorkerProcess:
    """A process that calls a function with each message that it receives and sends the result.

    It does not see Ctrl-C, which a terminal sends to all its processes, and ends when this process ends.

    Args:
        open_worker: returns the function. It is called in the new process, so it must be picklable: a function of a
            module, or a `functools.partial` of one.

    Attributes:
        connection: `READY` is received first, then a result for each message that was sent. An exception is received
            if something failed; the process ends after it. `EOFError` or `OSError`: the process has ended.
    """

    def __init__(self, open_worker: Callable[[], Callable[[Any], Any]]) -> None:
        # Not "fork": the inference backends have threads.
        context = multiprocessing.get_context("spawn")
        self.connection, others = context.Pipe()
        self._process = context.Process(target=_serve, args=(open_worker, others), daemon=True)
        with _without_interrupts(), _one_thread():
            self._process.start()
        # Otherwise this end would not notice when the process ends.
        others.close()

    def end(self) -> str:
        """Wait for the end of the process, and describe it."""
        self._process.join()
        code = self._process.exitcode or 0
        return f"exit status {code}" if code >= 0 else f"signal {-code}"

    def stop(self) -> None:
        """End the process at once."""
        self._process.terminate()
        self._process.join()
        self.connection.close()


def num_cores() -> int:
    """Number of processor cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _serve(open_worker: Callable[[], Callable[[Any], Any]], connection: Any) -> None:
    """Answer messages until this process is ended."""
    # Ctrl-C goes to all processes of a terminal; the main process ends this one.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        answer = open_worker()
        connection.send(READY)
        while True:
            connection.send(answer(connection.recv()))
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
    """Start processes in which NumPy uses one thread. The number of the network's threads is an option of its own."""
    added = [name for name in _THREAD_VARIABLES if name not in os.environ]
    os.environ.update(dict.fromkeys(added, "1"))
    try:
        yield
    finally:
        for name in added:
            del os.environ[name]
