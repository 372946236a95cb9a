"""The interface of the two processes that compare.py times alternately: one runs rdrface, the other MediaPipe.

Each side is a script that is called with the file of the image, calls `serve`, and then obeys lines on standard input:
the name of a row and a number of calls. It answers each with one line of JSON on standard output.
"""

import contextlib
import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

SHIFT = 1
"""Motion of the face per video frame, pixels."""

TURN_AFTER = 20
"""Number of frames after which the motion changes its direction."""

FRAMES_PER_SECOND = 30


def frames(image: np.ndarray) -> Iterator[tuple[np.ndarray, float]]:
    """Endless video of an image that moves left and right by a pixel per frame.

    Args:
        image: (H, W, 3) uint8 RGB.

    Yields:
        Frames like the image, and their times in seconds.
    """
    index = 0
    while True:
        phase = index % (2 * TURN_AFTER)
        shift = SHIFT * min(phase, 2 * TURN_AFTER - phase)
        yield np.ascontiguousarray(np.roll(image, shift, axis=1)), index / FRAMES_PER_SECOND
        index += 1


def video_call(process: Callable[[np.ndarray, float], object], image: np.ndarray) -> Callable[[], float]:
    """Call of `process` on the next frame of `frames(image)`; returns its seconds, without those of the frame."""
    video = frames(image)

    def call() -> float:
        frame, at = next(video)
        begin = time.perf_counter()
        process(frame, at)
        return time.perf_counter() - begin

    return call


def image_call(process: Callable[[np.ndarray], object], image: np.ndarray) -> Callable[[], float]:
    """Call of `process` on the image; returns its seconds."""

    def call() -> float:
        begin = time.perf_counter()
        process(image)
        return time.perf_counter() - begin

    return call


def use_one_core() -> None:
    """Bind this process to one processor core, the same for both sides, however many threads its libraries start."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})


def serve(name: str, open_rows: Callable[[], tuple[dict[str, Callable[[], float]], dict[str, str]]]) -> None:
    """Open the rows, announce them, and time their calls until standard input ends.

    Args:
        name: name of the software, with its version.
        open_rows: returns row -> function that makes one call and returns its seconds, and row -> reason for rows that
            cannot be measured.
    """
    # Libraries print to standard output too; the answers go to a copy of it.
    with os.fdopen(os.dup(1), "w", encoding="utf-8") as answers:
        os.dup2(2, 1)
        rows, missing = open_rows()
        _answer(answers, {"name": name, "rows": list(rows), "missing": missing})
        with contextlib.suppress(KeyboardInterrupt):
            for line in sys.stdin:
                row, count = line.rsplit(maxsplit=1)
                _answer(answers, [rows[row]() for _ in range(int(count))])


def _answer(file: Any, content: object) -> None:
    print(json.dumps(content), file=file, flush=True)
