"""A collection of small images, and an aligner without a network that worker processes can open."""

import io
import os
import signal
import sys
import tarfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

import rdrface
from rdrface.collection import Job, Source, annotate_collection
from rdrface.collection.annotating import Engine
from rdrface.collection.work import Worker
from rdrface.errors import ConfigError
from rdrface.face import Face
from some_face import some_face

KILLS = 200
"""Red value of an image that ends the process."""

BREAKS = 201
"""Red value of an image for which the network fails."""


class FakeCollectionAligner:
    """Finds faces by the first pixel: red is their number, if it is below 10; green is the left edge of the first.

    Args:
        seconds: time for each image.
    """

    precision = "float32"
    detector = None

    def __init__(self, seconds: float = 0.0) -> None:
        self._seconds = seconds

    def reset(self) -> None:
        pass

    def detect_batch_with_dropped(self, images) -> list[tuple[list[Face], list[Face]]]:
        return [self.detect_with_dropped(image) for image in images]

    def detect_with_dropped(self, image: np.ndarray) -> tuple[list[Face], list[Face]]:
        red, green, blue = image[0, 0].tolist()
        time.sleep(self._seconds)
        if red == KILLS:
            os.kill(os.getpid(), signal.SIGKILL)
        if red == BREAKS:
            raise RuntimeError("the network\nfailed")
        faces = [some_face((float(green), 100.0 + i)) for i in range(red)]
        return faces, [some_face()] * (blue == 1)


def open_fake(seconds: float = 0.0) -> FakeCollectionAligner:
    """Open the aligner in a worker."""
    return FakeCollectionAligner(seconds)


def open_with_pid(folder: Path, seconds: float) -> FakeCollectionAligner:
    """Open the aligner, and write the id of this process to a folder."""
    (folder / str(os.getpid())).touch()
    return FakeCollectionAligner(seconds)


def fail_to_open() -> FakeCollectionAligner:
    """An aligner that cannot be opened."""
    raise ConfigError("no such weights")


def die_while_opening() -> FakeCollectionAligner:
    """An aligner whose opening ends the process."""
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError


def png(red: int = 1, green: int = 0, blue: int = 0) -> bytes:
    """An image in which `FakeCollectionAligner` finds `red` faces."""
    content = io.BytesIO()
    Image.new("RGB", (40, 30), (red, green, blue)).save(content, "PNG")
    return content.getvalue()


def write_photos(folder: Path, count: int) -> None:
    """Write images 000.png, 001.png, ... with 0 to 2 faces; every tenth is damaged."""
    folder.mkdir(parents=True, exist_ok=True)
    for i in range(count):
        content = png(i % 3, i % 256)
        (folder / f"{i:03d}.png").write_bytes(content[:40] if i % 10 == 9 else content)


def write_shard(path: Path, files: Sequence[tuple[str, bytes]]) -> None:
    """Write a tar file."""
    with tarfile.open(path, "w") as tar:
        for name, content in files:
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))


def fake_job(chunk: int = 4, **values) -> Job:
    """A job for `FakeCollectionAligner`."""
    return Job(**{"inputs": ("photos",), "precision": ("float32",), "chunk": chunk} | values)


def in_this_process(work, chunks):
    """An engine without worker processes."""
    worker = Worker(work)
    for chunk in chunks:
        yield worker.annotate(chunk)


def annotate_fakes(
    sources: Sequence[Source], path: Path, job: Job | None = None, engine: Engine = in_this_process, **values
):
    """Annotate a collection with the fake aligner."""
    return annotate_collection(sources, path, job or fake_job(), open_fake, engine, **values)


def open_for_command(weights: object, settings: object) -> FakeCollectionAligner:
    """Replaces `rdrface.cli.options.open_aligner`; $FAKE_SECONDS is the time for each image."""
    return FakeCollectionAligner(float(os.environ.get("FAKE_SECONDS", "0")))


def command(*words: object) -> list[str]:
    """A command line of `rdrface annotate` with the fake aligner, for a process of its own."""
    script = "import fake_collection, sys; sys.exit(fake_collection.run_command(sys.argv[1:]))"
    return [sys.executable, "-c", script, *map(str, words)]


def environment(seconds: float = 0.0) -> dict[str, str]:
    """Environment variables for `command`."""
    source = Path(rdrface.__file__).parents[1]
    path = os.pathsep.join([str(source), str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")])
    return os.environ | {"PYTHONPATH": path, "FAKE_SECONDS": str(seconds)}


def run_command(words: Sequence[str]) -> int:
    """`rdrface annotate` with the fake aligner, in this process."""
    from rdrface.cli import annotate, main

    annotate.open_aligner = open_for_command
    # Jobs in the background of a shell ignore Ctrl-C, and this process inherits it if the tests are such a job.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    return main.main(["annotate", *words])
