"""What the recorders share: the list of faces in, the predictions out, borders around photos, and the clock.

Every recorder runs in its peer's own environment, so this file needs NumPy and Pillow and nothing of rdrface. The list
of faces is what `rdrface evaluate SET DIR --faces FILE` writes; docs/evaluation.md describes both files.
"""

import argparse
import importlib.metadata
import json
import os
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageOps


def arguments(description: str | None) -> argparse.ArgumentParser:
    """The options that all recorders have."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("faces", type=Path, metavar="FACES.json", help="what `rdrface evaluate --faces` wrote")
    parser.add_argument("-o", "--out", type=Path, required=True, metavar="FILE.json", help="predictions to write")
    parser.add_argument(
        "--boxes",
        choices=("own", "given"),
        default="own",
        help="own: the peer finds the faces itself (default); given: it is told the true landmark box",
    )
    return parser


def one_core() -> None:
    """Bind this process to one processor core, whatever number of threads its libraries start."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})


def faces_by_photo(path: Path) -> dict[str, list[dict[str, Any]]]:
    """Path of a photo -> its faces, in the order of the list."""
    photos: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for entry in json.loads(path.read_text(encoding="utf-8")):
        photos[entry["path"]].append(entry)
    return dict(photos)


def progress(photos: dict[str, list[dict[str, Any]]]) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """The items, with a line on stderr now and then."""
    for i, item in enumerate(photos.items()):
        if i % 500 == 0:
            print(f"{i} of {len(photos)} photos", file=sys.stderr, flush=True)
        yield item


def read_rgb(path: str) -> np.ndarray:
    """(H, W, 3) uint8 RGB, upright."""
    with Image.open(path) as picture:
        return np.array(ImageOps.exif_transpose(picture).convert("RGB"))


@dataclass(frozen=True)
class View:
    """A photo with a border, or a part of one, enlarged.

    Attributes:
        pixels: (h, w, 3) uint8 RGB.
        scale: pixels of the view per pixel of the photo.
        corner: (2,) place of the outer corner of the view's first pixel in the photo, whose own is (-0.5, -0.5).
    """

    pixels: np.ndarray
    scale: float
    corner: np.ndarray

    def to_image(self, points: np.ndarray) -> np.ndarray:
        """(..., 2) pixels of the view -> of the photo; in both, the center of the first pixel is (0, 0)."""
        return (np.asarray(points, np.float64) + 0.5) / self.scale + self.corner

    def to_view(self, points: np.ndarray) -> np.ndarray:
        """The inverse of `to_image`."""
        return (np.asarray(points, np.float64) - self.corner) * self.scale - 0.5


def bordered(photo: np.ndarray, border: float, square: bool = False, enlarge: float = 1.0) -> View:
    """The photo with a black border.

    Args:
        photo: (H, W, 3) uint8.
        border: its width on every side, as a share of the photo's shorter side.
        square: widen the border so that the view is a square.
        enlarge: then enlarge by this factor.
    """
    height, width = photo.shape[:2]
    add = round(border * min(height, width))
    side = max(height, width)
    x, y = (add + (side - width) // 2, add + (side - height) // 2) if square else (add, add)
    shape = (side + 2 * add, side + 2 * add) if square else (height + 2 * add, width + 2 * add)
    pixels = np.zeros((*shape, 3), np.uint8)
    pixels[y : y + height, x : x + width] = photo
    view = View(pixels, 1.0, np.array([-x, -y]) - 0.5)
    return _enlarged(view, enlarge)


def around(photo: np.ndarray, box: list[float], times: float, side: int) -> View:
    """The square around a box, black beyond the photo.

    Args:
        photo: (H, W, 3) uint8.
        box: xyxy photo pixels.
        times: side of the square in units of the longer side of the box.
        side: of the view, pixels.
    """
    x0, y0, x1, y1 = box
    half = max(x1 - x0, y1 - y0) * times / 2
    corner = np.floor([(x0 + x1) / 2 - half, (y0 + y1) / 2 - half]).astype(int)
    length = max(round(2 * half), 1)
    cut = Image.fromarray(photo).crop((*corner.tolist(), *(corner + length).tolist()))
    return _enlarged(View(np.array(cut), 1.0, corner - 0.5), side / length)


def _enlarged(view: View, factor: float) -> View:
    height, width = view.pixels.shape[:2]
    size = (round(width * factor), round(height * factor))
    if size == (width, height):
        return view
    # BILINEAR of Pillow averages when it shrinks, so nothing is aliased. One factor for both axes: views that are not
    # square may end half a pixel of the view beside their last column.
    pixels = np.array(Image.fromarray(view.pixels).resize(size, Image.Resampling.BILINEAR))
    return View(pixels, size[0] / width, view.corner)


class Clock:
    """`with Clock() as clock: ...`, then `clock.wall` and `clock.processor` in milliseconds.

    Processor time is that of all threads: on an idle core the two are the same, on a busy machine it is the one to
    trust.
    """

    def __enter__(self) -> "Clock":
        self._wall, self._processor = time.perf_counter(), time.process_time()
        return self

    def __exit__(self, *_: object) -> None:
        self.wall = 1000 * (time.perf_counter() - self._wall)
        self.processor = 1000 * (time.process_time() - self._processor)


def megabytes_of(package: importlib.metadata.Distribution) -> float:
    """Size of an installed package by its own list of files, without compiled Python."""
    files = [Path(str(package.locate_file(file))) for file in package.files or ()]
    return sum(file.stat().st_size for file in files if file.suffix != ".pyc" and file.is_file()) / 1e6


def installed_megabytes() -> float:
    """Size of all packages of this environment without pip and setuptools."""
    packages = {package.name.lower(): package for package in importlib.metadata.distributions()}
    return sum(
        megabytes_of(package) for name, package in packages.items() if name not in ("pip", "setuptools", "wheel")
    )


@dataclass
class Recording:
    """Predictions of one peer.

    Attributes:
        method: its name in the tables.
        megabytes: of the model files that it needs.
        installed_megabytes: of all packages in its environment.
        entries: the found faces.
    """

    method: str
    megabytes: float
    installed_megabytes: float
    entries: list[dict[str, Any]] = field(default_factory=list)

    def add(
        self,
        entry: dict[str, Any],
        landmarks: np.ndarray,
        *,
        box: np.ndarray | None = None,
        given: bool = False,
        clock: Clock | None = None,
        detector: Clock | None = None,
    ) -> None:
        """Add a found face.

        Args:
            entry: of the list of faces; of any face of the photo when the peer found this one itself.
            landmarks: (68, 2) photo pixels.
            box: (4,) where the peer looked, brought to the meaning of a landmark box.
            given: the peer was told of this very face.
            clock: of all the work, from the pixels of the photo to the landmarks.
            detector: of finding the face alone, where the peer lets us measure it.
        """
        face: dict[str, Any] = {"image": entry["image"], "landmarks": np.round(landmarks, 3).tolist()}
        if given:
            face["face"] = entry["face"]
        if box is not None:
            face["box"] = np.round(box, 3).tolist()
        if clock is not None:
            face |= {"milliseconds": round(clock.wall, 3), "processor_milliseconds": round(clock.processor, 3)}
        if detector is not None:
            face["detector_milliseconds"] = round(detector.processor, 3)
        self.entries.append(face)

    def write(self, path: Path) -> None:
        """Write the file of predictions; it appears only when it is whole, so that an interrupted run is repeated."""
        content = {
            "method": self.method,
            "megabytes": round(self.megabytes, 2),
            "installed_megabytes": round(self.installed_megabytes, 1),
            "faces": self.entries,
        }
        partial = path.with_name(f"{path.name}.part")
        partial.write_text(json.dumps(content) + "\n", encoding="utf-8")
        partial.replace(path)
        print(f"{self.method}: {len(self.entries)} faces written to {path}", file=sys.stderr)
