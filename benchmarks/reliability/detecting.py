"""Runs `rdrface detect` of any release on a folder, as a user does, and reads its JSON."""

import json
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

import rdrface
from rdrface.errors import ConfigError
from rdrface.face import Face


@dataclass(frozen=True)
class Release:
    """An installed release of rdrface.

    Attributes:
        command: the command line without arguments.
        environment: environment variables of its processes.
    """

    command: tuple[str, ...]
    environment: Mapping[str, str]

    @classmethod
    def current(cls) -> "Release":
        """The release that this Python imports."""
        # Absolute, because the situations of the command line run in other folders.
        source = str(Path(rdrface.__file__).resolve().parents[1])
        path = os.pathsep.join(filter(None, [source, os.environ.get("PYTHONPATH", "")]))
        return cls((sys.executable, "-m", "rdrface"), {**os.environ, "PYTHONPATH": path})

    @classmethod
    def at(cls, executable: str) -> "Release":
        """The release whose executable is given. PYTHONPATH is removed, so that it does not import another release."""
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        found = shutil.which(executable)
        if found is None:
            raise ConfigError(f"no executable at {executable}")
        return cls((str(Path(found).absolute()),), environment)

    def version(self) -> str:
        """The line that ``rdrface --version`` prints."""
        return self._output("--version").strip()

    def has_option(self, option: str) -> bool:
        """Whether `rdrface detect` of this release has an option, for example ``--max-side``."""
        return option in self._output("detect", "--help").replace(",", " ").split()

    def without_limit(self) -> list[str]:
        """Options of `detect` that keep every detection."""
        option = "--max-uncertainty"
        return [option, "none"] if self.has_option(option) else []

    def _output(self, *arguments: str) -> str:
        done = subprocess.run(
            [*self.command, *arguments], env=self.environment, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise ConfigError(f"{shlex.join(self.command)} is not an rdrface executable: {done.stderr.strip()[-500:]}")
        return done.stdout


@dataclass(frozen=True)
class Detected:
    """What a release detected in the images of a folder.

    Attributes:
        version: version of the release, from the JSON.
        faces: file name of every image -> its faces; an image that failed has none.
        dropped: number of detections that the release dropped because of their expected error; 0 for release 0.1.
        failed: number of images that the release could not process.
    """

    version: str
    faces: dict[str, list[Face]]
    dropped: int
    failed: int


def detect(release: Release, folder: Path, options: Sequence[str] = ()) -> Detected:
    """Run a release on all images of a folder.

    Raises:
        ConfigError: the release cannot be run, or it wrote no JSON.
    """
    with tempfile.TemporaryDirectory() as temporary:
        path = Path(temporary) / "faces.json"
        command = [*release.command, "detect", str(folder), "--json", str(path), *options]
        done = subprocess.run(command, env=release.environment, capture_output=True, text=True, check=False)
        if not path.is_file():
            raise ConfigError(f"{shlex.join(command)} wrote no JSON: {done.stderr.strip()[-500:]}")
        content = json.loads(path.read_text(encoding="utf-8"))
    images = content.get("images", content.get("photos", []))
    faces = {path.name: [] for path in folder.iterdir()}
    dropped = 0
    for image in images:
        name = Path(image.get("image", image.get("photo"))).name
        faces[name] = [Face.from_dict(face) for face in image["faces"]]
        count = image.get("dropped", 0)
        dropped += count if isinstance(count, int) else len(count)
    return Detected(content["rdrface"], faces, dropped, len(content["failed"]))


def write_image(path: Path, pixels: np.ndarray) -> None:
    """Write (H, W, 3) uint8 RGB as a PNG file."""
    cv2.imwrite(str(path), pixels[..., ::-1])
