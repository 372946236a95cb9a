"""The loop that records a method's predictions and times, shared by all recorders.

Recorders run in the environments of their methods, so this file needs NumPy and Pillow only. The list of faces is
written by `rdrface evaluate SET DIR --faces FILE`; docs/evaluation.md describes that file and the predictions file.
"""

import argparse
import importlib.metadata
import json
import os
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np
from views import read_rgb

Faces = dict[str, list[dict[str, Any]]]
"""Path of an image -> its entries in the list of faces."""


class Clock:
    """Times a block: `with Clock() as clock: ...`, then `clock.wall` and `clock.processor` in milliseconds.

    Processor time is the sum over all threads. On an idle core both are equal; on a busy machine, use processor time.
    """

    wall = processor = float("nan")

    def __enter__(self) -> "Clock":
        self._wall, self._processor = time.perf_counter(), time.process_time()
        return self

    def __exit__(self, *_: object) -> None:
        self.wall = 1000 * (time.perf_counter() - self._wall)
        self.processor = 1000 * (time.process_time() - self._processor)


class Found(NamedTuple):
    """A face that a method found.

    Attributes:
        landmarks: (68, 2) image pixels.
        box: (4,) xyxy image pixels, the detector's box converted to a landmark box.
    """

    landmarks: np.ndarray
    box: np.ndarray


class Predictor(Protocol):
    """A method that can be recorded.

    Attributes:
        name: its name in the tables.
        megabytes: size of its model files.
        installed_megabytes: size of all packages it needs; None if not measured.
    """

    name: str
    megabytes: float
    installed_megabytes: float | None

    def align(self, image: np.ndarray, box: list[float]) -> np.ndarray | None:
        """Landmarks (68, 2), image pixels, of the face with this landmark box; None if the method finds no face there.

        Args:
            image: (H, W, 3) uint8 RGB.
            box: xyxy image pixels.
        """

    def detect(self, image: np.ndarray) -> list[Found]:
        """All faces of an image (H, W, 3) uint8 RGB, found by the method's own detector."""

    def detector_clock(self, image: np.ndarray) -> Clock | None:
        """Time of the detector alone on the image of the last `detect`; None if it cannot be measured."""


def arguments(description: str | None) -> argparse.ArgumentParser:
    """Command-line options of every recorder."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("faces", type=Path, metavar="FACES.json", help="list written by `rdrface evaluate --faces`")
    parser.add_argument("-o", "--out", type=Path, required=True, metavar="FILE.json", help="predictions file to write")
    parser.add_argument(
        "--boxes",
        choices=("own", "given"),
        default="own",
        help="own: the method's own detector (default); given: the true landmark boxes",
    )
    return parser


def use_one_core() -> None:
    """Bind this process to one processor core, however many threads its libraries start."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})


def by_image(entries: Iterable[dict[str, Any]]) -> Faces:
    """Entries of a list of faces, grouped by image; the order is kept."""
    faces: Faces = defaultdict(list)
    for entry in entries:
        faces[entry["path"]].append(entry)
    return dict(faces)


def read_faces(path: Path) -> Faces:
    """The list of faces in a file, grouped by image."""
    return by_image(json.loads(path.read_text(encoding="utf-8")))


def with_progress(faces: Faces) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """The items of `faces`; prints the progress to stderr."""
    for i, item in enumerate(faces.items()):
        if i % 500 == 0:
            print(f"{i} of {len(faces)} images", file=sys.stderr, flush=True)
        yield item


def record(method: Predictor, faces: Faces, boxes: str, read: Callable[[str], np.ndarray] = read_rgb) -> "Recording":
    """Run a method on every image.

    Times are those from the pixels of the image to the landmarks. With the method's own boxes they are recorded for
    images with one found face only.

    Args:
        method: the method.
        faces: the listed faces.
        boxes: 'own' or 'given'.
        read: from a path to (H, W, 3) uint8 RGB.

    Raises:
        ValueError: the method rejects a box; the message names the face.
    """
    recording = Recording(method.name, method.megabytes, method.installed_megabytes)
    for path, entries in with_progress(faces):
        image = read(path)
        if boxes == "given":
            for entry in entries:
                try:
                    with Clock() as clock:
                        landmarks = method.align(image, entry["box"])
                except (TypeError, ValueError) as error:
                    raise ValueError(f"face {entry['face']} of {entry['image']}: {error}") from error
                if landmarks is not None:
                    recording.add_given(entry, landmarks, clock)
            continue
        with Clock() as clock:
            found = method.detect(image)
        detector = method.detector_clock(image) if len(found) == 1 else None
        for face in found:
            recording.add_found(entries[0]["image"], face, clock if len(found) == 1 else None, detector)
    return recording


@dataclass
class Recording:
    """Predictions of one method.

    Attributes:
        method: its name in the tables.
        megabytes, installed_megabytes: see `Predictor`.
        entries: faces in the form of the predictions file.
    """

    method: str
    megabytes: float
    installed_megabytes: float | None
    entries: list[dict[str, Any]] = field(default_factory=list)

    def add_given(self, entry: dict[str, Any], landmarks: np.ndarray, clock: Clock) -> None:
        """Add a face of the list, aligned in its true box."""
        self.entries.append(
            {
                "image": entry["image"],
                "landmarks": np.round(landmarks, 3).tolist(),
                "face": entry["face"],
                "box": entry["box"],
                **_times(clock, None),
            }
        )

    def add_found(self, image: str, face: Found, clock: Clock | None, detector: Clock | None) -> None:
        """Add a face that the method detected; `image` is the image's name in the list of faces."""
        landmarks, box = (np.round(values, 3).tolist() for values in face)
        self.entries.append({"image": image, "landmarks": landmarks, "box": box, **_times(clock, detector)})

    def write(self, path: Path) -> None:
        """Write the predictions file under a temporary name, then rename it: an interrupted run leaves no file."""
        content: dict[str, Any] = {"method": self.method, "megabytes": round(self.megabytes, 2)}
        if self.installed_megabytes is not None:
            content["installed_megabytes"] = round(self.installed_megabytes, 1)
        partial = path.with_name(f"{path.name}.part")
        partial.write_text(json.dumps({**content, "faces": self.entries}) + "\n", encoding="utf-8")
        partial.replace(path)
        print(f"{self.method}: {len(self.entries)} faces written to {path}", file=sys.stderr)


def _times(clock: Clock | None, detector: Clock | None) -> dict[str, float]:
    times = {}
    if clock is not None:
        times = {"milliseconds": round(clock.wall, 3), "processor_milliseconds": round(clock.processor, 3)}
    if detector is not None:
        times["detector_milliseconds"] = round(detector.processor, 3)
    return times


def package_megabytes(package: importlib.metadata.Distribution) -> float:
    """Size of an installed package: the files it lists, without compiled Python."""
    files = [Path(str(package.locate_file(file))) for file in package.files or ()]
    return sum(file.stat().st_size for file in files if file.suffix != ".pyc" and file.is_file()) / 1e6


def environment_megabytes() -> float:
    """Size of all packages of the current environment, without pip and setuptools."""
    packages = {package.name.lower(): package for package in importlib.metadata.distributions()}
    return sum(
        package_megabytes(package) for name, package in packages.items() if name not in ("pip", "setuptools", "wheel")
    )
